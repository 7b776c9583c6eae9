"""Overlapping files that are loaded at the same time, and what dies meanwhile."""

import asyncio
import os
import signal
from contextlib import ExitStack

import pytest

from tests.integration.loads import AT_THE_END, COPY_WAITS, commit_held_up, copy_held_up, pid_of
from tests.integration.world import SubmittedFile, World

pytestmark = pytest.mark.every_postgres

GIRLS = "Olivia,F,10\nAnna,F,9\n"
IN_COPY = f"{COPY_WAITS} having count(*) = 2"
SECOND_LOADED = "select 1 from datasets where filename = 'yob2023-2.txt' and status = 'completed'"
WAITS_FOR_THE_OTHER = (
    "select 1 from pg_stat_activity where query like '%load.commit%' and wait_event in ('transactionid', 'spectoken')"
)


def submit(world: World, number: int, replaces: tuple[SubmittedFile, ...] = ()) -> SubmittedFile:
    path = world.file(f"yob2023-{number}.txt", f"{GIRLS}Number,F,{number + 5}\n")
    return world.submit(path, replaces=[one.dataset_id for one in replaces])


def counted(world: World) -> list[tuple[int, str]]:
    """Which of the files count, and for how many rows each."""
    sql = "select count(*) as rows, filename from counted_names join datasets on key = dataset_key group by filename"
    return sorted((row["rows"], row["filename"]) for row in world.query(sql))


async def test_of_two_overlapping_loads_at_once_one_is_refused(world: World) -> None:
    """Both are in their COPY at once; the other one counts."""
    both = [submit(world, 1), submit(world, 2)]
    async with world.controller() as reconciler:
        with ExitStack() as held:
            for one in both:
                held.enter_context(copy_held_up(world, one.dataset_id, "Olivia"))
            await reconciler.tick()
            await world.until(IN_COPY)
        await _until_idle(world, reconciler)
    jobs = {world.job(one.job_id)["state"]: one for one in both}
    assert sorted(jobs) == ["completed", "failed"]
    assert world.job(jobs["failed"].job_id)["attempts"] == 1
    assert counted(world) == [(3, world.dataset(jobs["completed"].dataset_id)["filename"])]
    assert world.rows(jobs["failed"].dataset_id) == 0
    assert str(jobs["completed"].dataset_id) in world.job(jobs["failed"].job_id)["last_error"]


async def test_of_two_that_replace_the_same_one_counts(world: World) -> None:
    old = submit(world, 0)
    await world.run_until_idle()
    both = [submit(world, 1, (old,)), submit(world, 2, (old,))]
    async with world.controller() as reconciler:
        with ExitStack() as held:
            for one in both:
                held.enter_context(copy_held_up(world, one.dataset_id, "Olivia"))
            await reconciler.tick()
            await world.until(IN_COPY)
        await _until_idle(world, reconciler)
    assert sorted(world.job(one.job_id)["state"] for one in both) == ["completed", "failed"]
    [(rows, _)] = counted(world)
    assert rows == 3


async def test_one_waits_for_another_that_is_committing_and_loads_where_that_dies(world: World) -> None:
    # Between the first one's insert into coverage and its commit.
    first = submit(world, 1)
    async with world.controller() as reconciler:
        with commit_held_up(world, first):
            await _until(world, reconciler, AT_THE_END)
            [seen] = await reconciler.context.launcher.list_all()
            second = submit(world, 2)
            await _until(world, reconciler, WAITS_FOR_THE_OTHER)
            os.kill(pid_of(seen.name), signal.SIGKILL)
            # Its backend waits for a lock and has not noticed: settle ends it.
            await _until(world, reconciler, SECOND_LOADED)
        await _until_idle(world, reconciler)
    first_job, second_job = world.job(first.job_id), world.job(second.job_id)
    assert counted(world) == [(3, "yob2023-2.txt")]
    assert (second_job["state"], second_job["attempts"]) == ("completed", 0)
    assert (first_job["state"], first_job["attempts"]) == ("failed", 2)
    assert str(second.dataset_id) in first_job["last_error"]


async def test_a_failed_replacement_leaves_the_old_dataset_counting(world: World) -> None:
    """The new one is cancelled or dies."""
    old = submit(world, 0)
    await world.run_until_idle()
    new = submit(world, 1, (old,))
    async with world.controller() as reconciler:
        with copy_held_up(world, new.dataset_id, "Olivia"):
            await reconciler.tick()
            await world.until(COPY_WAITS)
            [seen] = await reconciler.context.launcher.list_all()
            os.kill(pid_of(seen.name), signal.SIGKILL)
            await _until(world, reconciler, "select 1 from runs where cause = 'crashed' and released_at is not null")
            assert counted(world) == [(3, "yob2023-0.txt")]
            await _until(world, reconciler, COPY_WAITS)
            world.client.jobs.cancel(new.job_id)
        await _until_idle(world, reconciler)
    assert world.job(new.job_id)["state"] == "cancelled"
    assert counted(world) == [(3, "yob2023-0.txt")]
    world.client.jobs.retry(new.job_id)
    await world.run_until_idle()
    assert counted(world) == [(3, "yob2023-1.txt")]


async def test_readers_never_see_both_or_neither_while_one_replaces_the_other(world: World) -> None:
    old = submit(world, 0)
    await world.run_until_idle()
    new = submit(world, 1, (old,))
    seen: set[tuple[tuple[int, str], ...]] = set()
    stop = asyncio.Event()

    async def read() -> None:
        while not stop.is_set():
            seen.add(tuple(counted(world)))
            await asyncio.sleep(0)

    reader = asyncio.create_task(read())
    await world.run_until_idle()
    seen.add(tuple(counted(world)))
    stop.set()
    await reader
    assert seen == {((3, "yob2023-0.txt"),), ((3, "yob2023-1.txt"),)}
    world.client.datasets.delete(new.dataset_id, world.storage)
    assert counted(world) == [(3, "yob2023-0.txt")]


async def _until(world: World, reconciler: object, sql: str) -> None:
    from controller.loop import Reconciler

    assert isinstance(reconciler, Reconciler)
    async with asyncio.timeout(60):
        while not world.query(sql):
            await reconciler.tick_safely()
            await asyncio.sleep(0.02)


async def _until_idle(world: World, reconciler: object) -> None:
    over = "select 1 where not exists (select from jobs where finished_at is null)"
    unreleased = " and not exists (select from runs where released_at is null)"
    await _until(world, reconciler, over + unreleased)
