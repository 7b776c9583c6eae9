-- The runs that hold a slot, for launch, observe and rescue; what is decided on is read under lock by settle. Now and
-- then all of them, and at other ticks those that are worth a look: the changed ones, and whatever is to be launched,
-- ended, or found lost.
select runs.job_id, runs.epoch, runs.pool, jobs.dataset_id, jobs.type, jobs.attempts,
       runs.launcher, runs.owner, runs.launch_name, runs.runner_uid, runs.node,
       runs.claimed_at, runs.launched_at, runs.started_at, runs.committed_at, runs.ended_at,
       runs.lease_until < clock_timestamp() as lease_expired,
       clock_timestamp() - runs.claimed_at as age, runs.waits_for, jobs.memory_doublings,
       jobs.cancel_requested_at is not null as cancel_requested
from runs join jobs on jobs.id = runs.job_id
where runs.released_at is null
    and (runs.launcher = %(launcher)s or runs.launcher = 'process' and runs.lease_until < clock_timestamp())
    and (%(everything)s
        or (runs.job_id, runs.epoch) in (select * from unnest(%(job_ids)s::uuid[], %(epochs)s::int[]))
        or runs.launched_at is null or runs.ended_at is not null
        or runs.lease_until < clock_timestamp() and (runs.started_at is not null or runs.launcher = 'process')
        or runs.job_id in (select id from jobs where cancel_requested_at is not null and state = 'running'))
order by runs.claimed_at
