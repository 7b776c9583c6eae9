"""What the metrics say after real runs, and while the database is away."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from controller.background.pool_metrics import measure
from controller.health import HealthServer
from controller.loop import Reconciler
from controller.loop_health import LoopHealth
from controller.metrics import Metrics
from dataset_jobs.store import controller_connection
from dataset_jobs.store.statements import statement
from tests.integration.command_line import running
from tests.integration.world import World
from tests.kit.controller import controller
from tests.servers.ports import free_port

pytestmark = pytest.mark.every_postgres

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@asynccontextmanager
async def served(metrics: Metrics) -> AsyncIterator[str]:
    """The address of the metrics."""
    port = free_port("")
    server = HealthServer(LoopHealth(), 1.0, lambda: True, metrics)
    await server.start(port)
    try:
        yield f"http://localhost:{port}/metrics"
    finally:
        await server.close()


async def get(address: str, accept: str = OPENMETRICS) -> str:
    async with aiohttp.ClientSession() as session, session.get(address, headers={"Accept": accept}) as answer:
        assert answer.status == 200
        assert answer.content_type == accept.split(";")[0]
        return await answer.text()


def values(text: str) -> dict[tuple[str, ...], float]:
    """By name and the values of the labels, in the order of the labels' names."""
    families: Iterable[Metric] = openmetrics(text)  # type: ignore[no-untyped-call]
    samples = [sample for family in families for sample in family.samples]
    return {
        (one.name.removeprefix("affirm_worker_"), *(one.labels[name] for name in sorted(one.labels))): one.value
        for one in samples
    }


async def told(reconciler: Reconciler) -> dict[tuple[str, ...], float]:
    """The metrics, all figures having been read anew."""
    metrics = reconciler.context.metrics
    metrics.read(await reconciler.context.store.queue_figures())
    async with served(metrics) as address:
        return values(await get(address))


async def test_what_waits_runs_and_has_been_loaded_is_told(world: World) -> None:
    good = world.file("yob1931.txt", "Mary,F,20\nAnna,F,15\n")
    world.submit(good)
    world.submit(world.file("yob1932.txt", "Mary,F\n"))
    later = world.submit(world.file("yob1933.txt", "Mary,F,5\n"))
    world.query("update jobs set state = 'scheduled', run_at = now() + interval '1 day' where id = %s", later.job_id)
    world.query("update jobs set run_at = now() - interval '1 hour' where state = 'queued'")
    async with world.controller() as reconciler, asyncio.timeout(60):
        before = await told(reconciler)
        assert before["jobs", "default", "queued"] == 2
        assert before["jobs", "default", "scheduled"] == 1
        assert before["queue_oldest_wait_seconds", "default"] >= 3600
        await reconciler.run(asyncio.Event(), until_idle=True)
        after = await told(reconciler)
    assert after["jobs", "default", "queued"] == 0
    assert after["queue_oldest_wait_seconds", "default"] == 0
    assert after["runs_settled_total", "completed", "default", "completed"] == 1
    assert after["runs_settled_total", "rejected", "default", "failed"] == 1
    assert after["loaded_rows_total", "default"] == 2
    assert after["loaded_bytes_total", "default"] == good.stat().st_size
    assert after["launches_total", "default", "launched"] == 2
    assert after["launch_latency_seconds_count", "default"] == 2
    assert after["queue_wait_seconds_count", "default"] == 2
    assert after["queue_wait_seconds_sum", "default"] >= 7200
    assert after["claim_duration_seconds_count", "default"] >= 1
    assert after["settle_latency_seconds_count", "default"] == 1
    assert 0 < after["runner_busy_seconds_total", "default"] <= after["slot_held_seconds_total", "default"]
    assert after["tick_duration_seconds_count",] >= 1
    assert after["ticks_broken_off_total",] == 0
    maximum = world.one("select max_running, desired from pools where name = 'default'")
    assert after["pool_maximum_runs", "default"] == maximum["max_running"]
    assert after["pool_desired_runs", "default"] == maximum["desired"]


async def test_a_run_is_pending_then_running_then_ending(world: World) -> None:
    world.submit(world.file("yob1934.txt", "Mary,F,20\n"))
    states = [
        ("", "pending"),
        ("update runs set started_at = now(), runner_uid = 'a'", "running"),
        ("update runs set committed_at = now()", "ending"),
    ]
    async with world.controller() as reconciler:
        store = reconciler.context.store
        claimed = await store.claim("default", 1, "process", "test", reconciler.context.lease)
        assert len(claimed) == 1
        for change, expected in states:
            if change:
                world.query(change)
            now = await told(reconciler)
            by_state = {state: now["runs", "default", state] for state in ("pending", "running", "ending")}
            assert by_state == {state: float(state == expected) for state in by_state}


