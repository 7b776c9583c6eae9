"""A real Prometheus scrapes a real controller and API: each alert fires and clears, and each panel has data."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from controller.background import pool_metrics
from controller.background.pool_metrics import measure
from controller.health import HealthServer
from controller.launchers.interface import ClusterSilent, Launcher, ObservedRun
from controller.launchers.process.launcher import ProcessLauncher
from controller.metrics import Metrics
from controller.pools.spec import PoolSpec
from dataset_jobs.storage import StorageConfig
from services.keys import Keys, Role
from tests.fakes.launcher import FakeLauncher
from tests.integration.command_line import ROOT
from tests.integration.world import AT_ONCE, NATIONAL, World
from tests.kit import ending_run
from tests.kit.controller import controller, no_jitter
from tests.kit.ending_run import told_to_end
from tests.kit.submit import submit
from tests.outages.inline import InlineLauncher
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy
from tests.servers.prometheus import Prometheus

pytestmark = pytest.mark.needs("promtool")

CHART = ROOT / "charts" / "affirm-worker" / "files"
WINDOW = "6s"
"""In place of minutes."""

SOONER = {"tickLagSeconds": "2", "figuresAgeSeconds": "7", "interruptions": "2"}
"""Thresholds for which a test need not wait; figures are read every 5 seconds."""

GROUPS: list[dict[str, Any]] = yaml.safe_load((CHART / "alerts.yaml").read_text())["groups"]
NAMES = [rule["alert"] for group in GROUPS for rule in group["rules"]]
OWN, API, POOLS, CLUSTER, SCHEMA = "names/own", "names/api", "names/pools", "names/cluster", "names/schema"
"""Scrape jobs: those of one process that is controller and API, and those of further controllers."""

EMPTY = {
    "Blocked pools": "no pool of this installation is blocked",
}
"""The panels that show nothing here, and why."""


def sooner(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rules, for tests that do not wait for minutes."""
    text = yaml.safe_dump(groups, width=10_000)
    text = re.sub(r"\[\d+m\]", f"[{WINDOW}]", text)
    text = re.sub(r"for: \w+", "for: 0s", text)
    for name, value in SOONER.items():
        text = re.sub(rf"[0-9.]+ # {name}\b", f"{value} # {name}", text)
    made: list[dict[str, Any]] = yaml.safe_load(text)
    return made


