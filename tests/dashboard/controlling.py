"""A controller that runs beside a test, in a thread: Playwright has an event loop in the thread of the tests."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.integration.world import NO_RETRIES, World


@contextmanager
def controlling(world: World) -> Iterator[None]:
    """Runs what is submitted, once each, by the process launcher, until the block is left."""
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    began = threading.Event()

    async def run() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        began.set()
        async with world.controller(retry=NO_RETRIES) as reconciler:
            await reconciler.run(stop)

    with ThreadPoolExecutor(1, "controller") as threads:
        running = threads.submit(asyncio.run, run())
        began.wait(60)
        try:
            yield
        finally:
            for loop, stop in loops:
                loop.call_soon_threadsafe(stop.set)
            running.result(60)
