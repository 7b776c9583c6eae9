-- Seconds until the next scheduled job of some pools or the next tick of a schedule is due, null if there is none. Called
-- by the reconcile loop, to wake in time. Pool by pool, so that each is one look into the index. A tick that is due
-- already wakes nobody: somebody is at it.
select extract(epoch from min(first.run_at) - clock_timestamp())::float8
from (
    select next.run_at
    from unnest(%(pools)s::text[]) as asked (pool), lateral (
        select run_at from jobs where jobs.pool = asked.pool and state = 'scheduled' order by run_at limit 1) next
    union all
    select greatest(next_at, not_before) from schedules
    where not paused and greatest(next_at, not_before) > clock_timestamp()
) first
