-- The controller settles a run: it ends the run, moves its job on and frees its slot. From `settle.lock_timeout` to
-- `settle.run` it is one transaction in this order. The last two serve to end a load that holds job and run under lock,
-- or that the run left behind; each is a transaction of its own.

-- name: settle.lock_timeout
-- Limits how long the first try waits for a lock: a load that stands still may hold job or run.
select set_config('lock_timeout', %(soon)s, true)

-- name: settle.lock
-- Locks job and run, and reads all that the decision needs. No row: the run is settled already.
select jobs.dataset_id, jobs.type as job_type, jobs.state, jobs.lease_epoch,
       jobs.attempts, jobs.interruptions, jobs.give_backs, jobs.memory_doublings,
       jobs.cancel_requested_at is not null as cancel_requested,
       runs.started_at is not null as started, runs.runner_uid, runs.committed_at is not null as committed,
       runs.outcome, runs.cause, runs.reason, runs.error,
       coalesce(clock_timestamp() - jobs.blocked_since, interval '0') as blocked_for,
       runs.rows_done, runs.bytes_done, clock_timestamp() as at,
       clock_timestamp() - runs.claimed_at as held_for,
       coalesce(coalesce(runs.committed_at, runs.ended_at, clock_timestamp()) - runs.started_at, interval '0')
           as busy_for,
       clock_timestamp() - runs.committed_at as committed_for,
       pg_postmaster_start_time() > runs.claimed_at as restarted
from jobs join runs on runs.job_id = jobs.id
where jobs.id = %(job_id)s and runs.epoch = %(epoch)s and runs.released_at is null
for update

-- name: settle.job
-- Moves the job on as decided. Fenced: only while the job is still this run's.
update jobs set
    state = %(state)s,
    run_at = clock_timestamp() + %(wait)s,
    attempts = attempts + %(attempts)s,
    interruptions = interruptions + %(interruptions)s,
    memory_doublings = memory_doublings + %(memory_doublings)s,
    give_backs = case when %(give_backs)s > 0 then give_backs + 1 else 0 end,
    blocked_since = case when %(give_backs)s > 0 then coalesce(blocked_since, clock_timestamp()) end,
    last_cause = %(cause)s,
    last_error = %(error)s,
    finished_at = case when %(state)s in ('failed', 'cancelled') then clock_timestamp() end
where id = %(job_id)s and lease_epoch = %(epoch)s and state = 'running'
returning run_at

-- name: settle.dataset
-- Puts the dataset to rest. With rows it stays completed, even if the reprocess failed.
update datasets set
    status = case when loaded_at is not null then 'completed' when %(failed)s then 'failed' else 'pending' end,
    error = coalesce(%(error)s, error),
    updated_at = clock_timestamp()
where id = %(dataset_id)s

-- name: settle.run
-- Ends the run, keeps its evidence and frees its slot.
update runs set
    ended_at = coalesce(ended_at, clock_timestamp()), cause = coalesce(cause, %(cause)s),
    reason = coalesce(reason, %(reason)s), error = coalesce(error, %(error)s),
    evidence = coalesce(evidence, %(evidence)s::jsonb), pod_name = coalesce(pod_name, %(pod_name)s), node = coalesce(node, %(node)s),
    decision = %(decision)s, released_at = clock_timestamp()
where job_id = %(job_id)s and epoch = %(epoch)s

-- name: settle.taken_by
-- Reads which runner has taken a run, before its load is ended.
select runner_uid from runs where job_id = %(job_id)s and epoch = %(epoch)s

-- name: settle.terminate_runners
-- Ends the load transactions of a job's runs up to an epoch. Returns how many there still were; settle asks again until
-- there are none.
select terminate_runners(%(job_id)s, %(epoch)s) as still_loading