@dataclass(slots=True)
class Installation:
    """A controller with its API as one process, which reaches Postgres by a proxy, and a Prometheus.

    Args:
        ports: where each scrape job is served.
        fired: what each alert has said so far, of whatever pool, and `cleared` those that were over later.
    """

    world: World
    proxy: FaultProxy
    prometheus: Prometheus
    ports: dict[str, int]
    listening: int
    key: str
    fired: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)

    def now(self) -> set[tuple[str, str, str]]:
        """What fires: alert, scrape job, pool."""
        found = set()
        for one in self.prometheus.alerts():
            labels = one["labels"]
            said = self.fired.setdefault(labels["alertname"], [])
            said += [] if one["annotations"] in said else [one["annotations"]]
            found.add((labels["alertname"], labels.get("job", ""), labels.get("pool", "")))
        self.cleared |= self.fired.keys() - {name for name, _, _ in found}
        return found

    def until(self, what: Callable[[set[tuple[str, str, str]]], bool], seconds: float = 200) -> None:
        """Waits until that holds of what fires."""
        until = time.monotonic() + seconds
        while not what(now := self.now()):
            assert time.monotonic() < until, sorted(now)
            time.sleep(0.1)

    def until_fires(self, *wanted: tuple[str, str, str]) -> None:
        """Waits until each has fired, not necessarily together."""
        left = {*wanted}

        def none_left(now: set[tuple[str, str, str]]) -> bool:
            left.difference_update(now)
            return not left

        self.until(none_left)

    def until_over(self, *names: str) -> None:
        self.until(lambda now: not {name for name, _, _ in now} & {*names})

    def ask(self, method: str, path: str, body: bytes | None = None) -> int:
        """A request to the API, and its status."""
        request = Request(f"http://127.0.0.1:{self.listening}{path}", body, method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        try:
            with urlopen(request, timeout=100) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code

    def upload(self, name: str, content: bytes) -> None:
        assert self.ask("PUT", f"/v1/datasets/upload/{name}?country=US", content) == 201


@pytest.fixture(scope="module")
def installation(
    postgres: PostgresServer, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Nothing runs at first; then real files were uploaded and loaded, and bad ones refused."""
    folder = tmp_path_factory.mktemp("alarms")
    (folder / "prometheus").mkdir()
    ports = {name: free_port("") for name in (OWN, API, POOLS, CLUSTER, SCHEMA)}
    with ExitStack() as stack:
        world = World(postgres.create_database("alarms", template), folder)
        stack.callback(postgres.drop_database, "alarms")
        stack.callback(world.client.close)
        proxy = stack.enter_context(FaultProxy(postgres.port))
        key = Keys(world.client.database).make("alarms", Role.ADMIN).text
        prometheus = stack.enter_context(Prometheus(folder / "prometheus", ports, sooner(GROUPS)))
        made = Installation(world, proxy, prometheus, ports, free_port("127.0.0.1"), key)
        made.until_fires(("AffirmWorkerNoController", "", ""), ("AffirmWorkerApiDown", "", ""))
        stack.enter_context(_serving(made))
        made.until_over("AffirmWorkerNoController", "AffirmWorkerApiDown")
        made.until(lambda _: bool(prometheus.query("affirm_worker_runs_settled_total")))
        for path in sorted(NATIONAL.glob("yob20*.txt"))[:3]:
            made.upload(path.name, path.read_bytes())
        for year in range(1990, 1994):
            made.upload(f"yob{year}.txt", f"Mary,F,in {year}\n".encode())
        made.until_fires(("AffirmWorkerJobsFail", OWN, "default"))
        yield made


@contextlib.contextmanager
def _serving(made: Installation) -> Iterator[None]:
    """`affirm-worker serve --with-controller`, until it has ended."""
    ours = {
        "DATABASE_URL": made.proxy.url(made.world.conninfo),
        "HEALTH_PORT": str(made.ports[OWN]),
        "API_METRICS_PORT": str(made.ports[API]),
        "WORKER_POLL_INTERVAL": "200ms",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--listen", f"127.0.0.1:{made.listening}", "--with-controller"],
        env={**os.environ, **made.world.environment, **ours},
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert any(line.startswith("listening at ") for line in process.stdout)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        process.stdout.close()
        process.wait(100)


def panels() -> dict[str, list[str]]:
    """The queries of each panel of the dashboard, with Grafana's variables as if everything was chosen."""
    found: dict[str, list[str]] = {}
    for panel in json.loads((CHART / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$__rate_interval", "5m")
            for name in ("$api_job", "$job", "$pool"):
                expression = expression.replace(f'"{name}"', '".*"')
            assert "$" not in expression
            found.setdefault(panel["title"], []).append(expression)
    return found


def test_every_query_of_the_dashboard_has_data(installation: Installation) -> None:
    def is_empty(expression: str) -> bool:
        values = [float(one["value"][1]) for one in installation.prometheus.query(expression)]
        return all(value != value for value in values)  # NaN too

    queries = panels()
    assert len(queries) > 30
    waits_until = time.monotonic() + 100  # some need a second scrape of what has just happened
    while True:
        assert installation.ask("GET", "/v1/jobs") == 200
        empty = {title for title, expressions in queries.items() if any(map(is_empty, expressions))}
        if empty == EMPTY.keys() or time.monotonic() > waits_until:
            break
        time.sleep(0.3)
    assert empty == EMPTY.keys()


def test_the_variables_of_the_dashboard_find_jobs_and_pools(installation: Installation) -> None:
    variables = json.loads((CHART / "dashboard.json").read_text())["templating"]["list"]
    found = {}
    for one in variables:
        if one["type"] == "query":
            metric, label = re.fullmatch(
                r"label_values\((.+), (\w+)\)", one["definition"].replace('"$job"', '".*"')
            ).groups()  # type: ignore[union-attr]
            found[one["name"]] = {series["metric"][label] for series in installation.prometheus.query(metric)}
    assert found == {"job": {OWN}, "api_job": {API}, "pool": {"default"}}


MakeLauncher = Callable[[Callable[[], None]], Launcher]
"""Makes a launcher, which wakes its controller by the given function."""


class AwayCluster(FakeLauncher):
    """A cluster that never answers."""

    async def list_all(self) -> list[ObservedRun]:
        raise ClusterSilent("Kubernetes API: ConnectionRefusedError")


@asynccontextmanager
async def _controllers(port: int, world: World, launchers: dict[str, MakeLauncher]) -> AsyncIterator[None]:
    """Controllers that run, one for each pool, whose metrics are served together."""
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(world.store())
        tasks = [asyncio.create_task(measure(store, metrics))]
        for pool, make in launchers.items():
            wake = asyncio.Event()
            launcher = make(wake.set)
            stack.push_async_callback(launcher.close)
            one = controller(
                store, launcher, f"{pool}-1", PoolSpec(pool, retry=AT_ONCE), random=no_jitter, metrics=metrics,
                poll_seconds=0.2, wake=wake,
            )  # fmt: skip
            metrics.follow(lambda health=one.health: health.held_up_by)  # type: ignore[misc]
            server = HealthServer(one.health, 1.0, lambda: True, metrics)
            tasks.append(asyncio.create_task(one.run(asyncio.Event())))
        await server.start(port)
        stack.push_async_callback(server.close)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _queue_alarms(made: Installation) -> None:
    """Jobs that wait in pools where something is wrong, each in its own way."""
    world = made.world
    pools = ("unserved", "paused", "pending", "cut", "blocked", "ended")
    for number, pool in enumerate(pools):
        world.query("insert into pools (name, max_running) values (%s, 5)", pool)
        submit(world.client, world.storage, world.file(f"yob{1970 + number}.txt", f"Mary,F,{20 + number}\n"), pool=pool)
    world.query("update jobs set run_at = now() - interval '1 hour' where pool in ('unserved', 'paused')")
    world.query(
        "update datasets set storage_uri = 's3://away/' || id"
        " where id in (select dataset_id from jobs where pool = 'cut')"
    )
    world.query("update pools set paused = true where name = 'paused'")
    async with world.store() as store:
        assert len(await store.claim("pending", 1, "process", "nobody", timedelta(hours=1))) == 1
    away = {
        "STORAGE_TYPE": "s3",
        "STORAGE_S3_BUCKET": "away",
        "STORAGE_S3_ENDPOINT": f"http://127.0.0.1:{free_port('')}",
    }
    launchers: dict[str, MakeLauncher] = {
        "cut": lambda _: InlineLauncher(StorageConfig.from_env(away), world.conninfo),
        "blocked": lambda _: InlineLauncher(world.storage_config, world.conninfo.replace("/alarms", "/nowhere")),
        "ended": partial(ProcessLauncher, told_to_end, [ending_run.__name__]),
    }
    async with _controllers(made.ports[POOLS], world, launchers):
        await asyncio.to_thread(
            made.until_fires,
            ("AffirmWorkerQueueStuck", POOLS, "unserved"),
            ("AffirmWorkerQueueOld", POOLS, "unserved"),
            ("AffirmWorkerPauseForgotten", POOLS, "paused"),
            ("AffirmWorkerRunsDoNotStart", POOLS, "pending"),
            ("AffirmWorkerRunsCutOff", POOLS, "cut"),
            ("AffirmWorkerPoolBlocked", POOLS, "blocked"),
            ("AffirmWorkerRunsInterrupted", POOLS, "ended"),
        )
    stuck = {pool for name, _, pool in made.now() if name == "AffirmWorkerQueueStuck"}
    assert "paused" not in stuck and "blocked" not in stuck
    world.query("delete from runs where pool <> 'default'")
    world.query("delete from jobs where pool <> 'default'")
    world.query("delete from pools where name <> 'default'")


async def _held_up_alarms(made: Installation, postgres: PostgresServer, template: str) -> None:
    """Controllers whose cluster does not answer, and whose database has another schema."""
    other = postgres.create_database("alarms_older", template)
    older = World(other, made.world.folder)
    older.query("delete from schema_migrations where version = (select max(version) from schema_migrations)")
    async with (
        _controllers(made.ports[CLUSTER], made.world, {"default": lambda _: AwayCluster()}),
        _controllers(made.ports[SCHEMA], older, {"default": lambda _: FakeLauncher()}),
    ):
        await asyncio.to_thread(
            made.until_fires, ("AffirmWorkerClusterAway", CLUSTER, ""), ("AffirmWorkerHeldUp", SCHEMA, "")
        )
    older.client.close()
    postgres.drop_database("alarms_older")


def _silence_alarms(made: Installation) -> None:
    """A database that says nothing."""
    made.proxy.stall()
    made.until_fires(("AffirmWorkerStandsStill", OWN, ""), ("AffirmWorkerFiguresOld", OWN, ""))
    made.proxy.flow()
    made.until_over("AffirmWorkerStandsStill", "AffirmWorkerFiguresOld")


def _outage_alarms(made: Installation) -> None:
    """A database that is down."""
    with made.proxy.refusing(), ThreadPoolExecutor(20) as people:
        made.proxy.cut_all()
        asked = [people.submit(made.ask, "GET", "/v1/jobs") for _ in range(40)]
        made.until_fires(("AffirmWorkerDatabaseAway", OWN, ""), ("AffirmWorkerApiFails", API, ""))
        assert {one.result() for one in asked} == {503}


async def test_every_alert_fires_and_clears(
    installation: Installation, postgres: PostgresServer, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_metrics, "READ_SECONDS", 0.3)
    monkeypatch.setattr(pool_metrics, "IDLE_FACTOR", 1)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_MAX_ATTEMPTS"):
        monkeypatch.setenv(name, "1")
    async with asyncio.timeout(900):
        await asyncio.gather(
            _queue_alarms(installation),
            _held_up_alarms(installation, postgres, template),
            asyncio.to_thread(_silence_alarms, installation),
        )
        await asyncio.to_thread(installation.until, lambda now: now == set())
        await asyncio.to_thread(_outage_alarms, installation)
        await asyncio.to_thread(installation.until_over, "AffirmWorkerDatabaseAway", "AffirmWorkerApiFails")
    assert installation.fired.keys() == {*NAMES}
    assert installation.cleared == {*NAMES}
    texts = [text for said in installation.fired.values() for one in said for text in one.values()]
    assert not [text for text in texts if re.search(r"[{}%]!|<no value>|<error", text)]
    said = {name: {one["summary"] for one in said} for name, said in installation.fired.items()}
    assert any(text.startswith("The pool is blocked for cannot_start (database). One run") for text in texts)
    assert "Runs of pool cut cannot work with the storage" in said["AffirmWorkerRunsCutOff"]
    assert "Jobs of pool default fail, rejected" in said["AffirmWorkerJobsFail"]
    assert "Its setup keeps a controller from its work" in said["AffirmWorkerHeldUp"]
