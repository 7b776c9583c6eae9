"""Viewers of bench_pages: browsers as the server sees them, each with a login and a stream."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from benchmarks.api_clients import connected, request
from services.client import Client
from services.keys import Keys, Role

STREAM = "/v1/stream?figures=1"
PAGE = "Accept: text/html\r\n"
FRAGMENT = f"{PAGE}HX-Request: true\r\n"


def cookies(client: Client, port: int, number: int) -> list[str]:
    """Logs so many people in who may see every page, each with a key of their own; what they send from then on."""
    keys = Keys(client.database)
    made = [keys.make(f"viewer {one} of {port} {time.monotonic()}", Role.ADMIN).key for one in range(number)]
    return [f"Cookie: aw-{port}={client.web_sessions.begin(key)}\r\nHost: localhost:{port}\r\n" for key in made]


def asked(port: int, path: str, more: str) -> bytes:
    """A request of a page."""
    return request("GET", path, "", more=more).replace(b"Host: localhost\r\n", b"", 1)


async def browse(
    port: int, viewers: Sequence[str], paths: Sequence[str], pause: float, seconds: float
) -> dict[str, list[float]]:
    """Viewers who open one page after the other, in another order each; the seconds until each was there, by path."""
    took: dict[str, list[float]] = {path: [] for path in paths}
    end = time.perf_counter() + seconds

    async def look(cookie: str) -> None:
        async with connected(port) as connection:
            while time.perf_counter() < end:
                for path in random.sample(paths, len(paths)):
                    await asyncio.sleep(random.uniform(0, 2 * pause))
                    began = time.perf_counter()
                    answer = await connection.ask(asked(port, path, PAGE + cookie))
                    took[path].append(time.perf_counter() - began)
                    if answer.status != 200:
                        raise RuntimeError(f"{path}: {answer.status}")

    await asyncio.gather(*(look(one) for one in viewers))
    return took


@asynccontextmanager
async def looking_on(port: int, viewers: Sequence[str]) -> AsyncIterator[list[float]]:
    """Viewers who leave the overview open, each with a stream, and fetch it again whenever there are newer figures.

    Yields what each of these fetches took, in seconds.
    """
    took: list[float] = []

    async def look(cookie: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked(port, STREAM, cookie))
        async with connected(port) as connection:
            while line := await reader.readline():
                if line.startswith(b"event: figures"):
                    began = time.perf_counter()
                    answer = await connection.ask(asked(port, "/", FRAGMENT + cookie))
                    took.append(time.perf_counter() - began)
                    if answer.status != 200:
                        raise RuntimeError(f"the overview: {answer.status}")
        raise RuntimeError("a stream has ended")

    tasks = [asyncio.create_task(look(one)) for one in viewers]
    try:
        yield took
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
