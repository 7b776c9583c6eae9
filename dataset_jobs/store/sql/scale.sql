-- The controller decides how many runs a pool is to have: it reads the pool, decides, and writes the decision by
-- compare-and-swap. Each statement is a transaction of its own.

-- name: scale.capacity
-- Reads a pool, its queue and its last decision, at every tick. Of a long queue it counts no more than makes a
-- difference, in the order of the claim, whose index serves both.
select max_running as maximum, paused, blocked_since is not null as blocked,
    desired, decided_by, decision, generation, history,
    coalesce(decided_until - clock_timestamp(), interval '0') as lease,
    extract(epoch from clock_timestamp())::float8 as now,
    (select count(*) from (
        select from jobs where pool = pools.name and state = 'queued' order by priority desc, run_at, key
        limit max_running * %(target)s::bigint + 1) queued) as queued,
    (select count(*) from (
        select from jobs where pool = pools.name and state = 'scheduled' and run_at <= now() order by run_at
        limit max_running * %(target)s::bigint + 1) due) as due,
    held.running, held.pending
from pools, lateral (
    select count(*) as running, count(*) filter (where started_at is null and ended_at is null) as pending
    from runs where runs.pool = pools.name and released_at is null
) held
where name = %(pool)s

-- name: scale.decide
-- Writes how many runs a pool is to have, if no later decision has replaced the one that this was made from; else no
-- row. With a lease, takes or renews it.
update pools set
    desired = %(desired)s, limited_by = %(limited_by)s, reason = %(reason)s, min_running = %(minimum)s,
    decided_at = case when desired = %(desired)s then decided_at else clock_timestamp() end,
    decided_by = case when %(lease)s::interval is null then decided_by else %(owner)s end,
    decided_until = coalesce(clock_timestamp() + %(lease)s::interval, decided_until),
    decision = decision + 1, generation = %(generation)s, history = %(history)s
where name = %(pool)s and decision = %(follows)s
returning decision
