"""Work beside the steps that is tried again and again: a failure is logged, and the next try comes all the same."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Repeated


async def again(
    work: Callable[[], Awaitable[object]], seconds: float, log: logging.Logger, failing: str, passed: str = ""
) -> None:
    """Does some work again and again, until cancelled.

    Args:
        work: one try. Errors other than `RunError` end it all.
        seconds: between two tries.
        log: told of failures: of a new one at once, of the same one at growing intervals.
        failing: what the log says then, before the error.
        passed: what it says when a try goes through after that; empty for nothing.
    """
    tries = Repeated()
    while True:
        try:
            await work()
        except RunError as error:
            if tries.failed(error, time.monotonic()):
                log.warning("%s: %s", failing, error)
        else:
            if tries.passed() and passed:
                log.info("%s", passed)
        await asyncio.sleep(seconds)
