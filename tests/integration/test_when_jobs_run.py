"""Which job is claimed next and when: priorities, and times that submitters name."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from controller.background.waiting import IDLE_LOOK_SECONDS, wake_when_idle
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.model.times import LAST
from dataset_jobs.store.client_connection import When
from services.filters import JobFilter
from services.operation_acts import Doing, Options
from tests.fakes.launcher import FakeLauncher
from tests.integration.world import World
from tests.kit.submit import submit

pytestmark = pytest.mark.every_postgres

HOUR = timedelta(hours=1)


def a_job(world: World, year: int, priority: int = 0, run_at: When = None) -> UUID:
    path = world.file(f"yob{year}.txt", f"Mary,F,{year}\n")
    result = submit(world.client, world.storage, path, priority=priority, run_at=run_at)
    assert result.job_id is not None
    return result.job_id


async def claimed(world: World, most: int = 100) -> list[UUID]:
    async with world.store() as store:
        return [run.job_id for run in await store.claim("default", most, "test", "owner", HOUR)]


async def test_a_job_of_a_higher_priority_goes_first_and_equals_go_in_order(world: World) -> None:
    first, second = a_job(world, 2001), a_job(world, 2002)
    low, high = a_job(world, 2003, priority=-1), a_job(world, 2004, priority=7)
    assert await claimed(world) == [high, first, second, low]


@pytest.mark.parametrize("when", [HOUR, datetime(2999, 1, 1, tzinfo=UTC)])
async def test_a_job_for_later_is_scheduled_and_claimed_only_when_its_time_has_come(world: World, when: When) -> None:
    job = a_job(world, 2001, run_at=when)
    assert world.job(job)["state"] == "scheduled"
    assert await claimed(world) == []
    world.query("update jobs set run_at = now()")
    assert await claimed(world) == [job]


@pytest.mark.parametrize("when", [timedelta(0), datetime(2001, 1, 1, tzinfo=UTC)])
async def test_a_past_time_puts_a_job_last(world: World, when: When) -> None:
    """Not first."""
    first = a_job(world, 2001)
    second = a_job(world, 2002, run_at=when)
    assert world.job(second)["state"] == "queued"
    assert await claimed(world) == [first, second]


async def test_reprocessing_may_be_for_later_too(world: World) -> None:
    job = a_job(world, 2001)
    world.client.jobs.cancel(job)
    again, _ = world.client.datasets.reprocess(world.job(job)["dataset_id"], run_at=HOUR, priority=3)
    assert (world.job(again)["state"], world.job(again)["priority"]) == ("scheduled", 3)


async def test_a_waiting_job_is_given_another_priority_and_time(world: World) -> None:
    first, second = a_job(world, 2001), a_job(world, 2002, run_at=HOUR)
    changed = world.client.jobs.reschedule(second, priority=5)
    assert (changed.state, changed.priority) == ("scheduled", 5)
    assert world.client.jobs.reschedule(second, run_at=timedelta(0)).state == "queued"
    assert await claimed(world, 1) == [second]
    assert world.client.jobs.reschedule(first, run_at=HOUR).state == "scheduled"
    assert await claimed(world) == []


async def test_a_job_brought_forward_is_taken_by_a_controller_that_sleeps(world: World) -> None:
    job = a_job(world, 2001, run_at=HOUR)
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        assert launcher.launches == []
        with world.listening() as notified:
            world.client.jobs.reschedule(job, run_at=timedelta(0))
            assert notified()
        await reconciler.tick()
        assert [key.job_id for key in launcher.launches] == [job]


async def test_a_controller_that_waits_for_anothers_run_hears_of_its_end(world: World) -> None:
    world.submit_small()
    async with world.controller(owner="waits") as waiting:
        wake = asyncio.Event()
        watching = asyncio.create_task(wake_when_idle(waiting.context, wake))
        try:
            await asyncio.sleep(2 * IDLE_LOOK_SECONDS)
            assert not wake.is_set()
            await world.run_until_idle(owner="works")
            await asyncio.wait_for(wake.wait(), 100)
        finally:
            watching.cancel()


async def test_only_a_job_that_waits_is_changed(world: World) -> None:
    running = a_job(world, 2001)
    assert await claimed(world) == [running]
    over = a_job(world, 2002)
    world.client.jobs.cancel(over)
    for job, state in ((running, "running"), (over, "cancelled")):
        with pytest.raises(Conflict, match=state):
            world.client.jobs.reschedule(job, priority=1)
    with pytest.raises(NotFound):
        world.client.jobs.reschedule(UUID(int=7), priority=1)


@pytest.mark.parametrize(
    "when", [datetime.max, datetime.max.replace(tzinfo=UTC), LAST, timedelta.max, timedelta.min], ids=str
)
def test_a_time_that_no_job_can_have_is_refused(world: World, when: When) -> None:
    """Whoever asks gets a reason, and no fault of the database."""
    waits, over = a_job(world, 2001), a_job(world, 2002)
    world.client.jobs.cancel(over)
    before, dataset = world.job(waits), world.job(over)["dataset_id"]
    asks: list[Callable[[], object]] = [
        lambda: world.client.jobs.reschedule(waits, run_at=when),
        lambda: world.client.jobs.retry(over, run_at=when),
        lambda: world.client.jobs.retry(over, run_at=when, dry_run=True),
        lambda: world.client.datasets.reprocess(dataset, run_at=when),
        lambda: a_job(world, 2003, run_at=when),
    ]
    if isinstance(when, datetime):
        asks.append(lambda: world.client.operations.start(Doing.SET, JobFilter(), Options(run_at=when)))
    for ask in asks:
        with pytest.raises(InvalidRequest, match="run_at: expected a "):
            ask()
    assert (world.job(waits), world.job(over)["state"]) == (before, "cancelled")
    assert len(world.client.jobs.list()) == 2


async def test_a_job_that_is_put_back_keeps_its_priority_unless_it_is_given_another(world: World) -> None:
    job = a_job(world, 2001, priority=4)
    for given, priority in ((None, 4), (-2, -2)):
        world.client.jobs.cancel(job)
        world.client.jobs.retry(job, priority=given)
        assert world.job(job)["priority"] == priority
