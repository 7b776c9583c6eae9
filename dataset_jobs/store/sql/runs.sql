-- The controller reads and marks the runs that hold a slot, between claim and settle. Each statement is a transaction
-- of its own, in the order of a run's life.

-- name: runs.unreleased
-- Lists the runs that hold a slot, for launch, observe and rescue; settle reads again under lock. Now and then it lists
-- all of them. At other ticks it lists those worth a look: changed runs, and runs to launch, to end, to settle, or to
-- check because they may be lost.
select runs.job_id, runs.epoch, runs.pool, jobs.dataset_id, datasets.filename, jobs.type, jobs.attempts,
       runs.launcher, runs.owner, runs.launch_name, runs.runner_uid, runs.node,
       runs.claimed_at, runs.launched_at, runs.started_at, runs.committed_at, runs.ended_at,
       runs.lease_until < clock_timestamp() as lease_expired,
       clock_timestamp() - runs.claimed_at as age, runs.waits_for, jobs.memory_doublings,
       jobs.cancel_requested_at is not null as cancel_requested,
       case when runs.launched_at is null then run_secret(runs.job_id, runs.epoch) end as secret
from runs join jobs on jobs.id = runs.job_id join datasets on datasets.id = jobs.dataset_id
where runs.released_at is null
    and (runs.launcher = %(launcher)s or runs.launcher = 'process' and runs.lease_until < clock_timestamp())
    and (%(everything)s
        or (runs.job_id, runs.epoch) in (select * from unnest(%(job_ids)s::uuid[], %(epochs)s::int[]))
        or runs.launched_at is null or runs.ended_at is not null
        or runs.lease_until < clock_timestamp() and (runs.started_at is not null or runs.launcher = 'process')
        or runs.job_id in (select id from jobs where cancel_requested_at is not null and state = 'running'))
order by runs.claimed_at

-- name: runs.live_epochs
-- Lists which of these jobs' runs still hold a slot; Jobs in the cluster of any other run are orphans. Called by
-- rescue, and before the launch of a run that was read a while ago.
select job_id, epoch from runs where job_id = any (%(job_ids)s) and released_at is null

-- name: runs.record_launches
-- Records the names that the launcher has given to runs. Called by launch, and again after an adoption. It locks the
-- runs in one order first, for another controller may have adopted some of the same.
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
-- Records why a pod has not started, or why nobody knows whether it exists; null if nothing is in its way any more.
-- Called by observe and by launch.
update runs set waits_for = %(reason)s, waits_for_error = %(error)s
where job_id = %(job_id)s and epoch = %(epoch)s and started_at is null and released_at is null

-- name: runs.end
-- Ends a run before its pod is gone, with the cause that counts, even if its pod shows another one later: no runner can
-- take it, and a runner that has taken it cannot commit any more. Settle frees its slot when the pod is gone. No row:
-- the run has ended or committed already, or `only_unstarted` is set and a runner has taken it. Called by rescue.
update runs set ended_at = clock_timestamp(), cause = %(cause)s, reason = %(reason)s, error = %(error)s,
    evidence = %(evidence)s
where job_id = %(job_id)s and epoch = %(epoch)s and ended_at is null and committed_at is null
    and (started_at is null or not %(only_unstarted)s)
returning true as ended
