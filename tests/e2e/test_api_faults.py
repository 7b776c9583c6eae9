"""What goes wrong between a controller and the API server: each costs time, and nothing else.

The controller works on this host, through a proxy that fails as it is told to; the pods are real.
"""

import asyncio
import gc
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from controller.context import Context
from controller.launchers.kubernetes import api as kubernetes_api
from controller.launchers.kubernetes.api import KubernetesApi, load_configuration
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.launchers.kubernetes.objects import Job, Pod
from controller.loop import Reconciler
from controller.loop_health import LoopHealth
from controller.operator import Watcher
from controller.outcomes.retry import RetryPolicy
from controller.pools.source import OnePool
from controller.pools.spec import PoolSpec
from controller.runner_config import read_runner_config
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from tests.cluster import breaking
from tests.e2e.installation import Installation
from tests.e2e.test_faults import NOTHING_RUNS, rows_of, runner_json
from tests.servers.kubernetes_faults import (
    CutWatch,
    ExpireWatch,
    Fault,
    FaultyApiServer,
    Hang,
    LoseAnswer,
    Refuse,
    Reset,
    Stale,
    Withhold,
)

# kopf leaves its connections to the garbage collector where an error has ended it.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")

WATCHERS: list[Watcher] = []
"""They are asked to end with their controllers, and waited for once."""

MAXIMUM = 2
POLL_SECONDS = 0.3
TIMEOUT_SECONDS = 2.0
CREATE = ("POST", r"/jobs$")
LIST_JOBS = ("GET", r"/jobs\?")
LIST_PODS = ("GET", r"/pods\?")
NEXT_PAGE = ("GET", r"continue=")
SETTLED = ("PATCH", r"/jobs/")
WATCH = ("WATCH", r"/(jobs|pods)\?")


@pytest.fixture(scope="module")
def controllers_away(installation: Installation) -> Iterator[Installation]:
    """The installation, with its own controller stopped, and room for two runs."""
    installation.until(NOTHING_RUNS)
    installation.scale_controller(0)
    [pool] = installation.query("select max_running from pools")
    installation.query("update pools set max_running = %s", MAXIMUM)
    yield installation
    installation.query("update pools set max_running = %s", pool["max_running"])
    installation.scale_controller(1)
    installation.cluster.wait(lambda: not any(watcher.alive() for watcher in WATCHERS), "the watches to end")
    gc.collect()


@pytest.fixture
def faulty(controllers_away: Installation, tmp_path: Path) -> Iterator[FaultyApiServer]:
    with FaultyApiServer(controllers_away.cluster.kubeconfig, tmp_path) as server:
        yield server


@asynccontextmanager
async def controller(
    installation: Installation,
    kubeconfig: Path,
    folder: Path,
    poll_seconds: float = POLL_SECONDS,
    namespace: str = "",
    **how: Any,
) -> AsyncIterator[tuple[Reconciler, Watcher]]:
    """A controller as `affirm-worker run` puts it together, with less patience.

    Args:
        installation, kubeconfig: whose runs it launches, and how it reaches the API server.
        folder: for its files.
        poll_seconds: between two ticks.
        namespace: that of the runs, if it is not the installation's.
        how: fields of the pool, and of its pod template.
    """
    runner_config = folder / "runner.json"
    runner_config.write_text(runner_json(installation))
    configuration = await load_configuration(kubeconfig)
    async with controller_pool(installation.conninfo, 4) as pool:
        store = ControllerStore(pool)
        installation_id = await store.installation_id()
        namespace = namespace or installation.namespace
        api = KubernetesApi(configuration, namespace, TIMEOUT_SECONDS)
        of_pool = {"retry": RetryPolicy(waits=(timedelta(0),))} | {
            name: how.pop(name) for name in ("retry", "start_deadline") if name in how
        }
        template = replace(read_runner_config(runner_config), **how)
        launcher = KubernetesLauncher(api, installation_id, template)
        pools = OnePool(PoolSpec("default", template=template, **of_pool))
        context = Context(store, launcher, "through the proxy", pools)
        wake = asyncio.Event()

        def saw(thing: Job | Pod, deleted: bool) -> None:
            launcher.on_event(thing, deleted)
            wake.set()

        watcher = Watcher(configuration, namespace, installation_id, saw)
        WATCHERS.append(watcher)
        watcher.start()
        try:
            yield Reconciler(context, poll_seconds, wake, LoopHealth(), resync_seconds=poll_seconds), watcher
        finally:
            watcher.stop()
            await launcher.close()


@contextmanager
def counting(conninfo: str) -> Iterator[list[int]]:
    """How many slots are held, asked again and again."""
    counts: list[int] = []
    stop = threading.Event()

    def count() -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            while not stop.wait(0.02):
                row = connection.execute("select count(*) from runs where released_at is null").fetchone()
                counts.append(row[0] if row else 0)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield counts
    finally:
        stop.set()
        thread.join()


GET_JOB = ("GET", r"/jobs/affirm")
TAKEN_UP_AGAIN = "watches cut short, expired, and without deletions"
"""Here little else wakes the controller."""

