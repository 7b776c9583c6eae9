-- Pools as settings and ParserPools describe them, and their figures for metrics and status. Each statement is a
-- transaction of its own.

-- name: pools.set
-- Makes a new pool, and sets a pool's maxima unless a ParserPool has. A setting counts if it differs from that of the
-- last start; else the row stays as somebody has set it by command. Called at the controller's start.
insert into pools (name, max_running, max_pending, setting_max_running, setting_max_pending)
values (%(pool)s, coalesce(%(max_running)s, 64), coalesce(%(max_pending)s, 100), %(max_running)s, %(max_pending)s)
on conflict (name) do update set
    max_running = case when pools.described = 0
        and pools.setting_max_running is distinct from excluded.setting_max_running
        then coalesce(excluded.setting_max_running, pools.max_running) else pools.max_running end,
    max_pending = case when pools.described = 0
        and pools.setting_max_pending is distinct from excluded.setting_max_pending
        then coalesce(excluded.setting_max_pending, pools.max_pending) else pools.max_pending end,
    setting_max_running = case when pools.described = 0 then excluded.setting_max_running
        else pools.setting_max_running end,
    setting_max_pending = case when pools.described = 0 then excluded.setting_max_pending
        else pools.setting_max_pending end
returning max_running

-- name: pools.describe
-- Makes or changes a pool as its ParserPool describes it, unless a later description is in force. Called when the
-- resource changes, and every minute.
insert into pools (name, max_running, max_pending, paused, paused_since, described, described_in)
values (%(pool)s, %(max_running)s, %(max_pending)s, %(paused)s, case when %(paused)s then clock_timestamp() end,
    %(described)s, %(namespace)s)
on conflict (name) do update set
    max_running = excluded.max_running, max_pending = excluded.max_pending, paused = excluded.paused,
    paused_since = case when pools.paused then coalesce(pools.paused_since, excluded.paused_since)
        else excluded.paused_since end,
    paused_reason = null, described = excluded.described, described_in = excluded.described_in
where pools.described <= excluded.described
    and (pools.max_running, pools.max_pending, pools.paused, pools.described, pools.described_in)
        is distinct from (excluded.max_running, excluded.max_pending, excluded.paused, excluded.described,
            excluded.described_in)

-- name: pools.refuse
-- Keeps why the newest description of a pool is refused, or that it is not. Called with every list of ParserPools.
update pools set refusal = %(refusal)s where name = %(pool)s and refusal is distinct from %(refusal)s

-- name: pools.described
-- Lists the pools that a ParserPool has described, even if it is gone. Called with the list of those in the cluster.
select name from pools where described > 0

-- name: pools.undescribed
-- Reads how a pool is set that no ParserPool has ever described; no row of another one. Called by a controller that is
-- to make its ParserPool.
select max_running, max_pending, paused from pools where name = %(pool)s and described = 0

-- name: pools.origins
-- Reads who has set pools: a ParserPool, or the settings of the controller that started last. Called with every list of
-- ParserPools: controllers of one database may differ.
select name, case when described > 0 then described_in end as described_in, setting_max_running, setting_max_pending
from pools where name = any (%(pools)s) order by name

-- name: pools.undescribe
-- Gives a pool back to the settings if the cluster has no ParserPools any more. Called with every list of them.
update pools set described = 0, described_in = null, refusal = null, paused = false, paused_since = null, paused_reason = null,
    max_running = coalesce(%(max_running)s, max_running), max_pending = coalesce(%(max_pending)s, max_pending),
    setting_max_running = %(max_running)s, setting_max_pending = %(max_pending)s
where name = %(pool)s and described > 0

-- name: pools.names
-- Lists all names: those that a filter may name, and to find the one that somebody meant.
select name from pools order by name

-- name: pools.lock
-- Locks the pool's row, as claims do: the first statement of a change by a person. No row: there is no such pool.
select described > 0 as described, described_in, paused, min_running, max_running, max_pending
from pools where name = %(pool)s for no key update

-- name: pools.pause
-- Pauses a pool, and wakes the controllers; if it is paused already, gives it a new reason.
with changed as (
    update pools set paused = true,
        paused_since = case when paused then coalesce(paused_since, clock_timestamp()) else clock_timestamp() end,
        paused_reason = coalesce(%(reason)s, case when paused then paused_reason end)
    where name = %(pool)s
    returning name
)
select wake_controllers() from changed

