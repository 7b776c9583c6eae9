"""What goes wrong between a controller and the API server: each costs time, and nothing else.

The controller works on this host, through a proxy that fails on demand; the pods are real.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from controller.launchers.kubernetes import api as kubernetes_api
from controller.launchers.kubernetes.api import KubernetesApi, load_configuration
from tests.cluster import control_plane_faults
from tests.e2e.controllers import (
    MAXIMUM,
    POLL_SECONDS,
    assert_each_once,
    controller,
)
from tests.e2e.installation import Installation
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


CREATE = ("POST", r"/jobs$")
LIST_JOBS = ("GET", r"/jobs\?")
LIST_PODS = ("GET", r"/pods\?")
NEXT_PAGE = ("GET", r"continue=")
SETTLED = ("PATCH", r"/jobs/")
WATCH = ("WATCH", r"/(jobs|pods)\?")


@pytest.fixture
def faulty(controllers_away: Installation, tmp_path: Path) -> Iterator[FaultyApiServer]:
    with FaultyApiServer(controllers_away.cluster.kubeconfig, tmp_path) as server:
        yield server


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
            async with asyncio.timeout(200):
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
    if not control_plane_faults.possible(installation.cluster):
        pytest.skip("kills the API server of a cluster of this host")
    submitted = installation.submit_small(tmp_path, 3)
    async with controller(installation, installation.cluster.kubeconfig, tmp_path) as (reconciler, watcher):
        working = asyncio.create_task(reconciler.run(asyncio.Event(), until_idle=True))
        async with asyncio.timeout(200):
            while not installation.query("select 1 from runs where launched_at is not null and released_at is null"):
                await asyncio.sleep(0.02)
            await asyncio.to_thread(control_plane_faults.restart_api_server, installation.cluster)
            await working
        assert_each_once(installation, submitted)
        back = time.monotonic()
        later = installation.submit_small(tmp_path, 3)
        async with asyncio.timeout(200):
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
