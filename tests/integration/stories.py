"""What must hold whatever lies between an installation and its database."""

import asyncio
import os
import signal
import threading
from collections import Counter
from functools import partial

import psycopg

from controller.launchers.process.launcher import ProcessLauncher
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.requests import Conflict
from parser_runner.child import run_child
from services.client import Client
from services.jobs import Cancel
from tests.fakes.launcher import FakeLauncher
from tests.integration.loads import (
    COPY_OVER,
    COPY_STANDS_STILL,
    COPY_WAITS,
    LEASE_OVER,
    YEAR_2023,
    claim_one,
    copy_held_up,
    fail,
    launch_of,
    pid_of,
    settled,
)
from tests.integration.world import HOUR, NATIONAL, NO_RETRIES, World
from tests.kit.letters import letters

CANCEL_WAITS = "select 1 from pg_stat_activity where query like '%jobs.lock%' and wait_event_type = 'Lock'"


def _word(number: int) -> str:
    return "A" + letters(number, 5)


class Stories:
    """Subclasses give the fixture `world`."""

    async def test_ten_files_load_side_by_side(self, world: World) -> None:
        files = sorted(NATIONAL.glob("yob*.txt"))
        assert len(files) == 10
        for path in files:
            world.submit(path)
        await world.run_until_idle()
        loaded = {row["year"]: row["n"] for row in world.query("select year, count(*) n from names group by 1")}
        assert loaded == {int(path.stem[3:]): path.read_bytes().count(b"\n") for path in files}
        states = Counter(row["state"] for row in world.query("select state from jobs"))
        assert states == {"completed": 10}

    async def test_reprocessing_replaces_the_rows_and_a_failed_one_keeps_them(self, world: World) -> None:
        result = world.submit(world.file("yob2020.txt", "Mary,F,10\r\nAnna,F,9\r\n"))
        await world.run_until_idle()
        loaded_at = world.dataset(result.dataset_id)["loaded_at"]
        world.client.datasets.reprocess(result.dataset_id)
        await world.run_until_idle()
        dataset = world.dataset(result.dataset_id)
        assert (dataset["status"], dataset["row_count"]) == ("completed", 2)
        assert dataset["loaded_at"] > loaded_at
        assert world.rows(result.dataset_id) == 2

        with world.file("changed", "Mary,F,11\r\n").open("rb") as changed:
            world.storage.put(dataset["storage_uri"].removeprefix("local:"), changed)
        job_id, _ = world.client.datasets.reprocess(result.dataset_id)
        await world.run_until_idle()
        assert world.job(job_id)["state"] == "failed"
        dataset = world.dataset(result.dataset_id)
        assert (dataset["status"], dataset["row_count"]) == ("completed", 2)
        assert "is not the one that was submitted" in dataset["error"]
        assert world.rows(result.dataset_id) == 2

    async def test_a_zombie_in_its_copy_does_not_hold_up_the_next_epoch(self, world: World) -> None:
        lines = "".join(f"{_word(number)},F,5\n" for number in range(400_000))
        result = world.submit(world.file("yob2023.txt", lines))
        run = await claim_one(world, "a")
        launcher = ProcessLauncher(partial(run_child, world.environment), [], lambda: None)
        try:
            with copy_held_up(world, result.dataset_id, _word(0)):
                pid = pid_of(await launcher.launch(launch_of(run)))
                await world.until(COPY_WAITS)
                os.kill(pid, signal.SIGSTOP)
            await world.until(COPY_STANDS_STILL)
            world.query(LEASE_OVER)
            await world.run_until_idle(owner="b")
            assert world.rows(result.dataset_id) == 400_000
            os.kill(pid, signal.SIGCONT)
            async with asyncio.timeout(100):
                while (await launcher.list_all())[0].evidence.exit_code is None:
                    await asyncio.sleep(0.05)
            assert world.rows(result.dataset_id) == 400_000
            job = world.job(result.job_id)
            assert (job["state"], job["lease_epoch"], job["interruptions"]) == ("completed", 2, 1)
        finally:
            await launcher.close()

    async def test_the_maximum_holds_with_four_controllers_at_once(self, world: World) -> None:
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

    async def test_a_cancelled_job_is_stopped_in_its_copy(self, world: World) -> None:
        result = world.submit(YEAR_2023)
        async with world.controller(retry=HOUR) as reconciler:
            with copy_held_up(world, result.dataset_id, "Olivia"):
                await reconciler.tick()
                await world.until(COPY_WAITS)
                assert world.client.jobs.cancel(result.job_id) is Cancel.REQUESTED
                run = world.one("select * from runs")
                assert (run["cause"], run["released_at"]) == ("cancelled", None)
                assert run["ended_at"] is not None
                await settled(world, reconciler)
                await world.until(COPY_OVER)
            assert await reconciler.context.launcher.list_all() == []
        job, dataset = world.job(result.job_id), world.dataset(result.dataset_id)
        assert (job["state"], job["last_cause"], job["attempts"], job["interruptions"]) == (
            "cancelled",
            "cancelled",
            0,
            0,
        )
        assert (dataset["status"], dataset["row_count"]) == ("pending", None)
        assert world.rows(result.dataset_id) == 0
        [told] = world.client.jobs.get(result.job_id)[1]
        assert (told.cause, told.decision) == (
            "cancelled",
            {"state": "cancelled", "why": "cancel was asked for", "attempts": 0, "interruptions": 0, "give_backs": 0},
        )

    async def test_a_commit_that_has_the_job_first_wins(self, world: World) -> None:
        result = world.submit_small()
        run = await claim_one(world, "a")
        with psycopg.connect(world.conninfo) as commit:
            # The load's commit as it stands after its fence: job and run locked, and the job completed.
            commit.execute("select from jobs join runs on job_id = id where id = %s for update", [result.job_id])
            commit.execute("update runs set started_at = now(), runner_uid = 'u' where job_id = %s", [run.job_id])
            commit.execute("update runs set committed_at = now() where job_id = %s", [run.job_id])
            commit.execute("update jobs set state = 'completed', finished_at = now() where id = %s", [result.job_id])
            failures: list[Exception] = []

            def cancel() -> None:
                with Client.connect(world.conninfo) as client:
                    try:
                        client.jobs.cancel(result.job_id)
                    except Conflict as error:
                        failures.append(error)

            cancelling = threading.Thread(target=cancel)
            cancelling.start()
            await world.until(CANCEL_WAITS)
            commit.commit()
            cancelling.join(timeout=100)
        assert "has completed already" in str(failures[0])
        job = world.job(result.job_id)
        assert (job["state"], job["cancel_requested_at"]) == ("completed", None)

    async def test_a_failed_job_goes_back_with_fresh_budgets(self, world: World) -> None:
        result = world.submit_small()
        launcher = FakeLauncher()
        async with world.controller(launcher, retry=NO_RETRIES) as reconciler:
            await fail(world, reconciler, result.job_id)
            assert world.dataset(result.dataset_id)["status"] == "failed"
            retried = world.client.jobs.retry(result.job_id)
            assert (retried.job_id, retried.filename) == (result.job_id, "yob2020.txt")
            job = world.job(result.job_id)
            assert (job["state"], job["attempts"], job["lease_epoch"], job["finished_at"]) == ("queued", 0, 1, None)
            assert len(job["retried_at"]) == 1
            assert world.dataset(result.dataset_id)["status"] == "pending"
            await reconciler.tick()
            assert launcher.launches[-1] == RunKey(result.job_id, 2)
            assert [run["cause"] for run in world.query("select cause from runs order by epoch")] == ["crashed", None]
        world.query("update runs set lease_until = now() - interval '1 second', launcher = 'process'")
        await world.run_until_idle(owner="b")
        assert world.job(result.job_id)["state"] == "completed"
        assert world.rows(result.dataset_id) == 1