-- name: pools.resume
-- Ends a pause, makes the next probe of a blocked pool due, and wakes the controllers.
with resumed as (
    update pools set paused = false, paused_since = null, paused_reason = null,
        probe_at = case when blocked_since is not null then clock_timestamp() end
    where name = %(pool)s
    returning name
)
select wake_controllers() from resumed

-- name: pools.probe
-- Makes the next probe of a blocked pool due, and wakes the controllers. No row: it is not blocked.
with due as (
    update pools set probe_at = clock_timestamp() where name = %(pool)s and blocked_since is not null
    returning name
)
select wake_controllers() from due

-- name: pools.change
-- Sets maxima by command, and wakes the controllers. Runs at work go on, even if they are more.
with changed as (
    update pools set max_running = coalesce(%(max_running)s, max_running),
        max_pending = coalesce(%(max_pending)s, max_pending)
    where name = %(pool)s
    returning name
)
select wake_controllers() from changed

-- name: pools.recent_runs
-- Counts the runs that have started in the last 24 hours, by their end. An index has them in that order.
select cause, count(*) as runs, max(coalesce(ended_at, committed_at, started_at)) as last_at
from runs where pool = %(pool)s and started_at > clock_timestamp() - interval '24 hours'
group by cause order by runs desc, cause

-- name: pools.figures
-- Reads the figures for the status of a ParserPool; one row, even if the pool does not exist. Called every few seconds.
select asked.name, coalesce(pools.max_running, 0) as maximum, pools.max_pending, coalesce(pools.paused, false) as paused,
    pools.desired, pools.reason, pools.blocked_cause, pools.blocked_reason, pools.blocked_error,
    queue.queued, queue.scheduled, queue.oldest_queued_since,
    held.running, held.pending, held.in_use, held.waits_for_error, clock_timestamp() as now
from (select %(pool)s::text as name) asked
left join pools on pools.name = asked.name,
lateral (
    select count(*) filter (where state = 'queued') as queued,
        count(*) filter (where state = 'scheduled') as scheduled,
        date_trunc('second', min(run_at) filter (where state = 'queued')) as oldest_queued_since
    from jobs where pool = asked.name and state in ('queued', 'scheduled')
) queue,
lateral (
    select count(*) filter (where started_at is not null) as running,
        count(*) filter (where started_at is null and ended_at is null) as pending, count(*) as in_use,
        min(waits_for_error) filter (where started_at is null and ended_at is null and waits_for = 'unschedulable')
            as waits_for_error
    from runs where pool = asked.name and released_at is null
) held

-- name: pools.queue_figures
-- Reads the state of every pool and its queue for the metrics, every few seconds: one walk over the unfinished jobs and
-- one over the slots in use, however many pools there are. Its indexes hold no finished job and no released run.
select name, coalesce(queue.queued, 0) as queued, coalesce(queue.due, 0) as due,
    coalesce(queue.scheduled, 0) as scheduled, coalesce(held.pending, 0) as pending,
    coalesce(held.running, 0) as running, coalesce(held.ending, 0) as ending, desired, max_running as maximum,
    paused, blocked_since is not null as blocked, blocked_cause, blocked_reason,
    greatest(0, extract(epoch from clock_timestamp() - queue.oldest))::float8 as oldest_wait_seconds
from pools
left join (
    select pool, count(*) filter (where state = 'queued') as queued,
        count(*) filter (where state = 'scheduled' and run_at <= now()) as due,
        count(*) filter (where state = 'scheduled' and run_at > now()) as scheduled,
        min(run_at) filter (where state = 'queued' or run_at <= now()) as oldest
    from jobs where state in ('queued', 'scheduled') group by pool
) queue on queue.pool = name
left join (
    select pool, count(*) filter (where ended_at is null and started_at is null) as pending,
        count(*) filter (where ended_at is null and started_at is not null and committed_at is null) as running,
        count(*) filter (where ended_at is not null or committed_at is not null) as ending
    from runs where released_at is null group by pool
) held on held.pool = name
order by name
