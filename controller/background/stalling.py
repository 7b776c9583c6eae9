"""Stalling: a runner's session that makes all others queue for a table is ended.

Postgres takes the lock of some statements before it looks at rights, so a runner that somebody has taken over could
keep controllers waiting. This goes on beside the ticks, on a connection of its own, and needs no table.
"""

import logging

from controller.background.again import again
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

    async def look() -> None:
        ended = await store.end_waiting_runners()
        if ended:
            _log.warning(
                "%d sessions of runners were ended: they waited for a table's lock that no run asks for", ended
            )

    await again(look, wait, _log, "sessions of runners that stall others are not looked for")
