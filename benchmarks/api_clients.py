"""Clients of bench_api: asyncio streams and little else, so that they take little of the machine that they measure."""

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
BLOCK = bytes(range(1, 251)) * 263


class Answer(NamedTuple):
    """An answer, read whole."""

    status: int
    body: bytes


class Connection:
    """A connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, request: bytes) -> Answer:
        """Sends a request, and reads the answer."""
        self._writer.write(request)
        return await self._answer()

    async def send_large(self, head: bytes, first: bytes, size: int) -> Answer:
        """Sends a large body as curl does: only if the server wants it.

        Args:
            head: of the request, with `Expect: 100-continue`.
            first: how the body begins.
            size: of the body, in bytes.
        """
        self._writer.write(head)
        begun = await self._answer()
        if begun.status != 100:
            return begun
        left = size - len(first)
        self._writer.write(first)
        while left:
            self._writer.write(BLOCK[:left])
            left -= min(left, len(BLOCK))
            await self._writer.drain()
        return await self._answer()

    async def _answer(self) -> Answer:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await self._reader.readexactly(int(length[1])) if length else b""
        return Answer(int(head.split(b" ", 2)[1]), body)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    """A connection to this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def request(method: str, path: str, key: str, body: bytes = b"", content_type: str = "", more: str = "") -> bytes:
    """The bytes of a request; without a body, those of its head are the same."""
    typed = f"Content-Type: {content_type}\r\n" if content_type else ""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    authorized = f"Authorization: Bearer {key}\r\n" if key else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorized}{typed}{length}{more}\r\n".encode() + body


async def one_after_another(port: int, requests: Sequence[bytes], clients: int) -> float:
    """Sends all requests, so many at a time; the seconds. Each has to be answered by a 2xx."""
    left = iter(requests)

    async def client() -> None:
        async with connected(port) as connection:
            for one in left:
                answer = await connection.ask(one)
                if not 200 <= answer.status < 300:
                    raise RuntimeError(f"{answer.status}: {answer.body.decode()}")

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return time.perf_counter() - began


def browse(
    port: int, key: str, paths: Sequence[str], clients: int, pause: float, seconds: float
) -> dict[str, list[float]]:
    """Clients that ask for one path after another, in another order each; the seconds of every answer, by path.

    Args:
        port, key: of the API.
        paths: to ask for.
        clients: how many.
        pause: between an answer and the next request of a client, on average.
        seconds: how long.
    """
    return asyncio.run(_browse(port, key, paths, clients, pause, seconds))


async def _browse(
    port: int, key: str, paths: Sequence[str], clients: int, pause: float, seconds: float
) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {path: [] for path in paths}
    end = time.perf_counter() + seconds

    async def client() -> None:
        async with connected(port) as connection:
            while time.perf_counter() < end:
                for path in random.sample(paths, len(paths)):
                    await asyncio.sleep(random.uniform(0, 2 * pause))
                    began = time.perf_counter()
                    answer = await connection.ask(request("GET", path, key))
                    took[path].append(time.perf_counter() - began)
                    if answer.status != 200:
                        raise RuntimeError(f"{path}: {answer.status}")

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
    return took
