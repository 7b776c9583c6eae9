"""Rescue: what database and launcher disagree on."""

import logging

from controller.launchers import Phase
from controller.pipeline.context import Context
from controller.pipeline.observe import Observation
from controller.pipeline.settle import settle
from controller.policy.diagnosis import why_not_started
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.settlement import Diagnosis, Evidence

_log = logging.getLogger(__name__)

CONTROLLER_GONE = Diagnosis(Cause.SHUT_DOWN, None, "the controller that had started the run is gone")


async def rescue(context: Context, observed: Observation) -> None:
    """Puts right what no other step will."""
    for run in observed.abandoned:
        await settle(context, run, Evidence(gone=True), CONTROLLER_GONE)
    if context.launcher.name == "process":
        await _stalled_children(context, observed)
    else:
        await _vanished(context, observed)
        await _cannot_start(context, observed)
    await _strangers(context, observed)


async def _vanished(context: Context, observed: Observation) -> None:
    """Launched, but not listed any more: the database was read, now the name is asked for itself."""
    for run in observed.missing():
        found = await context.launcher.find(run.key)
        if found is None:
            await settle(context, run, Evidence(gone=True))
        elif found.phase is Phase.ENDED:
            await settle(context, run, found.evidence)


async def _cannot_start(context: Context, observed: Observation) -> None:
    """Pods that will not start by themselves: the run is ended with its evidence, then the Job is removed.

    When it is gone, it is settled as vanished Jobs are, and the cause that was kept is the one that counts.
    """
    give_up = context.retry.give_up_starting
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if seen is None or seen.phase is not Phase.PENDING or run.launched_at is None:
            continue
        if run.ended_at is None:
            diagnosis = why_not_started(seen.evidence, run.claimed_at, run.age, context.start_deadline, give_up)
            if diagnosis is None or not await context.store.end_unstarted_run(run.key, diagnosis, seen.evidence):
                continue
            _log.warning("removing %s: %s", seen.name, diagnosis.error, extra={"job_id": str(run.job_id)})
        await context.launcher.stop(run.key)


async def _stalled_children(context: Context, observed: Observation) -> None:
    """Our own children, alive but without a heartbeat for a whole lease: killed, and settled when they are over."""
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if seen is not None and seen.phase is not Phase.ENDED and run.lease_expired:
            _log.warning("killing %s: its lease has expired", seen.name, extra={"job_id": str(run.job_id)})
            await context.launcher.stop(run.key, now=True)


async def _strangers(context: Context, observed: Observation) -> None:
    """Listed, but holding no slot: settled before, of an old epoch, or of a dataset that was deleted.

    What has ended is left to expire. What has not is stopped; all that it wrote would be refused by the fence.
    """
    strangers = observed.strangers()
    if not strangers:
        return
    live = await context.store.live_epochs({seen.key.job_id for seen in strangers})
    for seen in strangers:
        if seen.key in live or seen.forgotten:
            continue
        if seen.phase is Phase.ENDED:
            await context.launcher.forget(seen.key)
        else:
            _log.warning("stopping %s: its run is over", seen.name, extra={"job_id": str(seen.key.job_id)})
            await context.launcher.stop(seen.key)
