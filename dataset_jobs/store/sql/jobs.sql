-- Clients insert, change and list jobs; jobs that finished long ago are purged. A client's change is one transaction
-- that locks the job first; a retry locks the dataset and its jobs before, as datasets.sql does.

-- name: jobs.insert
-- Enqueues a job; a trigger wakes the controllers. A job for later waits as scheduled. Called by submit, reprocess and
-- schedules.
insert into jobs (dataset_id, type, pool, priority, state, run_at)
select %(dataset_id)s, %(type)s, %(pool)s, %(priority)s,
    case when run_at > clock_timestamp() then 'scheduled' else 'queued' end, greatest(run_at, now())
from (select coalesce(%(at)s::timestamptz, clock_timestamp() + %(after)s::interval, now()) as run_at) asked
returning id

-- name: jobs.dataset
-- Reads the dataset of a job, without a lock, since a job never changes its dataset. Called by jobs retry.
select dataset_id from jobs where id = %(job_id)s

-- name: jobs.lock
-- Locks the job. The runner's commit locks it too, so that of a commit and a cancel the first one wins.
select id, dataset_id, type, state, lease_epoch, finished_at, last_cause, cancel_requested_at, pool, priority, run_at, attempts,
    interruptions, give_backs
from jobs where id = %(job_id)s for update

-- name: jobs.cancel_waiting
-- Cancels a job that is not running.
select cancel_waiting_job(%(job_id)s)

-- name: jobs.cancel_running
-- Asks for the cancel of a running job, and ends its run; wakes the controllers.
select cancel_running_job(%(job_id)s)

-- name: jobs.cancel_requested
-- Cancels jobs that are not running and whose cancel was requested. The claim passes them over, so nothing else would
-- ever end them. Called by rescue.
with cancelled as (
    update jobs set state = 'cancelled', finished_at = clock_timestamp(),
        last_cause = 'cancelled', last_error = 'cancelled'
    where id = any (array(
        select id from jobs
        where cancel_requested_at is not null and state in ('scheduled', 'queued')
        limit %(batch)s
        for no key update skip locked))
    returning id, dataset_id
), rested as (
    update datasets set error = 'cancelled', updated_at = clock_timestamp()
    from cancelled where datasets.id = cancelled.dataset_id
)
select id from cancelled

-- name: jobs.retry
-- Queues a dead letter again with fresh budgets, and wakes the controllers.
select retry_job(%(job_id)s, %(priority)s)

-- name: jobs.set_waiting
-- Sets another priority, time or pool for a job that waits, and wakes the controllers.
select set_waiting_job(
    %(job_id)s, %(priority)s, coalesce(%(at)s::timestamptz, now() + %(after)s::interval), %(pool)s)

-- name: jobs.failed
-- Lists the dead letters that can be retried: failed, and the latest job of their dataset. Called by jobs retry
-- --failed.
select id from jobs
where state = 'failed' and (%(cause)s::text is null or last_cause = %(cause)s)
    and not exists (select from jobs later where later.dataset_id = jobs.dataset_id and later.key > jobs.key)
order by finished_at

-- name: jobs.count_purgeable
-- Counts the jobs that jobs purge would remove.
select state, count(*) as jobs from jobs
where finished_at < clock_timestamp() - %(older_than)s and state = any (%(states)s::text[])
    and not exists (select from runs where runs.job_id = jobs.id and runs.released_at is null)
group by state order by state

-- name: jobs.purge
-- Removes a batch of jobs that finished long ago. Called by jobs purge, and by controllers every minute.
select purge_jobs(%(pool)s, %(older_than)s, %(states)s::text[], %(batch)s) as id

