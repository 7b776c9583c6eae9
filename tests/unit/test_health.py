"""What the probes answer, over HTTP."""

import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from controller.health import STUCK_POLLS, STUCK_SECONDS, HealthServer
from controller.loop_health import LoopHealth
from controller.metrics import Metrics
from dataset_jobs.model.errors import Misconfigured, Unavailable
from tests.servers.ports import free_port

Ask = Callable[[str], Awaitable[tuple[int, str]]]
"""Status and text of a path."""


@asynccontextmanager
async def probed(loop: LoopHealth, poll_seconds: float = 1.0, watching: bool = True) -> AsyncIterator[Ask]:
    port = free_port("127.0.0.1")
    server = HealthServer(loop, poll_seconds, lambda: watching, Metrics())
    await server.start(port)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            async def ask(path: str) -> tuple[int, str]:
                async with session.get(path) as answer:
                    return answer.status, await answer.text()

            yield ask
    finally:
        await server.close()


async def test_a_loop_that_goes_round_is_healthy_and_ready() -> None:
    loop = LoopHealth()
    loop.went_round(None)
    async with probed(loop) as ask:
        assert await ask("/healthz") == (200, "ok\n")
        assert await ask("/readyz") == (200, "ok\n")


async def test_a_controller_that_has_not_ticked_yet_is_healthy_and_not_ready() -> None:
    async with probed(LoopHealth()) as ask:
        assert await ask("/healthz") == (200, "ok\n")
        assert await ask("/readyz") == (503, "not started\n")


async def test_ticks_that_are_broken_off_keep_it_healthy_and_not_ready() -> None:
    loop = LoopHealth()
    loop.went_round(Unavailable("database: no answer\nin time"))
    async with probed(loop) as ask:
        assert await ask("/healthz") == (200, "ok\n")
        assert await ask("/readyz") == (503, "database: no answer\\nin time\n")
        loop.went_round(None)
        assert await ask("/readyz") == (200, "ok\n")


@pytest.mark.parametrize("poll_seconds", [0.05, 5.0, 3600.0])
async def test_a_loop_that_stands_still_is_stuck(poll_seconds: float) -> None:
    stuck_after = max(STUCK_SECONDS, STUCK_POLLS * poll_seconds)
    loop = LoopHealth()
    loop.went_round(None)
    async with probed(loop, poll_seconds) as ask:
        loop.last_round = time.monotonic() - stuck_after + 10
        assert await ask("/healthz") == (200, "ok\n")
        loop.last_round = time.monotonic() - stuck_after - 1
        status, text = await ask("/healthz")
        assert (status, text.startswith("the loop has stood still for ")) == (500, True)


async def test_a_watch_that_has_ended_is_not_healthy() -> None:
    loop = LoopHealth()
    loop.went_round(None)
    async with probed(loop, watching=False) as ask:
        assert await ask("/healthz") == (500, "the watch has ended\n")
        assert await ask("/readyz") == (200, "ok\n")


async def test_a_port_in_use_is_misconfigured() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        server = HealthServer(LoopHealth(), 1.0, lambda: True, Metrics())
        with pytest.raises(Misconfigured, match="another process listens there"):
            await server.start(int(taken.getsockname()[1]))


def test_the_documentation_says_when_a_loop_is_stuck() -> None:
    text = " ".join(Path(__file__).parents[2].joinpath("docs/architecture.md").read_text().split())
    assert f"no tick has ended for {STUCK_SECONDS:.0f} seconds ({STUCK_POLLS} poll intervals, if that is more)" in text
