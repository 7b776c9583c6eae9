"""Cancel: at once if a job waits; if it runs, either the cancel or the commit locks the job first, and wins."""

import asyncio
import os
import signal
import threading
from datetime import timedelta

import pytest

from controller.launchers.interface import Launch, Phase
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.requests import Conflict, NotFound
from dataset_jobs.model.settlement import Evidence
from dataset_jobs.store.notifications import listen
from dataset_jobs.store.runner import Loaded, RunnerStore
from services.jobs import Cancel
from tests.fakes.launcher import FakeLauncher
from tests.integration.loads import COPY_WAITS, YEAR_2023, claim_one, copy_held_up, pid_of, settled
from tests.integration.world import HOUR, SubmittedFile, World, key_of
from tests.kit.runners import proven

pytestmark = pytest.mark.every_postgres


class Lingering(FakeLauncher):
    """Its pods take their time to end."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped: list[tuple[RunKey, bool]] = []

    async def stop(self, key: RunKey, now: bool = False) -> None:
        self.stopped.append((key, now))


def reprocessed(world: World, first: SubmittedFile) -> SubmittedFile:
    """A second job for a dataset that is loaded."""
    job_id, _ = world.client.datasets.reprocess(first.dataset_id)
    return SubmittedFile(first.dataset_id, job_id)


@pytest.mark.parametrize("state", ["queued", "scheduled"])
async def test_a_job_that_waits_is_cancelled_at_once_and_never_claimed(world: World, state: str) -> None:
    result = world.submit_small()
    world.query("update jobs set state = %s", state)
    assert world.client.jobs.cancel(result.job_id) is Cancel.CANCELLED
    assert world.client.jobs.cancel(result.job_id) is Cancel.CANCELLED, "asked again"
    await world.run_until_idle()
    job, dataset = world.job(result.job_id), world.dataset(result.dataset_id)
    assert (job["state"], job["last_cause"], job["lease_epoch"]) == ("cancelled", "cancelled", 0)
    assert (dataset["status"], dataset["error"]) == ("pending", "cancelled")
    assert world.rows(result.dataset_id) == 0


async def test_a_runner_that_ignores_its_stop_is_killed(world: World) -> None:
    result = world.submit(YEAR_2023)
    async with world.controller(retry=HOUR) as reconciler:
        with copy_held_up(world, result.dataset_id, "Olivia"):
            await reconciler.tick()
            await world.until(COPY_WAITS)
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
    first = world.submit_small()
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


async def test_a_cancel_that_has_the_job_first_wins_and_the_commit_is_refused(world: World) -> None:
    from dataset_jobs.model.errors import LostLease

    result = world.submit_small()
    run = await claim_one(world, "a")
    refused: list[LostLease] = []

    def runner() -> None:
        with RunnerStore(world.conninfo, run.key, proven(world.conninfo, run.key, "uid")) as store:
            try:
                loaded(store)
            except LostLease as error:
                refused.append(error)

    with copy_held_up(world, result.dataset_id, "Emma"):
        loading = threading.Thread(target=runner)
        loading.start()
        await world.until(COPY_WAITS)
        assert world.client.jobs.cancel(result.job_id) is Cancel.REQUESTED
    loading.join(timeout=100)
    assert "being cancelled" in str(refused[0])
    assert world.rows(result.dataset_id) == 0
    assert world.one("select committed_at from runs")["committed_at"] is None


async def test_a_runner_cannot_take_a_cancelled_run_and_its_heartbeat_tells_it(world: World) -> None:
    from dataset_jobs.model.errors import LostLease

    result = world.submit_small()
    run = await claim_one(world, "a")
    with RunnerStore(world.conninfo, run.key, proven(world.conninfo, run.key, "uid")) as store:
        store.take()
        assert store.heartbeat(1, 1)
        world.client.jobs.cancel(result.job_id)
        assert not store.heartbeat(2, 2)
        with pytest.raises(LostLease, match="being cancelled"):
            store.take()


async def test_the_slot_is_held_until_the_pod_is_gone(world: World) -> None:
    result = world.submit_small()
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
    result = world.submit_small()
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
    result = world.submit_small()
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
    result = world.submit_small()
    world.query("update jobs set state = %s, run_at = now() + interval '1 hour', cancel_requested_at = now()", state)
    async with world.controller(FakeLauncher()) as reconciler:
        await reconciler.tick()
    assert world.job(result.job_id)["state"] == "cancelled"
    assert world.dataset(result.dataset_id)["status"] == "pending"


async def test_a_request_by_sql_alone_ends_the_run_too(world: World) -> None:
    result = world.submit_small()
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        world.query("update jobs set cancel_requested_at = now()")
        await reconciler.tick()
        await reconciler.tick()
    assert world.job(result.job_id)["state"] == "cancelled"
    assert world.one("select cause from runs")["cause"] == "cancelled"


async def test_a_job_that_is_over_or_unknown_is_refused(world: World) -> None:
    result = world.submit_small()
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
    result = world.submit_small()
    await claim_one(world, "a")
    woken = asyncio.Event()
    listening = asyncio.create_task(listen(world.conninfo, woken.set))
    async with asyncio.timeout(100):
        await woken.wait()
        woken.clear()
        world.client.jobs.cancel(result.job_id)
        await woken.wait()
    listening.cancel()
