-- What has changed lately, for those who look on. Each statement is a transaction of its own.

-- name: live.newest
-- The newest job, and the time.
select now() as now, coalesce(max(key), 0) as job from jobs

-- name: live.jobs
-- What can change of jobs and of their latest runs.
select jobs.id, jobs.state, jobs.lease_epoch, jobs.pool, jobs.priority, jobs.run_at, jobs.attempts, jobs.cancel_requested_at,
    jobs.finished_at, runs.launched_at, runs.started_at, runs.lease_until, runs.bytes_done, runs.rows_done, runs.waits_for,
    runs.committed_at, runs.ended_at, runs.released_at
from jobs left join runs on runs.job_id = jobs.id and runs.epoch = jobs.lease_epoch
where jobs.id = any (%(ids)s::uuid[])

-- name: live.datasets
-- What can change of datasets.
select id, status, updated_at, loaded_at, error, filename from datasets where id = any (%(ids)s::uuid[])