-- name: jobs.match
-- Finds the jobs of a list, the newest first, from a key downwards. Two filters repeat what another one says, so that
-- the planner may use a partial index: over of finished_at, held of the runs that hold a slot. Called by jobs list, and
-- to count.
select jobs.id, jobs.key
from jobs left join datasets on datasets.id = jobs.dataset_id
where (%(before)s::int is null or jobs.key < %(before)s)
    and (%(first)s::bigint is null or jobs.key >= %(first)s)
    and (%(since)s::timestamptz is null or jobs.created_at >= %(since)s)
    and (%(state)s::text is null or jobs.state = %(state)s)
    and (%(states)s::text[] is null or jobs.state = any (%(states)s))
    and (not %(over)s::bool or jobs.finished_at is not null)
    and (not %(held)s::bool
        or exists (select from runs where runs.job_id = jobs.id and runs.released_at is null))
    and (%(cause)s::text is null or jobs.last_cause = %(cause)s)
    and (%(causes)s::text[] is null or jobs.last_cause = any (%(causes)s))
    and (%(pool)s::text is null or jobs.pool = %(pool)s)
    and (%(type)s::text is null or jobs.type = %(type)s)
    and (%(until)s::timestamptz is null or jobs.created_at <= %(until)s)
    and (%(ended_at)s::timestamptz is null or jobs.finished_at >= %(ended_at)s)
    and (%(ended_ago)s::interval is null or jobs.finished_at >= now() - %(ended_ago)s)
    and (%(reason)s::text is null or %(reason)s::text = 'none' or exists (
        select from runs where runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch and runs.reason = %(reason)s))
    and (%(reason)s::text is distinct from 'none' or not exists (
        select from runs where runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch and runs.reason is not null))
    and (%(ids)s::uuid[] is null or jobs.id = any (%(ids)s))
    and (%(dataset_ids)s::uuid[] is null or jobs.dataset_id = any (%(dataset_ids)s))
    and (%(country_id)s::uuid is null or datasets.country_id = %(country_id)s)
    and (%(batch)s::text is null or datasets.batch = %(batch)s)
    and (%(file)s::text is null or lower(datasets.filename) like %(file)s)
    and (%(from_dataset)s::int is null or datasets.key >= %(from_dataset)s)
order by jobs.key desc
limit %(limit)s

-- name: jobs.match_of_datasets
-- Finds the jobs of few datasets, the newest first, from a key downwards. Materialized: the planner takes the jobs of a
-- country to be spread over all keys, and would walk down all jobs until it has met enough. Called by jobs list.
with mine as materialized (
    select id, key from jobs
    where dataset_id = any (%(dataset_ids)s::uuid[]) and (%(before)s::int is null or key < %(before)s)
)
select id, key from mine order by key desc limit %(limit)s

-- name: jobs.match_finished
-- Finds the jobs of a list that are over, the latest end first, with the filters of jobs.match. Called by jobs list.
select jobs.id, jobs.key
from jobs left join datasets on datasets.id = jobs.dataset_id
where (%(before)s::int is null or jobs.key < %(before)s)
    and (%(first)s::bigint is null or jobs.key >= %(first)s)
    and (%(since)s::timestamptz is null or jobs.created_at >= %(since)s)
    and (%(state)s::text is null or jobs.state = %(state)s)
    and (%(states)s::text[] is null or jobs.state = any (%(states)s))
    and (not %(over)s::bool or jobs.finished_at is not null)
    and (not %(held)s::bool
        or exists (select from runs where runs.job_id = jobs.id and runs.released_at is null))
    and (%(cause)s::text is null or jobs.last_cause = %(cause)s)
    and (%(causes)s::text[] is null or jobs.last_cause = any (%(causes)s))
    and (%(pool)s::text is null or jobs.pool = %(pool)s)
    and (%(type)s::text is null or jobs.type = %(type)s)
    and (%(until)s::timestamptz is null or jobs.created_at <= %(until)s)
    and (%(ended_at)s::timestamptz is null or jobs.finished_at >= %(ended_at)s)
    and (%(ended_ago)s::interval is null or jobs.finished_at >= now() - %(ended_ago)s)
    and (%(reason)s::text is null or %(reason)s::text = 'none' or exists (
        select from runs where runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch and runs.reason = %(reason)s))
    and (%(reason)s::text is distinct from 'none' or not exists (
        select from runs where runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch and runs.reason is not null))
    and (%(ids)s::uuid[] is null or jobs.id = any (%(ids)s))
    and (%(dataset_ids)s::uuid[] is null or jobs.dataset_id = any (%(dataset_ids)s))
    and (%(country_id)s::uuid is null or datasets.country_id = %(country_id)s)
    and (%(batch)s::text is null or datasets.batch = %(batch)s)
    and (%(file)s::text is null or lower(datasets.filename) like %(file)s)
    and (%(from_dataset)s::int is null or datasets.key >= %(from_dataset)s)
    and jobs.finished_at is not null
