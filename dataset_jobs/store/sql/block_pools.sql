-- The pools of a controller that cannot work with its cluster; but for those of which another one has launched a run in
-- the last minute. Called at the end of a tick that was broken off.
update pools set blocked_since = clock_timestamp(), blocked_cause = %(cause)s, blocked_reason = %(reason)s,
    blocked_error = %(error)s, probe_at = clock_timestamp()
where name = any(%(pools)s::text[]) and blocked_since is null
    and not exists (
        select from runs
        where runs.pool = pools.name and owner <> %(owner)s and launched_at > clock_timestamp() - interval '1 minute')
returning name
