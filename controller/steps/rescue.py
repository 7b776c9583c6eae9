"""Rescue: resolves what database and launcher disagree on."""

import logging
from datetime import timedelta

from controller.context import Context
from controller.launchers.interface import SUSPENDED, ObservedRun, Phase
from controller.outcomes.diagnosis import why_not_started
from controller.steps.observe import Observation
from controller.steps.settle import settle
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import CANCELLED, Diagnosis, Evidence
from dataset_jobs.store.controller_views import UnreleasedRun, log_fields

_log = logging.getLogger(__name__)

STOP_GRACE = timedelta(seconds=10)
"""How long an ended run may tidy up after it was asked to stop."""

LAUNCH_UNCERTAIN = timedelta(seconds=60)
"""How long an unanswered launch may still take effect: the API server's own limit of a request."""

_PREEMPTED = Evidence(gone=True, conditions={"DisruptionTarget": "PreemptionByScheduler"})

CONTROLLER_GONE = Diagnosis(Cause.SHUT_DOWN, None, "the controller that had started the run is gone")

NOT_LAUNCHED = Diagnosis(Cause.SHUT_DOWN, None, "the controller ended before it could start a process for the run")


async def rescue(context: Context, observed: Observation) -> None:
    """Settles or stops the runs that no other step takes care of."""
    for run in observed.abandoned:
        await settle(context, run, Evidence(gone=True), CONTROLLER_GONE)
    if context.launcher.outlives_controller:
        await _vanished(context, observed)
        await _lost_nodes(context, observed)
        await _suspended(context, observed)
    else:
        await _stalled_children(context, observed)
    await _end_early(context, observed)
    await _cancel_waiting(context)
    await _orphans(context, observed)


async def give_up_unlaunched(context: Context, observed: Observation) -> None:
    """Ends the claims that a controller on its way out will not launch any more; their jobs are queued again.

    Only children need this. Any other controller launches Jobs in a cluster.
    """
    if not context.launcher.outlives_controller:
        for run in observed.unlaunched(context.owner, timedelta.max):
            if run.key not in observed.seen:
                await settle(context, run, Evidence(gone=True), NOT_LAUNCHED)


async def _vanished(context: Context, observed: Observation) -> None:
    """Runs that were launched and are no longer listed. The list may be stale, so ask for each by name."""
    for run in observed.missing():
        found = await context.launcher.get(run.key)
        if found is None:
            await settle(context, run, Evidence(gone=True))
        elif found.phase is Phase.ENDED or _is_lost(run, found):
            await settle(context, run, found.evidence)


async def _lost_nodes(context: Context, observed: Observation) -> None:
    """Fences and requeues runs whose node is lost and whose runner no longer renews its lease; frees their slots.

    The pod stays listed until its node is back or removed. The fence refuses whatever its runner still does.
    """
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if seen is not None and _is_lost(run, seen):
            if observed.looked_for is not None:  # the cache may be stale: the node may be back
                seen = await context.launcher.get(run.key)
                if seen is None or not _is_lost(run, seen):
                    continue
            await settle(context, run, seen.evidence)
            # If the node comes back, it removes the pod.
            await context.launcher.stop(run.key)


async def _suspended(context: Context, observed: Observation) -> None:
    """Settles runs whose Job somebody suspended, as Kueue does to preempt it: that removed their pod.

    A second pod of the Job would find the run taken, so the Job is deleted too.
    """
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if run.started_at is None or seen is None or not _is_suspended(seen):
            continue
        found = await context.launcher.get(run.key)
        if found is None or _is_suspended(found):
            await settle(context, run, _PREEMPTED)
            await context.launcher.stop(run.key)


def _is_suspended(seen: ObservedRun) -> bool:
    return seen.phase is Phase.PENDING and seen.evidence.conditions.get("PodScheduled") == SUSPENDED


def _is_lost(run: UnreleasedRun, seen: ObservedRun) -> bool:
    """A runner may go on although its node is lost: while it renews its lease it is at work."""
    return seen.phase is not Phase.ENDED and seen.evidence.node_lost and run.lease_expired


