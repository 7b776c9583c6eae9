"""The end of the server."""

import asyncio
from contextlib import suppress


class Stopping:
    """The end of the server, which streams wait for. Any thread and any signal handler may set it."""

    def __init__(self) -> None:
        self.is_set = False
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def set(self) -> None:
        """Wakes all who wait."""
        self.is_set = True
        for loop, event in [*self._waiting]:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(event.set)

    async def wait(self) -> None:
        """Waits until it is set."""
        mine = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.add(mine)
        try:
            if not self.is_set:
                await mine[1].wait()
        finally:
            self._waiting.discard(mine)
