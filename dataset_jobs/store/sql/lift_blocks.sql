-- A pool is claimed from again as soon as one of its runs shows that what blocked it is mended: it has started; or was
-- launched, where a quota was full; or has done its work, where started runs were in trouble. Called at every tick.
update pools set blocked_since = null, blocked_cause = null, blocked_reason = null, blocked_error = null,
    probe_at = null, probes = 0
where blocked_since is not null and (
    exists (
        select from runs
        where runs.pool = pools.name and started_at > blocked_since
            and (blocked_cause <> 'forbidden' or committed_at is not null or cause = 'rejected'))
    or blocked_reason = 'quota' and exists (
        select from runs where runs.pool = pools.name and released_at is null and launched_at > blocked_since))
returning name
