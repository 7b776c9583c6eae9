"""What dies on a real cluster, and where. Each test says between which two steps."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dataset_jobs.model.keys import RUN_SECRET
from dataset_jobs.model.outcome import ExitCode
from tests.e2e.controllers import runner_json
from tests.e2e.installation import ROOT, Installation
from tests.e2e.loads import COPY_WAITS, NOTHING_RUNS, copy_held_up, rows_of, variant


def test_a_runner_killed_in_its_copy_leaves_no_row_and_the_retry_completes(
    installation: Installation, tmp_path: Path
) -> None:
    if not installation.cluster.disposable:
        pytest.skip("kills a container's process on this host")
    installation.query("update pools set paused = true")
    [year] = installation.new_years(1)
    [submitted] = installation.submit(variant(tmp_path, year))
    with copy_held_up(installation, submitted["dataset_id"], year):
        installation.query("update pools set paused = false")
        installation.until(COPY_WAITS)
        [pid] = subprocess.run(
            ["pgrep", "-f", f"parser-runner --job-id {submitted['job_id']}"], capture_output=True, text=True
        ).stdout.split()
        os.kill(int(pid), signal.SIGKILL)
        installation.until("select 1 from runs where job_id = %s and cause is not null", submitted["job_id"])
        assert rows_of(installation, submitted["dataset_id"]) == 0
    [job] = installation.until_finished([submitted])
    assert (job["state"], job["attempts"], job["lease_epoch"]) == ("completed", 1, 2)
    [first, second] = installation.query("select * from runs where job_id = %s order by epoch", submitted["job_id"])
    assert (first["cause"], first["evidence"]["exit_code"]) == ("crashed", 137)
    assert "SIGKILL" in first["error"]
    assert second["cause"] == "completed"
    assert rows_of(installation, submitted["dataset_id"]) == 31804


def test_a_runner_with_a_stale_epoch_commits_nothing_and_says_why(installation: Installation, tmp_path: Path) -> None:
    [submitted] = installation.submit(variant(tmp_path, *installation.new_years(1)))
    installation.until_finished([submitted])
    [found] = installation.query("select run_secret(%s, 0) as secret", submitted["job_id"])
    secret = found["secret"]
    by_hand = subprocess.run(
        [sys.executable, "-m", "parser_runner", "--job-id", submitted["job_id"], "--epoch", "0"],
        env={**os.environ, **installation.environment, RUN_SECRET: secret}, cwd=ROOT, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert by_hand.returncode == ExitCode.LOST_LEASE
    assert "lease epoch 0 is stale: the job is at epoch 1" in by_hand.stderr


@pytest.mark.parametrize("point", ["before-launch", "after-launch", "after-record"])
def test_a_controller_killed_around_the_launch_loses_and_doubles_nothing(
    installation: Installation, tmp_path: Path, point: str
) -> None:
    installation.until(NOTHING_RUNS)
    installation.scale_controller(0)
    try:
        submitted = installation.submit(*(variant(tmp_path, year) for year in installation.new_years(2)))
        runner_config = tmp_path / "runner.json"
        runner_config.write_text(runner_json(installation))
        died = subprocess.run(
            [sys.executable, "-m", "tests.e2e.crashing_controller", point],
            env={
                **os.environ, **installation.environment,
                "AFFIRM_KUBECONFIG": str(installation.cluster.kubeconfig),
                "AFFIRM_NAMESPACE": installation.namespace, "AFFIRM_RUNNER_CONFIG": str(runner_config),
            },
            cwd=ROOT, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert died.returncode == -signal.SIGKILL, died.stderr
        # Another controller's fresh claims are left to it for a while; let that while be over.
        ids = [one["job_id"] for one in submitted]
        installation.query("update runs set claimed_at = claimed_at - interval '1 minute' where job_id = any(%s)", ids)
    finally:
        installation.scale_controller(1)
    jobs = installation.until_finished(submitted)
    assert [(job["state"], job["attempts"], job["lease_epoch"]) for job in jobs] == [("completed", 0, 1)] * 2
    assert [rows_of(installation, one["dataset_id"]) for one in submitted] == [31804] * 2
    names = [
        job["metadata"]["name"]
        for job in installation.runner_jobs()
        if job["metadata"]["labels"]["affirm.dev/job-id"] in ids
    ]
    pods = [
        pod["metadata"]["name"]
        for pod in installation.runner_pods()
        if pod["metadata"]["labels"]["affirm.dev/job-id"] in ids
    ]
    assert (len(names), len(pods)) == (2, 2)


def test_a_job_deleted_under_us_is_an_interruption(installation: Installation, tmp_path: Path) -> None:
    installation.query("update pools set paused = true")
    [year] = installation.new_years(1)
    [submitted] = installation.submit(variant(tmp_path, year))
    with copy_held_up(installation, submitted["dataset_id"], year):
        installation.query("update pools set paused = false")
        installation.until(COPY_WAITS)
        [run] = installation.query("select launch_name from runs where job_id = %s", submitted["job_id"])
        installation.kubectl("delete", "job", run["launch_name"], "--wait=false")
        deadline = time.monotonic() + 100
        while not installation.query(
            "select 1 from runs where job_id = %s and released_at is not null", submitted["job_id"]
        ):
            assert time.monotonic() < deadline, installation.controller_log()
            time.sleep(0.1)
    [job] = installation.until_finished([submitted])
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", 0, 1)


def test_a_cancelled_job_loses_its_pod_and_commits_nothing(installation: Installation, tmp_path: Path) -> None:
    """It can be retried."""
    installation.query("update pools set paused = true")
    [year] = installation.new_years(1)
    [submitted] = installation.submit(variant(tmp_path, year))
    job_id = submitted["job_id"]
    with copy_held_up(installation, submitted["dataset_id"], year):
        installation.query("update pools set paused = false")
        installation.until(COPY_WAITS)
        installation.cli("jobs", "cancel", job_id)
        installation.until("select 1 from runs where job_id = %s and released_at is not null", job_id)
    [job] = installation.query("select * from jobs where id = %s", job_id)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("cancelled", 0, 0)
    assert rows_of(installation, submitted["dataset_id"]) == 0
    pods = [pod for pod in installation.runner_pods() if pod["metadata"]["labels"]["affirm.dev/job-id"] == job_id]
    assert not [pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")], "a slot is free only then"

    installation.cli("jobs", "retry", job_id)
    [job] = installation.until_finished([submitted])
    assert (job["state"], job["lease_epoch"]) == ("completed", 2)
    assert rows_of(installation, submitted["dataset_id"]) == 31804
    story = installation.cli("jobs", "explain", job_id).stdout
    assert "cancel" in story
    assert "completed" in story
