-- First statement of settle: job and run under lock, with all that the decision needs.
select jobs.key as job_key, jobs.dataset_id, jobs.type as job_type, jobs.state, jobs.lease_epoch,
       jobs.attempts, jobs.interruptions, jobs.give_backs,
       jobs.cancel_requested_at is not null as cancel_requested,
       runs.started_at is not null as started, runs.runner_uid, runs.committed_at is not null as committed,
       runs.outcome, runs.cause, runs.reason, runs.error,
       coalesce(clock_timestamp() - jobs.blocked_since, interval '0') as blocked_for
from jobs join runs on runs.job_id = jobs.id
where jobs.id = %(job_id)s and runs.epoch = %(epoch)s and runs.released_at is null
for update
