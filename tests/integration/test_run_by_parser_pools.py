"""`affirm-worker run` on Kubernetes, put together as it is: its pools are those that the API server tells of."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.integration.world import World
from tests.servers.kubernetes_pools import PoolsApi, serving

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def api(world: World, tmp_path: Path) -> AsyncIterator[PoolsApi]:
    """An API server with the ParserPool `default`, and a controller that works by it."""
    async with serving() as made:
        made.put("default", maxParallelism=3)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": made.url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (tmp_path / "kubeconfig").write_text(json.dumps(config))
        (tmp_path / "runner.json").write_text(json.dumps({"image": "runner:1"}))
        environment = {
            **os.environ,
            **world.environment,
            "LOG_FORMAT": "json",
            "KUBECONFIG": str(tmp_path / "kubeconfig"),
            "RUNNER_CONFIG": str(tmp_path / "runner.json"),
            "NO_PROXY": "*",
        }
        command = [sys.executable, "-m", "cli", "run", "--launcher", "kubernetes"]
        controller = await asyncio.create_subprocess_exec(*command, env=environment, cwd=ROOT)
        try:
            await until(lambda: made.watched and "state" in made.status("default"), controller)
            yield made
        finally:
            if controller.returncode is None:
                controller.terminate()
            assert await controller.wait() == 0


async def until(holds: Callable[[], bool], controller: asyncio.subprocess.Process | None = None) -> None:
    async with asyncio.timeout(60):
        while not holds():
            assert controller is None or controller.returncode is None
            await asyncio.sleep(0.05)


async def test_pools_are_as_they_are_told_of_and_nothing_is_written_while_nothing_changes(
    api: PoolsApi, world: World
) -> None:
    def maximum(pool: str) -> list[int]:
        return [row["max_running"] for row in world.query("select max_running from pools where name = %s", pool)]

    assert maximum("default") == [3]
    assert api.status("default")["state"] == "Open"
    api.put("default", maxParallelism=5)
    api.put("large", maxParallelism=7)
    await until(lambda: (maximum("default"), maximum("large")) == ([5], [7]))

    api.put("large", runner={"image": "bad"})
    await until(lambda: api.status("large").get("state") == "Refused")
    [ready] = [one for one in api.status("large")["conditions"] if one["type"] == "Ready"]
    assert "spec.runner.image: Invalid value" in ready["message"]
    await until(lambda: ("ParserPool", "Refused") in api.events)

    def decisions() -> int:
        return int(world.one("select decision from pools where name = 'default'")["decision"])

    await until(lambda: api.status("default")["observedGeneration"] == 2)
    writes, before = api.writes, decisions()
    await until(lambda: decisions() > before + 1)
    assert api.writes == writes

    api.delete("default")
    await until(lambda: bool(world.query("select 1 from pools where name = 'default' and decided_until < now()")))
    result = world.submit(world.file("yob2001.txt", "Mary,F,5\r\n"))

    def rounds() -> int:
        return int(world.one("select decision from pools where name = 'large'")["decision"])

    last = rounds()
    await until(lambda: rounds() > last)
    assert world.job(result.job_id)["state"] == "queued"