CASES: dict[str, list[tuple[tuple[str, str], Fault, int, int | None]]] = {
    "creations that are not carried out": [
        (CREATE, Refuse(429, retry_after=1), 1, 2),
        (CREATE, Refuse(500), 1, 2),
        (CREATE, Reset(carried_out=False), 1, 2),
    ],
    "creations of which the answer is lost": [(CREATE, LoseAnswer(504), 1, 2), (CREATE, Reset(carried_out=True), 1, 3)],
    "504, and no answer to whether it was": [(CREATE, LoseAnswer(504), 1, 2), (GET_JOB, Refuse(500), 1, 3)],
    "creations and lists that hang": [(CREATE, Hang(), 1, 1), (LIST_JOBS, Hang(), 4, 1)],
    "lists and settlements without an answer": [
        (LIST_JOBS, Refuse(500), 2, 3),
        (LIST_PODS, Reset(carried_out=True), 2, 3),
        (SETTLED, Refuse(500), 1, 1),
        (SETTLED, LoseAnswer(504), 1, 1),
    ],
    "stale lists of Jobs": [(LIST_JOBS, Stale(), 2, 8)],
    "stale lists of pods": [(LIST_PODS, Stale(), 2, 8)],
    "410 to the second page": [(NEXT_PAGE, Refuse(410), 1, 3)],
    TAKEN_UP_AGAIN: [
        (WATCH, CutWatch(events=0), 1, 2),
        (WATCH, CutWatch(events=1), 1, 2),
        (WATCH, ExpireWatch(), 1, 1),
        (WATCH, Refuse(410), 1, 1),
        (WATCH, Withhold("DELETED"), 1, None),
    ],
    "watches that say nothing": [(WATCH, Hang(), 1, None)],
}
"""Requests, what happens to them, from which one on, and to how many."""


@pytest.mark.parametrize("case", CASES)
async def test_whatever_the_api_server_does_every_job_is_launched_once_and_completed(
    controllers_away: Installation, faulty: FaultyApiServer, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case == "410 to the second page":
        monkeypatch.setattr(kubernetes_api, "PAGE", 2)
    poll_seconds = 3600 if case == TAKEN_UP_AGAIN else POLL_SECONDS
    installation = controllers_away
    rules = [faulty.rule(*which, fault, first, times) for which, fault, first, times in CASES[case]]
    submitted = installation.submit_small(tmp_path, 3)
    live: list[int] = []
    async with controller(installation, faulty.kubeconfig, tmp_path, poll_seconds) as (reconciler, _):
        with counting(installation.conninfo) as held:
            looking = asyncio.create_task(count_live_pods(installation, live))
            async with asyncio.timeout(120):
                await reconciler.run(asyncio.Event(), until_idle=True)
            looking.cancel()
        faulty.rules.clear()
        await reconciler.tick()
    assert all(rule.happened for rule in rules), [(rule.fault, rule.matched, rule.happened) for rule in rules]
    assert 0 < max(held) <= MAXIMUM
    assert 0 < max(live) <= MAXIMUM
    assert_each_once(installation, submitted)


async def test_a_killed_api_server_costs_time_and_its_watch_is_taken_up_again(
    controllers_away: Installation, tmp_path: Path
) -> None:
    installation = controllers_away
    if not breaking.possible(installation.cluster):
        pytest.skip("kills the API server of a cluster of this host")
    submitted = installation.submit_small(tmp_path, 3)
    async with controller(installation, installation.cluster.kubeconfig, tmp_path) as (reconciler, watcher):
        working = asyncio.create_task(reconciler.run(asyncio.Event(), until_idle=True))
        async with asyncio.timeout(120):
            while not installation.query("select 1 from runs where launched_at is not null and released_at is null"):
                await asyncio.sleep(0.02)
            await asyncio.to_thread(breaking.restart_api_server, installation.cluster)
            await working
        assert_each_once(installation, submitted)
        back = time.monotonic()
        later = installation.submit_small(tmp_path, 3)
        async with asyncio.timeout(120):
            await reconciler.run(asyncio.Event(), until_idle=True)
            while watcher.last_event < back:
                await asyncio.sleep(0.1)
        await reconciler.tick()
    assert_each_once(installation, later)


async def count_live_pods(installation: Installation, live: list[int]) -> None:
    """How many of the installation's pods are not over, asked again and again past the proxy."""
    api = KubernetesApi(await load_configuration(installation.cluster.kubeconfig), installation.namespace)
    try:
        while True:
            pods = await api.list_pods("app=affirm-parser")
            live.append(sum(not pod.over for pod in pods))
            await asyncio.sleep(0.1)
    finally:
        await api.close()


def assert_each_once(installation: Installation, submitted: list[dict[str, Any]]) -> None:
    """Each is completed at the first epoch, with one Job and one pod, one row, no budget used; its Job may expire."""
    ids = [one["job_id"] for one in submitted]
    jobs = installation.query("select * from jobs where id = any(%s)", ids)
    columns = ("state", "lease_epoch", "attempts", "interruptions", "give_backs")
    assert [tuple(job[name] for name in columns) for job in jobs] == [("completed", 1, 0, 0, 0)] * 3
    assert [rows_of(installation, one["dataset_id"]) for one in submitted] == [1] * 3
    ours = [job for job in installation.runner_jobs() if job["metadata"]["labels"]["affirm.dev/job-id"] in ids]
    pods = [pod for pod in installation.runner_pods() if pod["metadata"]["labels"]["affirm.dev/job-id"] in ids]
    assert Counter(one["metadata"]["labels"]["affirm.dev/job-id"] for one in ours) == Counter(ids)
    assert Counter(one["metadata"]["labels"]["affirm.dev/job-id"] for one in pods) == Counter(ids)
    assert all("ttlSecondsAfterFinished" in job["spec"] for job in ours), "what is settled may expire"
