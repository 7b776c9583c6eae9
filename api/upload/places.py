"""How many do something at a time: the others wait a little, in their order, and are then asked to come again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from api.problems import Problem


class Places:
    """Places of one event loop.

    Args:
        count: how many there are.
        seconds: how long one waits for a place.
        refusal: the answer to those who got none.
    """

    def __init__(self, count: int, seconds: float, refusal: Callable[[], Problem]) -> None:
        self._free = asyncio.Semaphore(count)
        self._seconds = seconds
        self._refusal = refusal

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A place for a block; raises the refusal."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise self._refusal() from None
        try:
            yield
        finally:
            self._free.release()

    def check(self) -> None:
        """Raises the refusal if whoever comes now would have to wait."""
        if self._free.locked():
            raise self._refusal()
