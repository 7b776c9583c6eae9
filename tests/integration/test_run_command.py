"""`affirm-worker run` as a process: signals, exit codes, waiting for the schema."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.countries import iso_countries
from dataset_jobs import migrations
from tests.integration.command_line import ROOT, log_of, log_until, running
from tests.integration.loads import COPY_WAITS, ROWS_2023, YEAR_2023, copy_held_up
from tests.integration.world import World


async def test_sigterm_lets_children_finish_within_the_grace_period(world: World) -> None:
    result = world.submit(YEAR_2023)
    with running(world, WORKER_SHUTDOWN_GRACE="30s") as process:
        with copy_held_up(world, result.dataset_id, "Olivia"):
            await world.until(COPY_WAITS)
            process.send_signal(signal.SIGTERM)
            stopping = log_until(process, "stopping: ")
        assert process.wait(100) == 0
        log = log_of(process)
    assert world.job(result.job_id)["state"] == "completed"
    assert world.rows(result.dataset_id) == ROWS_2023
    assert stopping == "stopping: 1 run may finish, up to 30 s"
    assert log[-1]["msg"] == "stopped"


async def test_a_load_says_what_it_waits_for_once_it_is_interrupted(world: World) -> None:
    result = world.submit(YEAR_2023)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "load", str(YEAR_2023), "--country", "US"],
        env={**os.environ, **world.environment, "WORKER_SHUTDOWN_GRACE": "200ms"}, cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with copy_held_up(world, result.dataset_id, "Olivia"):
        await world.until(COPY_WAITS)
        process.send_signal(signal.SIGINT)
        _, said = await asyncio.to_thread(process.communicate, timeout=100)
    assert process.returncode == 130
    assert "stopping: 1 run may finish, up to 0.2 s; Ctrl-C again kills it\n" in said


async def test_after_the_grace_period_children_are_interrupted_and_their_jobs_given_back(world: World) -> None:
    result = world.submit(YEAR_2023)
    with running(world, WORKER_SHUTDOWN_GRACE="200ms") as process, copy_held_up(world, result.dataset_id, "Olivia"):
        await world.until(COPY_WAITS)
        process.send_signal(signal.SIGTERM)
        assert process.wait(100) == 0
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("queued", 0, 1)
    assert world.one("select cause from runs")["cause"] == "shut_down"
    assert world.dataset(result.dataset_id)["status"] == "pending"
    assert world.rows(result.dataset_id) == 0


async def test_a_second_signal_goes_at_once_and_nothing_is_lost(world: World) -> None:
    result = world.submit(YEAR_2023)
    with running(world, WORKER_SHUTDOWN_GRACE="1h") as process, copy_held_up(world, result.dataset_id, "Olivia"):
        await world.until(COPY_WAITS)
        process.send_signal(signal.SIGINT)
        stopping = log_until(process, "stopping: ")
        process.send_signal(signal.SIGINT)
        assert process.wait(100) == 0
        says = [str(line["msg"]) for line in log_of(process)]
    assert stopping == "stopping: 1 run may finish, up to 60 min; Ctrl-C again kills it"
    assert any(line.startswith("stopping now: 1 run is killed; the next controller queues its job") for line in says)
    world.query("update runs set lease_until = now() - interval '1 second'")
    await world.run_until_idle(owner="b")
    assert world.rows(result.dataset_id) == ROWS_2023


async def test_until_idle_exits_130_where_it_is_interrupted(world: World) -> None:
    result = world.submit(YEAR_2023)
    with (
        running(world, "--until-idle", WORKER_SHUTDOWN_GRACE="0s") as process,
        copy_held_up(world, result.dataset_id, "Olivia"),
    ):
        await world.until(COPY_WAITS)
        process.send_signal(signal.SIGINT)
        assert process.wait(100) == 130


async def test_until_idle_exits_0_when_all_is_done(world: World) -> None:
    """Every log line names its worker, job and dataset."""
    result = world.submit(YEAR_2023)
    with running(world, "--until-idle", WORKER_ID="worker-7") as process:
        assert process.wait(100) == 0
        log = log_of(process)
    assert {"time", "level", "msg"} <= set.intersection(*(set(line) for line in log))
    claimed = next(line for line in log if line["msg"] == "claimed")
    assert {name: claimed[name] for name in ("worker_id", "job_id", "job_type", "dataset_id", "attempt")} == {
        "worker_id": "worker-7",
        "job_id": str(result.job_id),
        "job_type": "parse_dataset",
        "dataset_id": str(result.dataset_id),
        "attempt": 1,
    }
    said = json.dumps(log)
    assert "Olivia" not in said
    assert world.conninfo.split(":")[2].split("@")[0] not in said  # the password


@pytest.mark.parametrize("waiting", [True, False])
async def test_until_idle_exits_1_and_lists_what_still_waits_for_a_retry(world: World, waiting: bool) -> None:
    result = world.submit(YEAR_2023)
    if waiting:
        (world.folder / "storage").rename(world.folder / "unmounted")
    with running(world, "--until-idle") as process:
        assert process.wait(100) == (1 if waiting else 0)
        log = log_of(process)
    assert any(str(result.job_id) in str(line) and "still waiting" in str(line["msg"]) for line in log) == waiting


async def test_a_controller_waits_for_the_schema_that_it_is_for(empty_database: str, tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    environment = {"DATABASE_URL": empty_database, "STORAGE_PATH": str(tmp_path / "storage"), "LOG_FORMAT": "json"}
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "run", "--until-idle"],
        env={**os.environ, **environment}, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        named, first = json.loads(process.stderr.readline()), json.loads(process.stderr.readline())
        assert re.fullmatch(
            rf"database: 127\.0\.0\.1:\d+/\w+ as \w+; storage: {tmp_path}/storage; health port: none", named["msg"]
        )
        assert first["msg"].startswith("waiting: ")
        assert "migrate" in first["msg"]
        migrations.apply(empty_database, iso_countries())
        assert process.wait(100) == 0
    finally:
        process.kill()
        process.communicate()
