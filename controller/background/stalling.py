"""Stalling: a runner's session that makes all others queue for a table is ended.

Postgres takes the lock of some statements before it looks at rights, so a runner that somebody has taken over could
keep controllers waiting. This goes on beside the ticks, on a connection of its own, and needs no table.
"""

import asyncio
import logging
import time

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Repeated
from dataset_jobs.store.controller import ControllerStore

LOOK_SECONDS = 5.0
"""Between two looks: a stall is no longer."""

_log = logging.getLogger(__name__)


async def end_stalling(store: ControllerStore, wait: float = LOOK_SECONDS) -> None:
    """Looks for such sessions and ends them, until it is cancelled.

    Args:
        store: of the controller.
        wait: seconds between two looks.
    """
    looking = Repeated()
    while True:
        try:
            ended = await store.end_waiting_runners()
            looking.passed()
            if ended:
                _log.warning(
                    "%d sessions of runners were ended: they waited for a table's lock that no run asks for", ended
                )
        except RunError as error:
            if looking.failed(error, time.monotonic()):
                _log.warning("sessions of runners that stall others are not looked for: %s", error)
        await asyncio.sleep(wait)
