-- The controller reads and marks the runs that hold a slot, between claim and settle. Each statement is a transaction
-- of its own, in the order of a run's life.

-- name: runs.unreleased
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

-- name: runs.live_epochs
-- Which of these jobs' runs still hold a slot: the others' Jobs in the cluster are orphans. Called by rescue, and
-- before a run is launched that was read a while ago.
select job_id, epoch from runs where job_id = any (%(job_ids)s) and released_at is null

-- name: runs.record_launches
-- The launcher has answered for good: the runs have names there. Called by launch, and again after an adoption. Locked
-- in one order first, for another controller may have adopted some of the same.
with given as (
    select * from unnest(%(job_ids)s::uuid[], %(epochs)s::int[], %(names)s::text[]) as given (job_id, epoch, name)
), locked as (
    select job_id, epoch, given.name from runs join given using (job_id, epoch)
    where released_at is null order by 1, 2 for no key update of runs
)
update runs set launched_at = coalesce(launched_at, clock_timestamp()), launch_name = locked.name,
    waits_for = case when launched_at is null then null else waits_for end,
    waits_for_error = case when launched_at is null then null else waits_for_error end
from locked where runs.job_id = locked.job_id and runs.epoch = locked.epoch
returning runs.job_id, runs.epoch, launched_at - claimed_at as after

-- name: runs.record_waiting
-- Why a pod has not started, as it is seen now, or why it is not known to be there; null if nothing is in its way any
-- more. Called by observe, and by launch.
update runs set waits_for = %(reason)s, waits_for_error = %(error)s
where job_id = %(job_id)s and epoch = %(epoch)s and started_at is null and released_at is null

-- name: runs.end
-- Ends a run before its pod is gone, with the cause that counts whatever is seen of the pod: no runner can take it, and
-- none that has taken it can commit any more. Its slot is freed by settle, when the pod is gone. No row: it has ended
-- or committed already; or a runner has taken it, where only one that none has taken is to end. Called by jobs cancel,
-- under the job's lock, and by rescue.
update runs set ended_at = clock_timestamp(), cause = %(cause)s, reason = %(reason)s, error = %(error)s,
    evidence = %(evidence)s
where job_id = %(job_id)s and epoch = %(epoch)s and ended_at is null and committed_at is null
    and (started_at is null or not %(only_unstarted)s)
returning true as ended