order by jobs.finished_at desc, jobs.key desc
limit %(limit)s

-- name: jobs.match_ended
-- Finds the jobs that are over, the latest end first, from a place downwards, by an index.
select id, key, finished_at from jobs
where finished_at is not null
    and (%(ended)s::timestamptz is null or (finished_at, key) < (%(ended)s, %(key)s::int))
order by finished_at desc, key desc
limit %(limit)s

-- name: jobs.match_queued
-- Finds queued jobs in the order of their claim, of one pool or of all, from a place downwards: of each pool as many as
-- a page has, in the order of its index.
select jobs.id, jobs.key, jobs.priority, jobs.run_at
from pools cross join lateral (
    (select id, key, priority, run_at from jobs
    where jobs.pool = pools.name and state = 'queued' and %(priority)s::int is null
    order by priority desc, run_at, key limit %(limit)s)
    union all
    (select id, key, priority, run_at from jobs
    where jobs.pool = pools.name and state = 'queued' and priority = %(priority)s::int
        and (run_at, key) > (%(run_at)s::timestamptz, %(key)s::int)
    order by run_at, key limit %(limit)s)
    union all
    (select id, key, priority, run_at from jobs
    where jobs.pool = pools.name and state = 'queued' and priority < %(priority)s::int
    order by priority desc, run_at, key limit %(limit)s)
) jobs
where %(pool)s::text is null or pools.name = %(pool)s
order by jobs.priority desc, jobs.run_at, jobs.key
limit %(limit)s

-- name: jobs.match_scheduled
-- Finds scheduled jobs, the next one first, of one pool or of all, from a place downwards.
select jobs.id, jobs.key, jobs.run_at
from pools cross join lateral (
    select id, key, run_at from jobs
    where jobs.pool = pools.name and state = 'scheduled'
        and (%(run_at)s::timestamptz is null or run_at >= %(run_at)s)
        and (%(run_at)s::timestamptz is null or (run_at, key) > (%(run_at)s, %(key)s::int))
    order by run_at, key limit %(limit)s
) jobs
where %(pool)s::text is null or pools.name = %(pool)s
order by jobs.run_at, jobs.key
limit %(limit)s

-- name: jobs.first_key_since
-- Finds a key below which no job is as new as that, by halving: created_at has no index, since every claim would pay
-- for it. Keys rise with time, except among transactions at one time: an hour covers those. Called by jobs list.
with recursive asked as (
    select coalesce(%(at)s::timestamptz, clock_timestamp() - %(ago)s::interval) as since
), search (low, high) as (
    select coalesce(min(key), 0)::bigint, coalesce(max(key), 0)::bigint + 1 from jobs
    union all
    select case when probe.created_at < asked.since - interval '1 hour' then probe.key + 1 else search.low end,
        case when probe.created_at < asked.since - interval '1 hour' then search.high else middle.key end
    from asked, search
        cross join lateral (select (search.low + search.high) / 2 as key) middle
        left join lateral (
            select jobs.key, jobs.created_at from jobs
            where jobs.key >= middle.key and jobs.key < search.high order by jobs.key limit 1) probe on true
    where search.low < search.high
)
select max(low) as key, (select since from asked) as since from search

