-- The failed jobs in groups. The statement is a transaction of its own, and looks at a bounded number of jobs.

-- name: failures.groups
-- Groups the newest failed jobs that can be retried, up to a limit, by cause and reason; as jobs.failed has them. The
-- latest run knows the reason. Called to show failures.
with newest as (
    select jobs.id, jobs.lease_epoch, jobs.pool, jobs.last_cause, jobs.last_error, jobs.finished_at, countries.code
    from jobs join datasets on datasets.id = jobs.dataset_id join countries on countries.id = datasets.country_id
    where jobs.state = 'failed'
        and (%(pool)s::text is null or jobs.pool = %(pool)s)
        and (%(country)s::text is null or countries.code = %(country)s)
        and (%(at)s::timestamptz is null or jobs.finished_at >= %(at)s)
        and (%(after)s::interval is null or jobs.finished_at >= now() - %(after)s)
        and not exists (select from jobs later where later.dataset_id = jobs.dataset_id and later.key > jobs.key)
    order by jobs.key desc
    limit %(most)s
)
select newest.last_cause as cause, runs.reason, count(*) as jobs, min(newest.finished_at) as first_at,
    max(newest.finished_at) as last_at, (array_agg(newest.id order by newest.finished_at desc))[1] as sample_job,
    (array_agg(newest.last_error order by newest.finished_at desc))[1] as sample_error,
    array_agg(distinct newest.pool) as pools, array_agg(distinct newest.code) as countries
from newest left join runs on runs.job_id = newest.id and runs.epoch = newest.lease_epoch
    and runs.cause = newest.last_cause
group by newest.last_cause, runs.reason
order by count(*) desc, max(newest.finished_at) desc
