"""Retention: removes jobs that finished long ago with their runs, a batch at a time; datasets and rows stay."""

import logging

from controller.context import Context
from dataset_jobs.model.errors import RunError

RETENTION_SECONDS = 60.0
"""Between two batches of one controller."""

_log = logging.getLogger(__name__)


async def remove_old_jobs(context: Context) -> None:
    """Removes one batch of each pool. Logs a failure and goes on: nothing else depends on it."""
    for pool in context.pools.served.values():
        if pool.retention is None:
            continue
        try:
            removed = await context.store.purge(pool.name, pool.retention)
        except RunError as error:
            _log.warning("old jobs of pool %s are not removed: %s", pool.name, error)
            continue
        if removed:
            _log.info("removed %d jobs of pool %s that finished over %s ago", removed, pool.name, pool.retention)
