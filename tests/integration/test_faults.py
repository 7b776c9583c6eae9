"""What dies, and where. Each test says between which two statements."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import ExitCode
from tests.integration.loads import (
    COPY_OVER,
    COPY_WAITS,
    LEASE_OVER,
    ROWS_2023,
    RUNNERS_GONE,
    YEAR_2023,
    claim_one,
    copy_held_up,
    pid_of,
    proven_environment,
)
from tests.integration.world import NATIONAL, World
from tests.kit.runners import proven

pytestmark = pytest.mark.every_postgres

HOW_IT_DIED = {"killed": signal.SIGKILL, "interrupted": signal.SIGTERM}


@pytest.mark.parametrize("how", HOW_IT_DIED)
async def test_a_runner_dying_in_its_copy_leaves_no_row(world: World, how: str) -> None:
    """The next run completes."""
    result = world.submit(YEAR_2023)
    async with world.controller(owner="a") as reconciler:
        with copy_held_up(world, result.dataset_id, "Olivia"):
            await reconciler.tick()
            await world.until(COPY_WAITS)
            [seen] = await reconciler.context.launcher.list_all()
            os.kill(pid_of(seen.name), HOW_IT_DIED[how])
            # Its backend still waits for the lock, and has not noticed: settle ends it.
            reconciler.stop_claiming()
            async with asyncio.timeout(100):
                while world.query("select 1 from runs where released_at is null"):
                    await reconciler.tick()
                    await asyncio.sleep(0.02)
            await world.until(COPY_OVER)
        assert world.rows(result.dataset_id) == 0
    await world.run_until_idle(owner="b")
    assert world.rows(result.dataset_id) == ROWS_2023
    job = world.job(result.job_id)
    budget = (1, 0) if how == "killed" else (0, 1)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("completed", *budget)


async def test_a_runner_with_a_stale_epoch_commits_nothing_and_says_why(world: World) -> None:
    result = world.submit(YEAR_2023)
    first = await claim_one(world, "gone")
    world.query(LEASE_OVER)
    await world.run_until_idle(owner="b")
    assert world.job(result.job_id)["lease_epoch"] == 2
    world.query("delete from names")  # so that a second load would show

    by_hand = subprocess.run(
        [sys.executable, "-m", "parser_runner", "--job-id", str(first.job_id), "--epoch", "1"],
        env={**proven_environment(world, first.key), "LOG_LEVEL": "INFO"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert by_hand.returncode == ExitCode.LOST_LEASE
    assert "lease epoch 1 is stale: the job is at epoch 2" in by_hand.stderr
    assert world.rows(result.dataset_id) == 0


async def test_a_second_runner_of_the_same_epoch_commits_nothing(world: World) -> None:
    result = world.submit(YEAR_2023)
    run = await claim_one(world, "gone")
    command = [sys.executable, "-m", "parser_runner", "--job-id", str(run.job_id), "--epoch", "1"]
    with copy_held_up(world, result.dataset_id, "Olivia"):
        environment = proven_environment(world, run.key)
        first = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        await world.until(COPY_WAITS)
        second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert second.returncode == ExitCode.LOST_LEASE
    assert first.wait(timeout=60) == 0, first.communicate()[1]
    first.communicate()
    assert world.rows(result.dataset_id) == ROWS_2023


@pytest.mark.parametrize("point", ["before-launch", "after-launch", "after-record"])
async def test_a_controller_killed_around_the_launch_loses_and_doubles_nothing(world: World, point: str) -> None:
    results = [world.submit(NATIONAL / f"yob{year}.txt") for year in (2022, 2023, 2024)]
    died = subprocess.run(
        [sys.executable, "-m", "tests.integration.crashing_controller", point],
        env={**os.environ, **world.environment}, cwd=Path(__file__).parents[2], capture_output=True, timeout=120,
    )  # fmt: skip
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    world.query(LEASE_OVER)
    await world.run_until_idle(owner="b")
    for result in results:
        path = NATIONAL / world.dataset(result.dataset_id)["filename"]
        assert world.rows(result.dataset_id) == path.read_bytes().count(b"\n")
        assert world.job(result.job_id)["state"] == "completed"
        assert world.job(result.job_id)["attempts"] == 0
    assert world.one("select count(*) from runs where committed_at is not null")["count"] == 3


async def test_children_exit_when_their_controller_is_gone(world: World) -> None:
    result = world.submit(YEAR_2023)
    with copy_held_up(world, result.dataset_id, "Olivia"):
        controller = subprocess.Popen(
            [sys.executable, "-c", _CONTROLLER], env={**os.environ, **world.environment}, stderr=subprocess.DEVNULL
        )
        await world.until(COPY_WAITS)
        controller.kill()
        controller.wait()
    await world.until(RUNNERS_GONE)
    assert world.rows(result.dataset_id) == 0


async def test_a_lost_answer_to_the_runner_s_take_lets_the_same_runner_take_again(world: World) -> None:
    from dataset_jobs.model.errors import LostLease
    from dataset_jobs.store.runner import RunnerStore

    world.submit(YEAR_2023)
    run = await claim_one(world, "a")
    for _ in range(2):
        with RunnerStore(world.conninfo, run.key, proven(world.conninfo, run.key, "one")) as store:
            assert store.take().filename == "yob2023.txt"
    with (
        RunnerStore(world.conninfo, run.key, proven(world.conninfo, run.key, "two")) as store,
        pytest.raises(LostLease, match="another runner"),
    ):
        store.take()
    with (
        RunnerStore(
            world.conninfo, RunKey(run.job_id, 2), proven(world.conninfo, RunKey(run.job_id, 2), "one")
        ) as store,
        pytest.raises(LostLease, match="stale"),
    ):
        store.take()


_CONTROLLER = """
import asyncio, os
from functools import partial
from controller.launchers.process.launcher import ProcessLauncher
from parser_runner.child import run_child
from tests.integration.crashing_controller import crash
launcher = ProcessLauncher(partial(run_child, dict(os.environ)), [], lambda: None)
asyncio.run(crash(os.environ["DATABASE_URL"], launcher, "never"))
"""
