"""A controller that works on this host, in place of the installed one."""

import asyncio
import gc
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.launchers.kubernetes.api import KubernetesApi, load_configuration
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.launchers.kubernetes.objects import Job, Pod
from controller.loop import Reconciler
from controller.operator import Watcher
from controller.outcomes.retry import RetryPolicy
from controller.pools.spec import PoolSpec
from controller.runner_config import read_runner_config
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from tests.e2e.installation import Installation
from tests.e2e.loads import NOTHING_RUNS, rows_of
from tests.kit.controller import controller as put_together


def runner_json(installation: Installation) -> str:
    """How the installed controller makes runner pods."""
    listed = json.loads(installation.kubectl("get", "configmaps", "-o", "json"))
    [found] = [item["data"]["runner.json"] for item in listed["items"] if "runner.json" in item.get("data", {})]
    return str(found)


WATCHERS: list[Watcher] = []
"""They are asked to end with their controllers, and waited for once."""
MAXIMUM = 2
POLL_SECONDS = 0.3
TIMEOUT_SECONDS = 2.0


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
        wake = asyncio.Event()
        reconciler = put_together(
            store,
            launcher,
            "through the proxy",
            PoolSpec("default", template=template, **of_pool),
            poll_seconds=poll_seconds,
            resync_seconds=poll_seconds,
            wake=wake,
        )

        def saw(thing: Job | Pod, deleted: bool) -> None:
            launcher.on_event(thing, deleted)
            wake.set()

        watcher = Watcher(configuration, namespace, installation_id, saw)
        WATCHERS.append(watcher)
        watcher.start()
        try:
            yield reconciler, watcher
        finally:
            watcher.stop()
            await launcher.close()


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


BLOCKED = "select 1 from pools where blocked_since is not null and blocked_reason = %s"
FINISHED = (
    "select 1 where not exists (select 1 from jobs where finished_at is null)"
    " and not exists (select 1 from runs where released_at is null)"
)


async def ticking_until(
    reconciler: Reconciler, installation: Installation, sql: str, *parameters: object, seconds: float = 100
) -> None:
    """Ticks, with every waiting over at once, until a query has rows."""
    deadline = time.monotonic() + seconds
    while not installation.query(sql, *parameters):
        runs = (
            "select job_id, epoch, launched_at, started_at, cause, reason, error, waits_for, waits_for_error from runs"
        )
        assert time.monotonic() < deadline, installation.query(f"{runs} where released_at is null")
        installation.query("update jobs set run_at = now() where state = 'scheduled'")
        installation.query("update pools set probe_at = now() where blocked_since is not null")
        await reconciler.tick_safely()
        await asyncio.sleep(0.2)


def told(installation: Installation, submitted: list[dict[str, Any]]) -> str:
    """What status and the first job's story say."""
    story = installation.cli("jobs", "explain", submitted[0]["job_id"]).stdout
    return installation.cli("status").stdout + story


def assert_completed(installation: Installation, submitted: list[dict[str, Any]], attempts: int = 0) -> None:
    ids = [one["job_id"] for one in submitted]
    jobs = installation.query("select * from jobs where id = any(%s)", ids)
    used = {(job["state"], job["attempts"], job["interruptions"]) for job in jobs}
    assert used == {("completed", attempts, 0)}, [(job["last_cause"], job["last_error"]) for job in jobs]
