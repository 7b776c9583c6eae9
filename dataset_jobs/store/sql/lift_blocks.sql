-- A pool is claimed from again as soon as one of its runs shows that what blocked it is fixed: it has started; or was
-- launched, if a quota for Jobs was full; or has done its work, if started runs were in trouble. If the quota is one for
-- pods, as a run shows whose Job had no pod for it, a launch proves nothing. Called at every tick.
update pools set blocked_since = null, blocked_cause = null, blocked_reason = null, blocked_error = null,
    probe_at = null, probes = 0
where blocked_since is not null and (
    exists (
        select from runs
        where runs.pool = pools.name and started_at > blocked_since
            and (blocked_cause <> 'forbidden' or committed_at is not null or cause = 'rejected'))
    or blocked_reason = 'quota' and exists (
        select from runs where runs.pool = pools.name and released_at is null and launched_at > blocked_since)
    and not exists (
        select from runs
        where runs.pool = pools.name and waits_for = 'quota' and coalesce(released_at, 'infinity') > blocked_since))
returning name
