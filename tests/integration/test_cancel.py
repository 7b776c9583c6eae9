"""Cancel: at once where a job waits; where it runs, whichever locks the job first wins, the cancel or the commit."""

import asyncio
import os
import signal
import threading
from datetime import timedelta

import psycopg
import pytest

from controller.launchers.interface import Launch, Phase
from controller.loop import Reconciler
from controller.outcomes.retry import RetryPolicy
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.requests import Conflict, NotFound
from dataset_jobs.model.settlement import Evidence
from dataset_jobs.store.notifications import listen
from dataset_jobs.store.runner import Loaded, Runner, RunnerStore
from services.client import Client
from services.jobs import Cancel
from tests.fakes.launcher import FakeLauncher
from tests.integration.test_faults import COPY_OVER, COPY_WAITS, YEAR_2023, claim_one, copy_held_up, pid_of, until
from tests.integration.world import Submitted, World, key_of

pytestmark = pytest.mark.every_postgres

CANCEL_WAITS = "select 1 from pg_stat_activity where query like '%jobs.lock%' and wait_event_type = 'Lock'"
HOUR = RetryPolicy(waits=(timedelta(hours=1),))


class Lingering(FakeLauncher):
    """Its pods take their time to end."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped: list[tuple[RunKey, bool]] = []

    async def stop(self, key: RunKey, now: bool = False) -> None:
        self.stopped.append((key, now))


def a_file(world: World, year: int = 2020) -> Submitted:
    return world.submit(world.file(f"yob{year}.txt", f"Mary,F,{year}\n"))


def reprocessed(world: World, first: Submitted) -> Submitted:
    """A second job for a dataset that is loaded."""
    job_id, _ = world.client.datasets.reprocess(first.dataset_id)
    return Submitted(first.dataset_id, job_id)


async def settled(world: World, reconciler: Reconciler) -> None:
    """Ticks, without claiming anything, until no run holds a slot."""
    reconciler.stop_claiming()
    async with asyncio.timeout(30):
        while world.query("select 1 from runs where released_at is null"):
            await reconciler.tick()
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("state", ["queued", "scheduled"])
async def test_a_job_that_waits_is_cancelled_at_once_and_never_claimed(world: World, state: str) -> None:
    result = a_file(world)
    world.query("update jobs set state = %s", state)
    assert world.client.jobs.cancel(result.job_id) is Cancel.CANCELLED
    assert world.client.jobs.cancel(result.job_id) is Cancel.CANCELLED, "asked again"
    await world.run_until_idle()
    job, dataset = world.job(result.job_id), world.dataset(result.dataset_id)
    assert (job["state"], job["last_cause"], job["lease_epoch"]) == ("cancelled", "cancelled", 0)
    assert (dataset["status"], dataset["error"]) == ("pending", "cancelled")
    assert world.rows(result.dataset_id) == 0


async def test_a_running_job_is_stopped_in_its_copy_and_commits_nothing_after(world: World) -> None:
    result = world.submit(YEAR_2023)
    async with world.controller(retry=HOUR) as reconciler:
        with copy_held_up(world, result.dataset_id, "Olivia"):
            await reconciler.tick()
            await until(world, COPY_WAITS)
            assert world.client.jobs.cancel(result.job_id) is Cancel.REQUESTED
            run = world.one("select * from runs")
            assert (run["cause"], run["released_at"]) == ("cancelled", None)
            assert run["ended_at"] is not None
            await settled(world, reconciler)
            await until(world, COPY_OVER)
        assert await reconciler.context.launcher.list_all() == []
    job, dataset = world.job(result.job_id), world.dataset(result.dataset_id)
    assert (job["state"], job["last_cause"], job["attempts"], job["interruptions"]) == ("cancelled", "cancelled", 0, 0)
    assert (dataset["status"], dataset["row_count"]) == ("pending", None)
    assert world.rows(result.dataset_id) == 0
    [told] = world.client.jobs.get(result.job_id)[1]
    assert (told.cause, told.decision) == (
        "cancelled",
        {"state": "cancelled", "why": "cancel was asked for", "attempts": 0, "interruptions": 0, "give_backs": 0},
    )


async def test_a_runner_that_does_not_heed_its_stop_is_killed_after_a_while(world: World) -> None:
    result = world.submit(YEAR_2023)
    async with world.controller(retry=HOUR) as reconciler:
        with copy_held_up(world, result.dataset_id, "Olivia"):
            await reconciler.tick()
            await until(world, COPY_WAITS)
            [seen] = await reconciler.context.launcher.list_all()
            os.kill(pid_of(seen.name), signal.SIGSTOP)
            world.client.jobs.cancel(result.job_id)
            reconciler.stop_claiming()
            for _ in range(3):
                await reconciler.tick()
            assert world.job(result.job_id)["state"] == "running", "while its process is there"
            world.query("update runs set ended_at = ended_at - interval '11 seconds'")
            await settled(world, reconciler)
    assert world.job(result.job_id)["state"] == "cancelled"
    assert world.rows(result.dataset_id) == 0


async def test_a_cancelled_reprocess_keeps_the_old_rows(world: World) -> None:
    first = a_file(world)
    await world.run_until_idle()
    loaded_at = world.dataset(first.dataset_id)["loaded_at"]
    second = reprocessed(world, first)
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        assert world.dataset(first.dataset_id)["status"] == "reprocessing"
        world.client.jobs.cancel(second.job_id)
        await reconciler.tick()
        await reconciler.tick()
    dataset = world.dataset(first.dataset_id)
    assert (dataset["status"], dataset["loaded_at"], dataset["error"]) == ("completed", loaded_at, "cancelled")
    assert world.job(second.job_id)["state"] == "cancelled"
    assert world.rows(first.dataset_id) == 1


def loaded(store: RunnerStore) -> None:
    """Takes the run and loads one row."""
    assignment = store.take()
    block = f"{assignment.dataset_key}\t2023\tEmma\tF\temma\t15433\n".encode()
    store.load(assignment, [block], Loaded("us-ssa", "births", None, None, [Covered(2023, "F", 1, 15433)]), 13)


async def test_a_commit_that_has_the_job_first_wins_and_the_cancel_says_that_it_is_too_late(world: World) -> None:
    result = a_file(world)
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
        await until(world, CANCEL_WAITS)
        commit.commit()
        cancelling.join(timeout=30)
    assert "has completed already" in str(failures[0])
    job = world.job(result.job_id)
    assert (job["state"], job["cancel_requested_at"]) == ("completed", None)


async def test_a_cancel_that_has_the_job_first_wins_and_the_commit_is_refused(world: World) -> None:
    from dataset_jobs.model.errors import LostLease

    result = a_file(world)
    run = await claim_one(world, "a")
    refused: list[LostLease] = []

    def runner() -> None:
        with RunnerStore(world.conninfo, run.key, Runner("uid")) as store:
            try:
                loaded(store)
            except LostLease as error:
                refused.append(error)

    with copy_held_up(world, result.dataset_id, "Emma"):
        loading = threading.Thread(target=runner)
        loading.start()
        await until(world, COPY_WAITS)
        assert world.client.jobs.cancel(result.job_id) is Cancel.REQUESTED
    loading.join(timeout=30)
    assert "being cancelled" in str(refused[0])
    assert world.rows(result.dataset_id) == 0
    assert world.one("select committed_at from runs")["committed_at"] is None


async def test_a_runner_cannot_take_a_cancelled_run_and_its_heartbeat_tells_it(world: World) -> None:
    from dataset_jobs.model.errors import LostLease

    result = a_file(world)
    run = await claim_one(world, "a")
    with RunnerStore(world.conninfo, run.key, Runner("uid")) as store:
        store.take()
        assert store.heartbeat(1, 1)
        world.client.jobs.cancel(result.job_id)
        assert not store.heartbeat(2, 2)
        with pytest.raises(LostLease, match="being cancelled"):
            store.take()


async def test_the_slot_is_held_until_the_pod_is_gone(world: World) -> None:
    result = a_file(world)
    launcher = Lingering()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        key = key_of(world.job(result.job_id))
        world.client.jobs.cancel(result.job_id)
        await reconciler.tick()
        assert launcher.stopped == [(key, False)]
        assert world.job(result.job_id)["state"] == "running"
        assert world.one("select released_at from runs")["released_at"] is None
        launcher.end(key, Evidence(exit_code=143, pod_name="p", node="n", container_started=True))
        await reconciler.tick()
    run = world.one("select * from runs")
    assert (run["cause"], run["evidence"]["exit_code"], run["node"]) == ("cancelled", 143, "n")
    assert world.job(result.job_id)["state"] == "cancelled"


async def test_a_cancel_between_claim_and_launch_ends_although_nothing_is_launched(world: World) -> None:
    result = a_file(world)
    async with world.store() as store:
        await store.claim("default", 1, "kubernetes", "gone", timedelta(seconds=60))
    world.client.jobs.cancel(result.job_id)
    launcher = Lingering()
    async with world.controller(launcher, owner="b") as reconciler:
        await reconciler.tick()
        assert world.job(result.job_id)["state"] == "running", "the launch may still be carried out"
        world.query(
            "update runs set ended_at = now() - interval '61 seconds', claimed_at = now() - interval '2 minutes'"
        )
        await reconciler.tick()
    assert world.job(result.job_id)["state"] == "cancelled"
    assert launcher.launches == []


async def test_a_launch_that_was_carried_out_without_an_answer_is_stopped_as_well(world: World) -> None:
    result = a_file(world)
    async with world.store() as store:
        [run] = await store.claim("default", 1, "kubernetes", "gone", timedelta(seconds=60))
    launcher = FakeLauncher()
    await launcher.launch(Launch(run.key, run.dataset_id, run.type, 1))
    world.client.jobs.cancel(result.job_id)
    async with world.controller(launcher, owner="b") as reconciler:
        await reconciler.tick()
        found = await launcher.get(run.key)
        assert found is None or found.phase is Phase.ENDED
        await reconciler.tick()
    assert world.job(result.job_id)["state"] == "cancelled"


@pytest.mark.parametrize("state", ["queued", "scheduled"])
async def test_a_request_without_any_run_to_end_never_leaves_the_job_waiting(world: World, state: str) -> None:
    result = a_file(world)
    world.query("update jobs set state = %s, run_at = now() + interval '1 hour', cancel_requested_at = now()", state)
    async with world.controller(FakeLauncher()) as reconciler:
        await reconciler.tick()
    assert world.job(result.job_id)["state"] == "cancelled"
    assert world.dataset(result.dataset_id)["status"] == "pending"


async def test_a_request_by_sql_alone_ends_the_run_too(world: World) -> None:
    result = a_file(world)
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        world.query("update jobs set cancel_requested_at = now()")
        await reconciler.tick()
        await reconciler.tick()
    assert world.job(result.job_id)["state"] == "cancelled"
    assert world.one("select cause from runs")["cause"] == "cancelled"


async def test_a_job_that_is_over_or_unknown_is_refused(world: World) -> None:
    result = a_file(world)
    await world.run_until_idle()
    with pytest.raises(Conflict, match="has completed already"):
        world.client.jobs.cancel(result.job_id)
    bad = world.submit(world.file("yob2021.txt", "no name\n"))
    await world.run_until_idle()
    with pytest.raises(Conflict, match="has failed already"):
        world.client.jobs.cancel(bad.job_id)
    with pytest.raises(NotFound):
        world.client.jobs.cancel(result.dataset_id)


async def test_a_cancel_of_a_running_job_wakes_the_controllers(world: World) -> None:
    result = a_file(world)
    await claim_one(world, "a")
    woken = asyncio.Event()
    listening = asyncio.create_task(listen(world.conninfo, woken.set))
    async with asyncio.timeout(20):
        await woken.wait()
        woken.clear()
        world.client.jobs.cancel(result.job_id)
        await woken.wait()
    listening.cancel()
