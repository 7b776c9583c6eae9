"""Claim: takes as many jobs from the queue as there are free slots."""

import logging
import time

from controller.context import Context
from controller.launchers.interface import Phase
from controller.outcomes.backoff import probe_wait
from controller.pools.spec import PoolSpec
from dataset_jobs.store.controller_views import ClaimedRun, log_fields

_log = logging.getLogger(__name__)


async def claim(context: Context, pool: PoolSpec, limit: int) -> list[ClaimedRun]:
    """Claims up to `limit` jobs of a pool; each gets a run at a new epoch, to launch next.

    This function keeps to the controller's own concurrency, the database to the pool's maximum.
    """
    if context.concurrency is not None:
        in_flight = sum(seen.phase is not Phase.ENDED for seen in await context.launcher.list_all())
        limit = min(limit, context.concurrency - in_flight)
    if limit <= 0:
        return []
    began = time.monotonic()
    claimed = await context.store.claim(
        pool.name, limit, context.launcher.name, context.owner, context.lease, probe_wait
    )
    context.metrics.claimed(pool.name, time.monotonic() - began, [run.waited.total_seconds() for run in claimed])
    for run in claimed:
        _log.info("claimed", extra=log_fields(run))
    return claimed
