-- Seconds until the next scheduled job of some pools is due, null if there is none. Called by the reconcile loop, to
-- wake in time. Pool by pool, so that each is one look into the index.
select extract(epoch from min(first.run_at) - clock_timestamp())::float8
from unnest(%(pools)s::text[]) as asked (pool), lateral (
    select run_at from jobs where jobs.pool = asked.pool and state = 'scheduled' order by run_at limit 1) first
