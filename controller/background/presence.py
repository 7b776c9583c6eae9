"""Presence: a controller says in the database that it is there, and what keeps it from its work.

It does so beside the ticks, so that it goes on while a tick stands still.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from controller.context import Context
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Repeated, Trouble
from dataset_jobs.model.waits import CONTROLLER_HEARTBEAT

LOOK_SECONDS = 1.0
"""Between two looks for a change."""

GONE_SECONDS = 2.0
"""How long a controller that ends waits for a database that may be away."""

_log = logging.getLogger(__name__)


async def keep_present(context: Context, trouble: Callable[[], Trouble | None]) -> None:
    """Says that the controller is there, and in what trouble, until it is cancelled; then that it is gone."""
    said: tuple[object, ...] = ()
    due = 0.0
    writing = Repeated()
    try:
        while True:
            now = time.monotonic()
            is_now = trouble()
            pools = tuple(sorted(context.pools.served))
            warnings = tuple(context.pools.warnings)
            to_say = (pools, warnings, is_now and is_now.error, is_now and is_now.permanent)
            if to_say != said or now >= due:
                said, due = to_say, now + CONTROLLER_HEARTBEAT.total_seconds()
                try:
                    await context.store.controller_seen(
                        context.owner, context.launcher.name, pools, is_now, now, warnings
                    )
                    writing.passed()
                except RunError as error:
                    if writing.failed(error, now):
                        _log.warning("not seen in the status: %s", error)
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        with contextlib.suppress(RunError, TimeoutError):
            async with asyncio.timeout(GONE_SECONDS):
                await context.store.controller_gone(context.owner)
