-- Figures of the whole installation, which one sampler of a process reads for all who look; and the past of pools. Each
-- statement is a transaction of its own.

-- name: figures.states
-- Counts the jobs by state, by indexes alone: most jobs are completed, which are all that are over but the rest.
with over as (
    select state, count(*) as jobs from jobs where state in ('failed', 'cancelled') group by state
)
select state, jobs from over
union all
select 'completed', count(*) - (select coalesce(sum(jobs), 0)::bigint from over) from jobs where finished_at is not null
union all
select state, count(*) from jobs where state in ('scheduled', 'queued', 'running') group by state

-- name: figures.datasets
-- Counts the datasets by status, by indexes alone: most are completed, which are all but the rest.
with others as (
    select status, count(*) as datasets from datasets where status <> 'completed' group by status
)
select status, datasets from others
union all
select 'completed', count(*) - (select coalesce(sum(datasets), 0)::bigint from others) from datasets

-- name: figures.record_minute
-- Writes a row for each pool that this controller decides for, of the minute that is just over, and removes rows older
-- than 30 days. Whoever comes second writes nothing, so each minute is there once. What ended within a second of the
-- minute's end may still be committing: so it is not written before the fifth.
with over as (
    select asked.now, date_trunc('minute', asked.now) as until,
        date_trunc('minute', asked.now) - interval '1 minute' as minute
    from (select coalesce(%(at)s::timestamptz, now()) as now) asked
), mine as (
    select name, desired, max_running from pools, over
    where decided_by = %(owner)s and decided_until > over.now and over.now >= over.until + interval '5 s'
        and not exists (select from pool_minutes where pool = name and pool_minutes.minute = over.minute)
), removed as (
    delete from pool_minutes using mine, over
    where pool_minutes.pool = mine.name and pool_minutes.minute < over.now - interval '30 days'
)
insert into pool_minutes (pool, minute, depth, oldest_wait_seconds, running, pending, desired, maximum, finished, failed,
    busy)
select mine.name, over.minute, queue.depth, greatest(0, extract(epoch from over.now - queue.oldest)),
    held.running, held.pending, mine.desired, mine.max_running, ended.finished, ended.failed, worked.busy
from mine, over, lateral (
    select count(*) as depth, min(run_at) as oldest from jobs
    where pool = mine.name and (state = 'queued' or (state = 'scheduled' and run_at <= over.now))
) queue, lateral (
    select count(*) filter (where started_at is not null and ended_at is null and committed_at is null) as running,
        count(*) filter (where started_at is null and ended_at is null) as pending
    from runs where pool = mine.name and released_at is null
) held, lateral (
    select count(*) as finished, count(*) filter (where state = 'failed') as failed from jobs
    where pool = mine.name and finished_at >= over.minute and finished_at < over.until
) ended, lateral (
    -- Of the runs that are at work, and of those that started within the last hour.
    select coalesce(sum(greatest(0, extract(epoch from
        least(over.until, coalesce(committed_at, ended_at, over.until)) - greatest(over.minute, started_at)))), 0) as busy
    from runs
    where pool = mine.name and started_at < over.until
        and (released_at is null or started_at >= over.minute - interval '1 hour')
) worked
on conflict (pool, minute) do nothing
returning pool

-- name: figures.history
-- Reads a pool's past in steps; a step without a row is null.
select steps.at, minutes.*
from generate_series(
    date_bin(%(step)s::interval, %(from)s::timestamptz, timestamptz '2000-01-01 00:00:00+00'),
    %(to)s::timestamptz - interval '1 microsecond', %(step)s::interval) as steps (at)
cross join lateral (
    select max(depth) as depth, max(oldest_wait_seconds) as oldest_wait, round(avg(running), 2)::float8 as running,
        round(avg(pending), 2)::float8 as pending, max(desired) as desired, max(maximum) as maximum,
        sum(finished)::int as finished, sum(failed)::int as failed, sum(busy)::float8 as busy
    from pool_minutes
    where pool = %(pool)s and minute >= steps.at and minute < steps.at + %(step)s::interval
) minutes
order by steps.at

-- name: figures.lately
-- What came of each pool within the last hour.
select pools.name as pool, minutes.finished, minutes.failed, minutes.busy
from pools cross join lateral (
    select coalesce(sum(finished), 0)::int as finished, coalesce(sum(failed), 0)::int as failed,
        (sum(busy) / nullif(sum(60.0 * maximum), 0))::float8 as busy
    from pool_minutes where pool = pools.name and minute >= now() - interval '1 hour'
) minutes
