"""What dies, and where. Each test says between which two statements."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from controller.launchers.interface import Launch
from controller.launchers.process.launcher import ProcessLauncher
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.store.controller_views import ClaimedRun
from parser_runner.child import run_child
from tests.integration.world import NATIONAL, World

pytestmark = pytest.mark.every_postgres

YEAR_2023 = NATIONAL / "yob2023.txt"
ROWS_2023 = YEAR_2023.read_bytes().count(b"\n")
LEASE_OVER = "update runs set lease_until = now() - interval '1 second' where released_at is null"
HOW_IT_DIED = {"killed": signal.SIGKILL, "interrupted": signal.SIGTERM}


@contextmanager
def copy_held_up(world: World, dataset_id: Any, name: str) -> Iterator[None]:
    """Holds up the COPY of a dataset at one of its rows: another transaction has just inserted it."""
    with psycopg.connect(world.conninfo) as blocker:
        key = world.dataset(dataset_id)["key"]
        row = (key, 2023, "F", name, name.lower(), 1)
        blocker.execute(
            "insert into names (dataset_key, year, gender, name, folded_name, count) values (%s, %s, %s, %s, %s, %s)",
            row,
        )
        yield
        blocker.rollback()


async def until(world: World, sql: str, seconds: float = 30) -> None:
    """Waits until a query has a row."""
    async with asyncio.timeout(seconds):
        while not world.query(sql):
            await asyncio.sleep(0.02)


COPY_OVER = "select 1 where not exists (select from pg_stat_progress_copy)"
COPY_STANDS_STILL = "select 1 from pg_stat_activity where query like '%load.copy_rows%' and wait_event = 'ClientRead'"
RUNNERS_GONE = "select 1 where not exists (select from pg_stat_activity where application_name like 'parser-runner%')"
COPY_WAITS = "select 1 from pg_stat_activity where query like '%load.copy_rows%' and wait_event_type = 'Lock'"


async def claim_one(world: World, owner: str) -> ClaimedRun:
    """Claims one job as a controller would."""
    async with world.store() as store:
        from datetime import timedelta

        [run] = await store.claim("default", 1, "process", owner, timedelta(seconds=60))
    return run


def launch_of(run: ClaimedRun) -> Launch:
    return Launch(run.key, run.dataset_id, run.type, 1)


def pid_of(name: str) -> int:
    return int(name.removeprefix("pid-"))


@pytest.mark.parametrize("how", HOW_IT_DIED)
async def test_a_runner_that_dies_in_its_copy_leaves_no_row_and_the_next_run_completes(world: World, how: str) -> None:
    result = world.submit(YEAR_2023)
    async with world.controller(owner="a") as reconciler:
        with copy_held_up(world, result.dataset_id, "Olivia"):
            await reconciler.tick()
            await until(world, COPY_WAITS)
            [seen] = await reconciler.context.launcher.list_all()
            os.kill(pid_of(seen.name), HOW_IT_DIED[how])
            # Its backend still waits for the lock, and has not noticed: settle ends it.
            reconciler.stop_claiming()
            async with asyncio.timeout(30):
                while world.query("select 1 from runs where released_at is null"):
                    await reconciler.tick()
                    await asyncio.sleep(0.02)
            await until(world, COPY_OVER)
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
        env={**os.environ, **world.environment, "LOG_LEVEL": "INFO"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert by_hand.returncode == ExitCode.LOST_LEASE
    assert "lease epoch 1 is stale: the job is at epoch 2" in by_hand.stderr
    assert world.rows(result.dataset_id) == 0


async def test_a_second_runner_of_the_same_epoch_commits_nothing(world: World) -> None:
    result = world.submit(YEAR_2023)
    run = await claim_one(world, "gone")
    command = [sys.executable, "-m", "parser_runner", "--job-id", str(run.job_id), "--epoch", "1"]
    with copy_held_up(world, result.dataset_id, "Olivia"):
        environment = {**os.environ, **world.environment}
        first = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        await until(world, COPY_WAITS)
        second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert second.returncode == ExitCode.LOST_LEASE
    assert first.wait(timeout=60) == 0, first.communicate()[1]
    first.communicate()
    assert world.rows(result.dataset_id) == ROWS_2023


async def test_a_zombie_that_stands_still_in_its_copy_does_not_hold_up_the_next_epoch(world: World) -> None:
    lines = "".join(f"{_word(number)},F,5\n" for number in range(400_000))
    result = world.submit(world.file("yob2023.txt", lines))
    run = await claim_one(world, "a")
    launcher = ProcessLauncher(partial(run_child, world.environment), [], lambda: None)
    try:
        with copy_held_up(world, result.dataset_id, _word(0)):
            pid = pid_of(await launcher.launch(launch_of(run)))
            await until(world, COPY_WAITS)
            os.kill(pid, signal.SIGSTOP)
        await until(world, COPY_STANDS_STILL)
        world.query(LEASE_OVER)
        await world.run_until_idle(owner="b")
        assert world.rows(result.dataset_id) == 400_000
        os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(30):
            while (await launcher.list_all())[0].evidence.exit_code is None:
                await asyncio.sleep(0.05)
        assert world.rows(result.dataset_id) == 400_000
        job = world.job(result.job_id)
        assert (job["state"], job["lease_epoch"], job["interruptions"]) == ("completed", 2, 1)
    finally:
        await launcher.close()


@pytest.mark.parametrize("point", ["before-launch", "after-launch", "after-record"])
async def test_a_controller_killed_around_the_launch_loses_and_doubles_nothing(world: World, point: str) -> None:
    results = [world.submit(NATIONAL / f"yob{year}.txt") for year in (2022, 2023, 2024)]
    died = subprocess.run(
        [sys.executable, "-m", "tests.integration.crashing_controller", point],
        env={**os.environ, **world.environment}, cwd=Path(__file__).parents[2], capture_output=True, timeout=60,
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
        await until(world, COPY_WAITS)
        controller.kill()
        controller.wait()
    await until(world, RUNNERS_GONE)
    assert world.rows(result.dataset_id) == 0


async def test_the_maximum_of_the_pool_holds_with_four_controllers_at_once(world: World) -> None:
    for number in range(12):
        world.submit(world.file(f"yob{2000 + number}.txt", f"Mary,F,{number + 5}\n"))
    world.query("update pools set max_running = 3")
    most = 0
    stop = asyncio.Event()

    async def watch() -> None:
        nonlocal most
        while not stop.is_set():
            most = max(most, world.one("select count(*) from runs where released_at is null")["count"])
            await asyncio.sleep(0.005)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(world.run_until_idle(owner=f"c{number}", concurrency=10) for number in range(4)))
    stop.set()
    await watcher
    assert 0 < most <= 3
    assert world.one("select count(*) from names")["count"] == 12
    assert world.one("select count(*) from runs")["count"] == 12


async def test_a_lost_answer_to_the_runner_s_take_lets_the_same_runner_take_again(world: World) -> None:
    from dataset_jobs.model.errors import LostLease
    from dataset_jobs.store.runner import Runner, RunnerStore

    world.submit(YEAR_2023)
    run = await claim_one(world, "a")
    for _ in range(2):
        with RunnerStore(world.conninfo, run.key, Runner("one")) as store:
            assert store.take().filename == "yob2023.txt"
    with RunnerStore(world.conninfo, run.key, Runner("two")) as store, pytest.raises(LostLease, match="another runner"):
        store.take()
    with (
        RunnerStore(world.conninfo, RunKey(run.job_id, 2), Runner("one")) as store,
        pytest.raises(LostLease, match="stale"),
    ):
        store.take()


def _word(number: int) -> str:
    letters = ""
    for _ in range(5):
        number, digit = divmod(number, 26)
        letters = chr(ord("a") + digit) + letters
    return "A" + letters


_CONTROLLER = """
import asyncio, os
from functools import partial
from controller.launchers.process.launcher import ProcessLauncher
from parser_runner.child import run_child
from tests.integration.crashing_controller import crash
launcher = ProcessLauncher(partial(run_child, dict(os.environ)), [], lambda: None)
asyncio.run(crash(os.environ["DATABASE_URL"], launcher, "never"))
"""
