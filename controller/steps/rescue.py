"""Rescue: what database and launcher disagree on."""

import logging
from datetime import timedelta

from controller.context import Context
from controller.launchers.interface import SUSPENDED, Phase, Seen
from controller.outcomes.diagnosis import why_not_started
from controller.steps.observe import Observation
from controller.steps.settle import settle
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import CANCELLED, Diagnosis, Evidence
from dataset_jobs.store.controller_views import UnreleasedRun

_log = logging.getLogger(__name__)

STOP_GRACE = timedelta(seconds=10)
"""How long a run that was ended may take to tidy up after it was asked to stop."""

LAUNCH_UNCERTAIN = timedelta(seconds=60)
"""How long a launch of which no answer came may still be carried out: the API server's own limit of a request."""

_PREEMPTED = Evidence(gone=True, conditions={"DisruptionTarget": "PreemptionByScheduler"})

CONTROLLER_GONE = Diagnosis(Cause.SHUT_DOWN, None, "the controller that had started the run is gone")

NOT_LAUNCHED = Diagnosis(Cause.SHUT_DOWN, None, "the controller ended before it could start a process for the run")


async def rescue(context: Context, observed: Observation) -> None:
    """Puts right what no other step will."""
    for run in observed.abandoned:
        await settle(context, run, Evidence(gone=True), CONTROLLER_GONE)
    if context.launcher.name == "process":
        await _stalled_children(context, observed)
    else:
        await _vanished(context, observed)
        await _lost_nodes(context, observed)
        await _suspended(context, observed)
    await _end_early(context, observed)
    await _cancel_waiting(context)
    await _strangers(context, observed)


async def give_up_unlaunched(context: Context, observed: Observation) -> None:
    """Ends what this controller has claimed and will not launch any more, since it ends: its jobs are queued again.

    Of children only. Jobs in a cluster are launched by any other controller.
    """
    if context.launcher.name == "process":
        for run in observed.unlaunched(context.owner, timedelta.max):
            if run.key not in observed.seen:
                await settle(context, run, Evidence(gone=True), NOT_LAUNCHED)


async def _vanished(context: Context, observed: Observation) -> None:
    """Launched, but not listed any more: the database was read, now the name is asked for itself."""
    for run in observed.missing():
        found = await context.launcher.find(run.key)
        if found is None:
            await settle(context, run, Evidence(gone=True))
        elif found.phase is Phase.ENDED or _is_lost(run, found):
            await settle(context, run, found.evidence)


async def _lost_nodes(context: Context, observed: Observation) -> None:
    """Runs whose node is not heard of any more, nor their runner: fenced, requeued, their slots freed.

    The pod stays listed until its node is back or removed. What its runner may still do is refused by the fence.
    """
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if seen is not None and _is_lost(run, seen):
            if observed.looked_for is not None:  # it may have been heard of again since the launcher was told
                seen = await context.launcher.find(run.key)
                if seen is None or not _is_lost(run, seen):
                    continue
            await settle(context, run, seen.evidence)
            # A node that comes back finds that its pod is to go.
            await context.launcher.stop(run.key)


async def _suspended(context: Context, observed: Observation) -> None:
    """Runs whose Job was suspended under them, as Kueue does when it preempts, and whose pod is gone by that.

    Another pod of the Job would find the run taken, so the Job goes too.
    """
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if run.started_at is None or seen is None or not _is_suspended(seen):
            continue
        found = await context.launcher.find(run.key)
        if found is None or _is_suspended(found):
            await settle(context, run, _PREEMPTED)
            await context.launcher.stop(run.key)


def _is_suspended(seen: Seen) -> bool:
    return seen.phase is Phase.PENDING and seen.evidence.conditions.get("PodScheduled") == SUSPENDED


def _is_lost(run: UnreleasedRun, seen: Seen) -> bool:
    """Of a node that is not heard of, a runner may go on all the same: as long as it renews its lease it is at work."""
    return seen.phase is not Phase.ENDED and seen.evidence.node_lost and run.lease_expired


