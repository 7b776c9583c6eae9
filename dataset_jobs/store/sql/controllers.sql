-- Controllers report themselves, and ask what still holds up one that wants to end. Each statement is a transaction of
-- its own.

-- name: controllers.seen
-- Records that a controller is alive, its trouble, and what it warns of. Forgets controllers that were silent for a day. Called by each
-- controller every 15 seconds, and when something has changed.
with forgotten as (
    delete from controllers where owner = any (array(
        select owner from controllers where seen_at < clock_timestamp() - interval '1 day' and owner <> %(owner)s
        for update skip locked))
)
insert into controllers (owner, launcher, pools, warnings, trouble, trouble_permanent, trouble_since, trouble_tries)
values (%(owner)s, %(launcher)s, %(pools)s, %(warnings)s, %(trouble)s::text, %(permanent)s,
    case when %(trouble)s::text is not null then clock_timestamp() - %(lasting)s::interval end, %(tries)s)
on conflict (owner) do update set
    pools = excluded.pools, seen_at = clock_timestamp(), trouble = excluded.trouble,
    trouble_permanent = excluded.trouble_permanent, trouble_since = excluded.trouble_since,
    trouble_tries = excluded.trouble_tries, warnings = excluded.warnings

-- name: controllers.gone
-- Removes a controller that ends in order.
delete from controllers where owner = %(owner)s

-- name: controllers.count_jobs
-- Counts the jobs in each unfinished state, the runs that hold a slot, and the ticks of schedules that are due or under
-- way. A controller that is to end when idle asks this.
select count(*) filter (where state = 'queued') as queued,
    count(*) filter (where state = 'running') as running,
    count(*) filter (where state = 'scheduled' and run_at <= now()) as due,
    count(*) filter (where state = 'scheduled' and run_at > now()) as waiting,
    (select count(*) from runs where pool = any (%(pools)s) and released_at is null) as unreleased,
    (select count(*) from schedules where not paused and next_at <= now()
        and (holder is not null or coalesce(not_before, next_at) <= now())) as ticks
from jobs where pool = any (%(pools)s) and state in ('scheduled', 'queued', 'running')

-- name: controllers.next_due
-- Returns the seconds until the next scheduled job of some pools or the next tick of a schedule is due, null if there
-- is none. The reconcile loop wakes then. It looks pool by pool, so that each is one look into the index. A tick that
-- is due already wakes nobody: somebody is at it.
select extract(epoch from min(first.run_at) - clock_timestamp())::float8 as seconds
from (
    select next.run_at
    from unnest(%(pools)s::text[]) as asked (pool), lateral (
        select run_at from jobs where jobs.pool = asked.pool and state = 'scheduled' order by run_at limit 1) next
    union all
    select greatest(next_at, not_before) from schedules
    where not paused and greatest(next_at, not_before) > clock_timestamp()
) first

-- name: controllers.waiting_jobs
-- Lists the jobs that wait for a later time, the next one first. Called by run --until-idle, when it ends.
select jobs.id, jobs.dataset_id, datasets.filename, jobs.type, jobs.attempts, jobs.run_at, jobs.last_error,
    jobs.last_cause, (select reason from runs where job_id = jobs.id order by epoch desc limit 1) as last_reason
from jobs join datasets on datasets.id = jobs.dataset_id
where jobs.pool = %(pool)s and jobs.state = 'scheduled'
order by jobs.run_at

-- name: controllers.runs_elsewhere
-- Lists the children of other process controllers that hold slots of these pools, and when they and their controllers
-- last gave a sign of life. Called by a controller that ends when idle.
select runs.owner, count(*) as runs, min(datasets.filename) as filename,
    clock_timestamp() - controllers.seen_at as controller_silent_for,
    clock_timestamp() + %(lease)s - max(runs.lease_until) as silent_for,
    max(runs.lease_until) - clock_timestamp() as lease_left
from runs join jobs on jobs.id = runs.job_id join datasets on datasets.id = jobs.dataset_id
    left join controllers on controllers.owner = runs.owner
where runs.pool = any (%(pools)s) and runs.released_at is null and runs.launcher = 'process'
    and runs.owner <> %(owner)s
group by runs.owner, controllers.seen_at order by runs.owner

-- name: controllers.pools_in_the_way
-- Lists the pools with jobs that could start but for the pool, because it is paused, blocked, or has no slot at all.
-- Called by a controller that ends when idle.
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

-- name: controllers.end_waiting_runners
-- Ends sessions of runners that make others queue for a table; needs no table itself.
select end_waiting_runners() as ended