-- name: jobs.of_reason
-- Finds some jobs with a run that ended by a reason: if there are few, a list begins with these.
select distinct job_id as id from (
    select job_id from runs where reason = %(reason)s limit %(limit)s) found

-- name: jobs.list
-- Reads jobs as clients see them, the newest first, each with the progress of its latest run. Called by jobs list, show
-- and explain, and the summary of a load.
select jobs.id, jobs.dataset_id, countries.code as country, datasets.filename, jobs.type, jobs.pool, jobs.priority,
    jobs.state, jobs.attempts, jobs.interruptions, jobs.give_backs, jobs.run_at, jobs.created_at, jobs.finished_at,
    jobs.cancel_requested_at, jobs.blocked_since, jobs.retried_at,
    jobs.last_cause, jobs.last_error, datasets.size, datasets.description is not null as described,
    runs.bytes_done, runs.rows_done, jobs.key as number, datasets.batch,
    case when jobs.last_cause = runs.cause then runs.reason end as last_reason
from jobs join datasets on datasets.id = jobs.dataset_id join countries on countries.id = datasets.country_id
    left join runs on runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch
where jobs.id = any (%(ids)s::uuid[])
order by jobs.key desc

-- name: jobs.runs
-- Lists the runs of a job, in order. Called by jobs show and jobs explain.
select epoch, launcher, owner, claimed_at, launched_at, launch_name, started_at, runner_uid, pod_name, node,
    lease_until, bytes_done, rows_done, committed_at, ended_at, cause, reason, error, outcome, evidence, decision,
    waits_for, waits_for_error,
    released_at, log
from runs where job_id = %(job_id)s order by epoch

-- name: jobs.outcomes
-- Reads what the latest runs of these jobs have said of their files, for those that were submitted together.
select jobs.id as job_id, runs.outcome from jobs join runs on runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch
where jobs.id = any (%(ids)s::uuid[])

-- name: jobs.finished_since
-- Lists the first jobs of a pool that have finished since a time, but those of a load, each with how many there are.
-- Called by load.
select datasets.filename, jobs.state, count(*) over () as count
from jobs join datasets on datasets.id = jobs.dataset_id
where jobs.finished_at >= %(since)s and jobs.pool = %(pool)s and jobs.id <> all (%(but)s::uuid[])
order by jobs.finished_at, jobs.key limit %(limit)s

-- name: jobs.progress
-- Reads the progress of some jobs together, in one row.
select count(*) filter (where jobs.state = 'completed') as completed,
    count(*) filter (where jobs.state = 'failed') as failed,
    count(*) filter (where jobs.state = 'cancelled') as cancelled,
    count(*) filter (where jobs.state = 'running') as running,
    count(*) filter (where jobs.state = 'scheduled') as waiting,
    coalesce(sum(datasets.size) filter (where jobs.finished_at is not null), 0)::bigint
        + coalesce(sum(runs.bytes_done) filter (where jobs.finished_at is null), 0)::bigint as bytes_done,
    coalesce(sum(runs.rows_done) filter (where jobs.state in ('running', 'completed')), 0)::bigint as rows_done,
    coalesce((array_agg(datasets.filename order by runs.claimed_at) filter (where jobs.state = 'running'))[:8], '{}')
        as running_files
from jobs join datasets on datasets.id = jobs.dataset_id
    left join runs on runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch
where jobs.id = any (%(ids)s::uuid[])

-- name: jobs.ids
-- Lists jobs whose id lies in a range: those that begin with the digits that a person typed.
select id from jobs where id between %(first)s and %(last)s order by id limit 3

-- name: jobs.at_work_last
-- Finds the job whose run began last: among those that hold a slot, else the job that was made last.
select coalesce(
    (select job_id from runs where released_at is null order by claimed_at desc limit 1),
    (select id from jobs order by key desc limit 1)) as id