async def _end_early(context: Context, observed: Observation) -> None:
    """Runs that are to end before their process or pod does: a cancel was asked for, or the pod cannot start.

    The run is ended in the database first, so that no runner can take it or commit; only then it is stopped. When it
    is over or gone it is settled as any other, and the cause that was kept is the one that counts.
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


async def _ended_now(context: Context, run: UnreleasedRun, seen: Seen | None) -> bool:
    """Ends a run that is to be ended; False where none is to be, or it is too late for that."""
    if run.cancel_requested:
        return await context.store.end_run(run.key, CANCELLED, None, only_unstarted=False)
    if seen is None or seen.phase is not Phase.PENDING or run.launched_at is None:
        return False
    # Room for what a retry asks for beyond the template may never come.
    rules = context.pools.rules(run.pool)
    room_deadline = rules.start_deadline if run.memory_doublings else rules.retry.give_up_starting
    diagnosis = why_not_started(seen.evidence, run.launched_for, rules.start_deadline, room_deadline)
    if diagnosis is None or not await context.store.end_run(run.key, diagnosis, seen.evidence, only_unstarted=True):
        return False
    _log.warning("removing %s: %s", seen.name, diagnosis.error, extra={"job_id": str(run.job_id)})
    return True


async def _never_launched(context: Context, run: UnreleasedRun) -> None:
    """Ended without a launch on record, and not listed: settled as soon as it cannot come any more."""
    if context.launcher.name == "process":
        if run.owner != context.owner:
            return  # its children are its own; it is abandoned when its lease expires
    elif run.ended_for <= LAUNCH_UNCERTAIN:  # until it was ended it was launched again and again
        return
    found = await context.launcher.find(run.key)
    if found is None:
        await settle(context, run, Evidence(gone=True))
    elif _is_lost(run, found):
        await settle(context, run, found.evidence)
    elif found.phase is not Phase.ENDED:
        await context.launcher.stop(run.key)


async def _cancel_waiting(context: Context) -> None:
    """Jobs that a cancel was asked for while they were on their way back into the queue."""
    for job_id in await context.store.cancel_requested_jobs():
        _log.info("cancelled: it was not running", extra={"job_id": str(job_id)})


async def _stalled_children(context: Context, observed: Observation) -> None:
    """Our own children, alive but without a heartbeat for a whole lease: killed, and settled when they are over."""
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if seen is not None and seen.phase is not Phase.ENDED and run.lease_expired:
            _log.warning("killing %s: its lease has expired", seen.name, extra={"job_id": str(run.job_id)})
            await context.launcher.stop(run.key, now=True)


async def _strangers(context: Context, observed: Observation) -> None:
    """Listed, but holding no slot: settled before, of an old epoch, or of a dataset that was deleted.

    What has ended is left to expire, or stopped where other containers keep its pod from ending. What has not is
    stopped, once: one whose node is lost stays for as long as that. All that it wrote would be refused by the fence.
    """
    strangers = [seen for seen in observed.strangers() if seen.evidence.left_running or not seen.forgotten]
    if not strangers:
        return
    live = await context.store.live_epochs({seen.key.job_id for seen in strangers})
    for seen in strangers:
        if seen.key in live:
            continue
        if seen.evidence.left_running:
            await context.launcher.stop(seen.key)
        elif seen.phase is Phase.ENDED:
            await context.launcher.forget(seen.key)
        elif not seen.evidence.deleted and await _goes_on(context, seen.key):
            _log.warning("stopping %s: its run is over", seen.name, extra={"job_id": str(seen.key.job_id)})
            await context.launcher.stop(seen.key)


async def _goes_on(context: Context, key: RunKey) -> bool:
    """Whether a run has not ended: another controller may have seen its end, and settled it, before we were told."""
    found = await context.launcher.find(key)
    return found is not None and found.phase is not Phase.ENDED
