-- How every pool and its queue stand. Called for the metrics, every few seconds: one walk over the unfinished jobs and
-- one over the slots that are held, however many pools there are; by indexes that know no finished job and no released
-- run.
select name, coalesce(queue.queued, 0) as queued, coalesce(queue.due, 0) as due,
    coalesce(queue.scheduled, 0) as scheduled, coalesce(held.pending, 0) as pending,
    coalesce(held.running, 0) as running, coalesce(held.ending, 0) as ending, desired, max_running as maximum,
    paused, blocked_since is not null as blocked,
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
