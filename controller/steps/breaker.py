"""Block: nothing is claimed from a pool whose runs cannot start, except one probe at a time, until one starts again.

It is a circuit breaker: an open pool is a closed circuit, a blocked pool an open one, and a probe makes it half-open.
"""

import logging

from controller.context import Context, Notice
from controller.launchers.interface import Phase
from controller.outcomes.backoff import probe_wait
from controller.outcomes.diagnosis import waits_for
from controller.steps.observe import Observation
from dataset_jobs.model.causes import Cause, Reason, cause_in_words
from dataset_jobs.model.settlement import Diagnosis
from dataset_jobs.store.controller_views import ClaimedRun, UnreleasedRun, log_fields

_BLOCK = (Cause.CANNOT_START, Cause.FORBIDDEN, Cause.UNAVAILABLE)

_log = logging.getLogger(__name__)


async def look_for_trouble(context: Context, observed: Observation) -> None:
    """Records why pods wait, blocks their pool if they cannot start, and lifts blocks that are over."""
    for run in observed.runs.values():
        seen = observed.seen.get(run.key)
        if seen is None or run.started_at is not None or run.ended_at is not None:
            continue
        trouble = waits_for(seen.evidence) if seen.phase is Phase.PENDING else None
        if run.waits_for != (None if trouble is None else trouble.reason):
            await context.store.record_waiting(run.key, trouble)
        if trouble is not None and run.launched_at is not None:
            await block(context, run, trouble)
    for pool in {run.pool for run, _ in observed.ended()}:  # settled by now
        await context.store.hurry_probe(pool)
    for pool in await context.store.lift_blocks():
        message = f"pool {pool} goes on: its runs can start again"
        _log.info("%s", message)
        await context.announce(Notice("PoolUnblocked", message, warning=False, pool=pool))


async def block(context: Context, run: ClaimedRun | UnreleasedRun, why: Diagnosis) -> None:
    """Blocks the pool of a run that could not start, did not reach the database, or lacked a right.

    A pool that lacks only room goes on: a cluster autoscaler adds nodes for waiting pods. It also goes on if the
    cluster refuses a run that asks for more memory than the pool's template.
    """
    if why.cause not in _BLOCK or why.reason is Reason.UNSCHEDULABLE:
        return
    if run.memory_doublings and why.reason in (Reason.REFUSED, Reason.QUOTA):
        return
    if await context.store.block_pool(run.key, why, probe_wait(0)):
        what = cause_in_words(why.cause, why.reason)
        message = f"pool {run.pool} is blocked, and only probed until a run starts: {what}: {why.error}"
        _log.error("%s", message, extra=log_fields(run))
        await context.announce(Notice("PoolBlocked", message, warning=True, pool=run.pool))
