-- What the runner says when it could not take the run.
select jobs.state, jobs.lease_epoch, runs.runner_uid, runs.ended_at is not null as ended, runs.cause,
    jobs.cancel_requested_at is not null as cancel_requested
from jobs left join runs on runs.job_id = jobs.id and runs.epoch = %(epoch)s
where jobs.id = %(job_id)s
