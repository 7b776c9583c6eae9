-- Pools with jobs that could start, but for the pool: it is paused, blocked, or has no slot at all. Called by a controller
-- that ends when nothing is left to do.
select pools.name, pools.paused, pools.max_running, pools.blocked_cause, pools.blocked_reason, pools.blocked_error,
    pools.probes, clock_timestamp() - pools.blocked_since as blocked_for, pools.probe_at - clock_timestamp() as probe_in,
    queue.waiting, (select count(*) from runs where pool = pools.name and released_at is null) as unreleased
from pools join (
    select pool, count(*) as waiting from jobs
    where state = 'queued' or state = 'scheduled' and blocked_since is not null
    group by pool
) queue on queue.pool = pools.name
where pools.name = any (%(pools)s) and (pools.paused or pools.max_running = 0 or pools.blocked_since is not null)
order by pools.name