async def _end_early(context: Context, observed: Observation) -> None:
    """Ends runs before their process or pod does: somebody cancelled them, or their pod cannot start.

    The database comes first, so that no runner can take the run or commit; only then is it stopped. Once it is over or
    gone it is settled like any other, and the recorded cause counts.
    """
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if run.committed_at is not None or (seen is not None and seen.phase is Phase.ENDED):
            continue
        if run.ended_at is None and not await _ended_now(context, run, seen):
            continue
        if seen is not None:
            await context.launcher.stop(run.key, now=run.ended_for > STOP_GRACE)
        elif run.launched_at is None:
            await _never_launched(context, run)


async def _ended_now(context: Context, run: UnreleasedRun, seen: ObservedRun | None) -> bool:
    """Ends a run if it should end early; False if it should not, or if it is too late."""
    if run.cancel_requested:
        return await context.store.end_run(run.key, CANCELLED, None, only_unstarted=False)
    if seen is None or seen.phase is not Phase.PENDING or run.launched_at is None:
        return False
    # A retry that asks for more memory than the template may never find room.
    rules = context.pools.rules(run.pool)
    room_deadline = rules.start_deadline if run.memory_doublings else rules.retry.give_up_starting
    diagnosis = why_not_started(seen.evidence, run.launched_for, rules.start_deadline, room_deadline)
    if diagnosis is None or not await context.store.end_run(run.key, diagnosis, seen.evidence, only_unstarted=True):
        return False
    _log.warning("removing %s: %s", seen.name, diagnosis.error, extra=log_fields(run))
    return True


async def _never_launched(context: Context, run: UnreleasedRun) -> None:
    """Settles a run that ended without a recorded launch, as soon as that launch can no longer take effect."""
    if not context.launcher.outlives_controller:
        if run.owner != context.owner:
            return  # another controller's child: abandoned when its lease expires
    elif run.ended_for <= LAUNCH_UNCERTAIN:  # until it ended, it was launched again and again
        return
    found = await context.launcher.get(run.key)
    if found is None:
        await settle(context, run, Evidence(gone=True))
    elif _is_lost(run, found):
        await settle(context, run, found.evidence)
    elif found.phase is not Phase.ENDED:
        await context.launcher.stop(run.key)


async def _cancel_waiting(context: Context) -> None:
    """Cancels jobs that somebody cancelled on their way back into the queue."""
    for job_id in await context.store.cancel_requested_jobs():
        _log.info("cancelled: it was not running", extra={"job_id": str(job_id)})


async def _stalled_children(context: Context, observed: Observation) -> None:
    """Kills our own children that live without a heartbeat for a whole lease; they are settled once they are over."""
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if seen is not None and seen.phase is not Phase.ENDED and run.lease_expired:
            _log.warning("killing %s: its lease has expired", seen.name, extra=log_fields(run))
            await context.launcher.stop(run.key, now=True)


async def _orphans(context: Context, observed: Observation) -> None:
    """Removes what is listed and holds no slot: settled before, of an old epoch, or of a deleted dataset.

    Ended ones expire; they are stopped if other containers keep their pod from ending. Live ones are stopped once; a
    pod on a lost node stays listed until the node is back. The fence refuses all that they write.
    """
    orphans = [seen for seen in observed.orphans() if seen.evidence.left_running or not seen.released]
    if not orphans:
        return
    live = await context.store.live_epochs({seen.key.job_id for seen in orphans})
    for seen in orphans:
        if seen.key in live:
            continue
        if seen.evidence.left_running:
            await context.launcher.stop(seen.key)
        elif seen.phase is Phase.ENDED:
            await context.launcher.release(seen.key)
        elif not seen.evidence.deleted and await _is_live(context, seen.key):
            _log.warning("stopping %s: its run is over", seen.name, extra={"job_id": str(seen.key.job_id)})
            await context.launcher.stop(seen.key)


async def _is_live(context: Context, key: RunKey) -> bool:
    """Whether a run has not ended. Another controller may have settled it before we learned of its end."""
    found = await context.launcher.get(key)
    return found is not None and found.phase is not Phase.ENDED