async def test_a_paused_or_blocked_pool_is_told_and_a_removed_one_no_more(world: World) -> None:
    async with world.controller() as reconciler:
        world.query("insert into pools (name, max_running, paused) values ('night', 3, true)")
        now = await told(reconciler)
        assert (now["pool_paused", "night"], now["pool_paused", "default"]) == (1, 0)
        assert now["pool_blocked", "night"] == 0
        assert ("pool_desired_runs", "night") not in now
        world.query("delete from pools where name = 'night'")
        shared = {one.name.removeprefix("affirm_worker_") for one in reconciler.context.metrics.described if one.shared}
        assert not [key for key in await told(reconciler) if key[0] in shared and "night" in key]


async def test_finished_jobs_and_released_runs_cost_nothing(world: World) -> None:
    made = world.submit(world.file("yob1936.txt", "Mary,F,20\n"))
    world.query("update jobs set state = 'cancelled', finished_at = now() where id = %s", made.job_id)
    columns = "dataset_id, type, pool, state, finished_at"
    world.query(f"insert into jobs ({columns}) select {columns} from jobs, generate_series(1, 20000)")
    world.query(
        "insert into runs (job_id, epoch, pool, launcher, owner, lease_until, ended_at, cause, released_at) "
        "select id, 1, pool, 'process', 'test', now(), now(), 'cancelled', now() from jobs"
    )
    world.query("vacuum analyze jobs, runs")
    plan = "\n".join(row["QUERY PLAN"] for row in world.query("explain (analyze) " + statement("pools.queue_figures")))
    assert "jobs_one_unfinished" in plan and "runs_unreleased" in plan
    assert "Seq Scan on jobs" not in plan and "Seq Scan on runs" not in plan


async def test_a_scrape_is_answered_while_the_database_is_away(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller_connection, "GET_SECONDS", 1)
    caplog.set_level("DEBUG", "controller.background.pool_metrics")
    async with world.controller() as reconciler, asyncio.timeout(60):
        metrics = reconciler.context.metrics
        measuring = asyncio.create_task(measure(reconciler.context.store, metrics))
        async with served(metrics) as address:
            while ("pool_maximum_runs", "default") not in (known := values(await get(address))):
                await asyncio.sleep(0.05)
            measuring.cancel()
        async with world.controller(
            conninfo=f"host=127.0.0.1 port={free_port('')} dbname=none user=nobody connect_timeout=2"
        ) as cut_off:
            away = controller(cut_off.context.store, cut_off.context.launcher, metrics=metrics)
            assert not await away.tick_safely()
            measuring = asyncio.create_task(measure(cut_off.context.store, metrics))
            while "as they were" not in caplog.text:
                await asyncio.sleep(0.05)
            async with served(metrics) as address:
                later = values(await get(address))
            assert not measuring.done()
            measuring.cancel()
    assert later["pool_maximum_runs", "default"] == known["pool_maximum_runs", "default"]
    assert later["queue_figures_age_seconds",] > known["queue_figures_age_seconds",]
    assert later["ticks_broken_off_total",] == 1


async def test_the_command_serves_them_on_one_machine_too(world: World) -> None:
    world.submit(world.file("yob1937.txt", "Mary,F,20\nAnna,F,15\n"))
    port = free_port("")
    found: dict[tuple[str, ...], float] = {}
    with running(world, HEALTH_PORT=str(port)):
        async with asyncio.timeout(60):
            while not found.get(("loaded_rows_total", "default")) or ("pool_maximum_runs", "default") not in found:
                await asyncio.sleep(0.1)
                with contextlib.suppress(aiohttp.ClientConnectionError):  # it has not started yet
                    found = values(await get(f"http://localhost:{port}/metrics"))
    assert found["loaded_rows_total", "default"] == 2
    assert found["process_cpu_seconds_total",] > 0


@pytest.mark.needs("promtool")
async def test_promtool_finds_nothing_wrong(world: World) -> None:
    world.submit(world.file("yob1935.txt", "Mary,F,20\n"))
    async with world.controller() as reconciler, asyncio.timeout(60):
        await reconciler.run(asyncio.Event(), until_idle=True)
        metrics = reconciler.context.metrics
        metrics.read(await reconciler.context.store.queue_figures())
        async with served(metrics) as address:
            text = await get(address, "text/plain")
    assert [*plain(text)]
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
