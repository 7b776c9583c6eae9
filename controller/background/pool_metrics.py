"""Measure: reads how all pools stand, for the metrics. Beside the ticks, so that neither waits for the other."""

import asyncio
import logging
import time

from controller.metrics import Metrics
from dataset_jobs.model.errors import RunError
from dataset_jobs.store.capacity import CapacityStore

EVERY_SECONDS = 5.0
"""Between two looks, at the least."""

SHARE = 20
"""Of the time no more than one part in so many is spent on looking: what takes long is done less often."""

_log = logging.getLogger(__name__)


async def measure(store: CapacityStore, metrics: Metrics) -> None:
    """Reads again and again, until it is cancelled. While there is no answer the last values stay, and grow old."""
    while True:
        began = time.monotonic()
        try:
            metrics.read(await store.queue_figures())
        except RunError as error:
            _log.debug("the metrics of pools are as they were: %s", error)
        await asyncio.sleep(max(EVERY_SECONDS, SHARE * (time.monotonic() - began)))
