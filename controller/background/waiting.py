"""Waiting: says in words what a controller that ends once it is idle still waits for."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from controller.context import Context
from dataset_jobs.model.errors import Permanent, RunError
from dataset_jobs.model.hints import Hint
from dataset_jobs.model.trouble import Quiet, Trouble

LOOK_SECONDS = 1.0
"""Between two looks at the database."""

IDLE_LOOK_SECONDS = 0.2
"""Between two looks at whether anything is left: one small question."""

Tell = Callable[[Sequence[str]], None]
"""Takes everything the controller waits for now, a sentence each; an empty list if nothing."""

Words = Callable[[str, Sequence[Hint]], str]
"""Puts the commands for some actions after a sentence that asks for them."""


def without_commands(text: str, _: Sequence[Hint]) -> str:
    """The sentence alone."""
    return text


_log = logging.getLogger(__name__)


async def tell_waits(
    context: Context, trouble: Callable[[], Trouble | None], tell: Tell, words: Words = without_commands
) -> None:
    """Calls `tell` again and again, until cancelled."""
    while True:
        held_up = trouble()
        if held_up is not None:
            tell([f"waiting: {held_up.describe(time.monotonic())}"])
        else:
            try:
                tell(await waits(context, words))
            except RunError as error:
                _log.debug("what is waited for cannot be read: %s", error)
        await asyncio.sleep(LOOK_SECONDS)


async def wake_when_idle(context: Context, wake: asyncio.Event) -> None:
    """Wakes the loop as soon as nothing is left to do, until cancelled.

    The end of another controller's run wakes nobody here: without this the loop would see it at its next poll.
    """
    while True:
        await asyncio.sleep(IDLE_LOOK_SECONDS)
        with contextlib.suppress(RunError):
            if (await context.store.count_jobs(context.pools.served)).idle:
                wake.set()


async def waits(context: Context, words: Words = without_commands) -> list[str]:
    """Why the jobs of the controller's pools do not go on, according to the database."""
    pools = context.pools.served
    elsewhere = await context.store.runs_elsewhere(context.owner, pools, context.lease)
    in_the_way = await context.store.pools_in_the_way(pools)
    return [*(runs.describe() for runs in elsewhere), *(words(pool.describe(), pool.hints()) for pool in in_the_way)]


async def never(context: Context) -> Permanent | None:
    """Why the remaining jobs cannot start until somebody fixes something; None if they can."""
    found = (pool.never() for pool in await context.store.pools_in_the_way(context.pools.served))
    return next((error for error in found if error is not None), None)


class Log:
    """Writes waits to the log: a new one at once, the same one at growing intervals."""

    def __init__(self) -> None:
        self._quiet = Quiet()

    def __call__(self, waits: Sequence[str]) -> None:
        """Logs those that are due."""
        for text in waits:
            if self._quiet.is_due(text, time.monotonic()):
                _log.warning("%s", text)
