-- What has changed lately, for those who look on. Each statement is a transaction of its own.

-- name: live.newest
-- The newest job, the newest dataset, and the time.
select now() as now, coalesce((select max(key) from jobs), 0) as job,
    coalesce((select max(key) from datasets), 0) as dataset

-- name: live.jobs
-- What can change of jobs and of their latest runs.
select jobs.id, jobs.state, jobs.lease_epoch, jobs.pool, jobs.priority, jobs.run_at, jobs.attempts, jobs.cancel_requested_at,
    jobs.finished_at, runs.launched_at, runs.started_at, runs.lease_until, runs.bytes_done, runs.rows_done, runs.waits_for,
    runs.committed_at, runs.ended_at, runs.released_at
from jobs left join runs on runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch
where jobs.id = any (%(ids)s::uuid[])

-- name: live.datasets
-- What can change of datasets: a job may be queued for one, and others may come to count in its place.
select datasets.id, status, updated_at, loaded_at, error, filename, jobs.id as job_id,
    (select count(*) from coverage where dataset_key = datasets.key and superseded_by is not null) as superseded
from datasets left join jobs on jobs.dataset_id = datasets.id and jobs.state in ('scheduled', 'queued', 'running')
where datasets.id = any (%(ids)s::uuid[])
