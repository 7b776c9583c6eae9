"""Unreachable: if the cluster refuses or does not answer, the controller blocks the pools that it serves and says why.

Its ticks are broken off then, and without this the database would show only that nothing happens.
"""

import time
from contextlib import suppress

from controller.context import Context, Notice
from controller.launchers.interface import ClusterRefused, ClusterSilent
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.settlement import Diagnosis

SILENT_SECONDS = 30.0
"""How long a cluster may give no answer before its pools are blocked."""


class Unreachable:
    """Whether the cluster lets a controller's ticks go through."""

    def __init__(self) -> None:
        self._silent_since: float | None = None
        self._said: set[str] = set()

    async def failed(self, context: Context, error: BaseException) -> None:
        """A tick was broken off by this error."""
        if isinstance(error, ClusterRefused):
            await self._block(context, Diagnosis(Cause.CANNOT_START, Reason.REFUSED, str(error)))
        elif isinstance(error, ClusterSilent):
            now = time.monotonic()
            if self._silent_since is None:
                self._silent_since = now
            if now - self._silent_since >= SILENT_SECONDS:
                await self._block(context, Diagnosis(Cause.UNAVAILABLE, None, str(error)))

    async def went_through(self, context: Context) -> None:
        """A tick went through."""
        self._silent_since = None
        if self._said:
            with suppress(RunError):
                await context.store.unblock_pools(list(context.pools.served), self._said)
                self._said.clear()

    async def _block(self, context: Context, why: Diagnosis) -> None:
        with suppress(RunError):  # the tick is broken off already
            for pool in await context.store.block_pools(list(context.pools.served), context.owner, why):
                self._said.add(why.error)
                message = f"pool {pool} is blocked until the cluster lets the controller work: {why.cause}: {why.error}"
                await context.announce(Notice("PoolBlocked", message, warning=True, pool=pool))
