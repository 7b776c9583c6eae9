-- A runner replaces the rows of its dataset: one transaction in this order. It begins with the load lock and a first
-- look at the lease. `load.fence` comes after the rows and locks job and run until the commit. What the load covers,
-- coverage.sql, is written after `load.finish_dataset`.

-- name: load.lock
-- Takes the lock by which settle and later runners find and end this transaction. It limits how long this and later
-- statements wait for a lock, and how long Postgres keeps the locks of a runner that says nothing more between two
-- statements. It reads the run, so that the lock's holder is known as one who is at our tables.
select set_config('lock_timeout', '30s', true), set_config('idle_in_transaction_session_timeout', %(patience)s, true),
    pg_advisory_xact_lock(load_lock(job_id, epoch))
from runs where job_id = %(job_id)s and epoch = %(epoch)s

-- name: load.still_held
-- Is the job still this run's? Asked without a lock, before the rows are sent. No row: stop, and commit nothing.
select true as held from jobs join runs on runs.job_id = jobs.id
where jobs.id = %(job_id)s and jobs.state = 'running' and jobs.lease_epoch = %(epoch)s
    and jobs.cancel_requested_at is null
    and runs.epoch = %(epoch)s and runs.runner_uid = %(runner_uid)s and runs.ended_at is null

-- name: load.delete_rows
-- Deletes the old rows of a dataset, before its new ones are sent. `datasets delete` uses it too.
delete from names where dataset_key = %(dataset_key)s

-- name: load.copy_rows
-- Sends the rows of a dataset as text; the loader has sorted them for the primary key.
copy names (dataset_key, year, name, gender, folded_name, count) from stdin

-- name: load.fence
-- The fence: is the job still this run's? Locks job and run until the commit. No row: commit nothing.
select true as held from jobs join runs on runs.job_id = jobs.id
where jobs.id = %(job_id)s and jobs.state = 'running' and jobs.lease_epoch = %(epoch)s
    and jobs.cancel_requested_at is null
    and runs.epoch = %(epoch)s and runs.runner_uid = %(runner_uid)s and runs.ended_at is null
for update

-- name: load.finish_dataset
-- Completes the dataset, and records its totals, parser, measure, warning and report.
update datasets set status = 'completed', loaded_at = clock_timestamp(), row_count = %(rows)s,
    total_count = %(total)s, parser = %(parser)s, region = %(region)s, measure = %(measure)s, top = %(top)s,
    error = null, warning = %(warning)s, report = %(report)s, updated_at = clock_timestamp()
where id = %(dataset_id)s

-- name: load.finish_job
-- Completes the job.
update jobs set state = 'completed', finished_at = clock_timestamp(), last_cause = null, last_error = null
where id = %(job_id)s

-- name: load.finish_run
-- Records that the run has committed. Settle ends it and releases its slot.
update runs set committed_at = clock_timestamp(), bytes_done = %(bytes)s, rows_done = %(rows)s, outcome = %(outcome)s,
    log = coalesce(%(log)s::jsonb, log)
where job_id = %(job_id)s and epoch = %(epoch)s
