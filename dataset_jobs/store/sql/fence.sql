-- Is the job still this run's? Asked before the rows are sent; and, with FOR UPDATE added, last of all before the
-- commit: that is the fence. No row: commit nothing.
select true as held from jobs join runs on runs.job_id = jobs.id
where jobs.id = %(job_id)s and jobs.state = 'running' and jobs.lease_epoch = %(epoch)s
    and jobs.cancel_requested_at is null
    and runs.epoch = %(epoch)s and runs.runner_uid = %(runner_uid)s and runs.ended_at is null
