-- First statement of settle: job and run under lock, with all that the decision needs.
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
       clock_timestamp() - runs.committed_at as committed_for
from jobs join runs on runs.job_id = jobs.id
where jobs.id = %(job_id)s and runs.epoch = %(epoch)s and runs.released_at is null
for update
