-- Every run that holds a slot, for launch, observe and rescue; what is decided on is read under lock by settle. The same
-- columns as in changed_runs.
select runs.job_id, runs.epoch, runs.pool, jobs.dataset_id, jobs.type, jobs.key as job_key, jobs.attempts,
       runs.launcher, runs.owner, runs.launch_name, runs.runner_uid, runs.node,
       runs.claimed_at, runs.launched_at, runs.started_at, runs.committed_at, runs.ended_at,
       runs.lease_until < clock_timestamp() as lease_expired,
       clock_timestamp() - runs.claimed_at as age, runs.waits_for, jobs.memory_doublings,
       jobs.cancel_requested_at is not null as cancel_requested
from runs join jobs on jobs.id = runs.job_id
where runs.released_at is null
    and (runs.launcher = %(launcher)s or runs.launcher = 'process' and runs.lease_until < clock_timestamp())
order by runs.claimed_at
