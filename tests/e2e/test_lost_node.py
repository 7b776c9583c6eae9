"""A node falls silent: its kubelet stands still, and one of its runners too."""

import asyncio
import contextlib
import os
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from controller.launchers.interface import Launch, Phase
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from tests.cluster import control_plane_faults
from tests.conformance.launcher_contract import WORKS, until
from tests.e2e.acting_pods import Place
from tests.e2e.installation import Installation
from tests.e2e.loads import COPY_WAITS, NOTHING_RUNS, copy_held_up, copy_slowed_down, rows_of, variant
from tests.e2e.recording import record_job

TOLERATED = tuple(
    {"key": f"node.kubernetes.io/{what}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}
    for what in ("not-ready", "unreachable")
)
TWO_WAIT = f"select 1 where (select count(*) from ({COPY_WAITS}) as waiting) = 2"
COPY_STANDS_STILL = "select 1 from pg_stat_activity where query like '%load.copy_rows%' and wait_event = 'ClientRead'"
RELEASED = "select * from runs where job_id = %s and epoch = 1 and released_at is not null"


def _pid_of_runner(job_id: str) -> int:
    found = subprocess.run(["pgrep", "-f", f"parser-runner --job-id {job_id}"], capture_output=True, text=True)
    [pid] = found.stdout.split()
    return int(pid)


def _go_on(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _ready(installation: Installation) -> list[str]:
    """Of each running runner pod whether it is ready, as the API server has it."""
    return [
        condition["status"]
        for pod in installation.runner_pods()
        for condition in pod["status"].get("conditions", [])
        if condition["type"] == "Ready" and pod["status"]["phase"] == "Running"
    ]


async def _until_deleted(launcher: KubernetesLauncher, launch: Launch) -> None:
    async with asyncio.timeout(200):
        while not (await until(launcher, launch.key, Phase.RUNNING)).evidence.deleted:
            await asyncio.sleep(0.1)
    assert (await until(launcher, launch.key, Phase.RUNNING)).evidence.node_lost


def _job(installation: Installation, submitted: dict[str, Any]) -> tuple[Any, ...]:
    [job] = installation.query("select * from jobs where id = %s", submitted["job_id"])
    return job["state"], job["attempts"], job["interruptions"], job["lease_epoch"]


async def test_a_run_on_a_lost_node_is_queued_again(installation: Installation, place: Place, tmp_path: Path) -> None:
    """One that works on is left alone."""
    cluster = installation.cluster
    if not control_plane_faults.possible(cluster):
        pytest.skip("stops the kubelet of a cluster of this host")
    installation.until(NOTHING_RUNS)
    installation.query("update pools set paused = true")
    years = installation.new_years(2)
    lost, alive = installation.submit(*(variant(tmp_path, year) for year in years))
    async with place.launched(WORKS, tolerations=TOLERATED) as (launcher, evicted):
        await until(launcher, evicted.key, Phase.RUNNING)
        with control_plane_faults.second_node(cluster), ExitStack() as blockers:
            blockers.enter_context(copy_slowed_down(installation, alive["dataset_id"], years[1]))
            stalled = blockers.enter_context(ExitStack())
            stalled.enter_context(copy_held_up(installation, lost["dataset_id"], years[0]))
            installation.query("update pools set paused = false")
            installation.until(TWO_WAIT)
            pid = _pid_of_runner(lost["job_id"])
            # A runner may be at its COPY before the kubelet has reported that it runs.
            cluster.wait(lambda: _ready(installation) == ["True"] * 2, "the kubelet to report both runners")
            with control_plane_faults.standing_still("kubelet"):
                os.kill(pid, signal.SIGSTOP)
                blockers.callback(_go_on, pid)
                stalled.close()
                installation.until(COPY_STANDS_STILL)
                cluster.wait(lambda: _ready(installation) == ["False"] * 2, "the node to be given up", seconds=200)
                record_job(cluster, installation.namespace, "node_lost", lost["job_id"])
                # As if its last heartbeat were longer ago; no runner waits a whole minute for its COPY.
                installation.query("update runs set lease_until = now() where job_id = %s", lost["job_id"])
                [run] = installation.until(RELEASED, lost["job_id"])
                assert (run["cause"], run["node"]) == ("node_lost", "node1")
                assert _job(installation, lost)[1:3] == (0, 1)
                assert _job(installation, alive) == ("running", 0, 0, 1), "its runner renews its lease"
                await _until_deleted(launcher, evicted)
                place.record("node_lost_and_deleted")

                blockers.close()
                installation.until("select 1 from jobs where id = %s and state = 'completed'", alive["job_id"])
                cluster.wait(lambda: not Path(f"/proc/{pid}").exists(), "the fenced runner to end by itself")
                assert rows_of(installation, lost["dataset_id"]) == 0
            cluster.wait(lambda: control_plane_faults.node_is_ready(cluster), "the node to be back")
            installation.until_finished([lost, alive])
    assert _job(installation, lost) == ("completed", 0, 1, 2)
    assert _job(installation, alive) == ("completed", 0, 0, 1)
    assert [rows_of(installation, one["dataset_id"]) for one in (lost, alive)] == [31804] * 2
