"""Reads the state of all pools for the metrics. It runs beside the ticks, so that neither waits for the other."""

import asyncio
import logging
import time

from controller.metrics import Metrics
from dataset_jobs.model.errors import RunError
from dataset_jobs.store.capacity import CapacityStore

READ_SECONDS = 5.0
"""Between two reads, at least."""

IDLE_FACTOR = 20
"""The pause after a read is at least this many times as long as the read: slow reads come less often."""

_log = logging.getLogger(__name__)


async def measure(store: CapacityStore, metrics: Metrics) -> None:
    """Reads again and again, until cancelled. Without an answer the last values stay, and grow old."""
    while True:
        began = time.monotonic()
        try:
            metrics.read(await store.queue_figures())
        except RunError as error:
            _log.debug("the metrics of pools are as they were: %s", error)
        await asyncio.sleep(max(READ_SECONDS, IDLE_FACTOR * (time.monotonic() - began)))
