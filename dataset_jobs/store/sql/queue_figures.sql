-- How every pool and its queue stand. Called for the metrics, every few seconds: each count is one walk along an index
-- that knows no finished job, and no released run.
select name, queue.queued, late.due, later.scheduled, held.pending, held.running, held.ending, desired,
    max_running as maximum, paused, blocked_since is not null as blocked,
    greatest(0, extract(epoch from clock_timestamp() - least(queue.oldest, late.oldest)))::float8 as oldest_wait_seconds
from pools,
lateral (select count(*) as queued, min(run_at) as oldest from jobs where pool = pools.name and state = 'queued') queue,
lateral (
    select count(*) as due, min(run_at) as oldest from jobs
    where pool = pools.name and state = 'scheduled' and run_at <= now()
) late,
lateral (
    select count(*) as scheduled from jobs where pool = pools.name and state = 'scheduled' and run_at > now()
) later,
lateral (
    select count(*) filter (where ended_at is null and started_at is null) as pending,
        count(*) filter (where ended_at is null and started_at is not null and committed_at is null) as running,
        count(*) filter (where ended_at is not null or committed_at is not null) as ending
    from runs where pool = pools.name and released_at is null
) held
order by name
