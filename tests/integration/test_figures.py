"""The figures that one sampler reads for all who look, and the past of pools, of which each minute is written once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.background.pool_history import keep_history
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import JobState
from dataset_jobs.store.client_connection import ClientConnection, Row
from services.figures import MOST_STEPS, Sampler, count_datasets, pool_history
from services.status import Kind
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

S, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = 60.0
AFTER = NOON + timedelta(seconds=65)
"""When the minute from noon on can be written."""


class Counting(ClientConnection):
    """Counts the statements that it executes, by their names."""

    def __init__(self, conninfo: str) -> None:
        super().__init__(conninfo)
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda _: None

    def all(self, name: str, /, **parameters: Any) -> list[Row]:
        self.asked.append(name)
        self.before(name)
        return super().all(name, **parameters)


@pytest.fixture
def counting(world: World) -> Iterator[Counting]:
    with Counting(world.conninfo) as database:
        yield database


def fail(world: World, year: int, reason: str | None, cause: str = "rejected") -> None:
    job_id = world.submit_small(year).job_id
    world.query(
        "update jobs set state = 'failed', lease_epoch = 1, last_cause = %s, last_error = 'x', finished_at = now()"
        " where id = %s",
        cause,
        job_id,
    )
    world.query(
        "insert into runs (job_id, epoch, pool, launcher, owner, lease_until, ended_at, cause, reason, released_at)"
        " values (%s, 1, 'default', 'test', 'x', now(), now(), %s, %s, now())",
        job_id,
        cause,
        reason,
    )


def test_figures_say_what_is_there_and_when(world: World, counting: Counting) -> None:
    world.submit_small(2001)
    fail(world, 2002, "bad-header")
    fail(world, 2003, "bad-header")
    fail(world, 2004, None, "crashed")
    found = Sampler(counting).figures()
    assert found.states == {
        "scheduled": 0, "queued": 1, "running": 0, "completed": 0, "failed": 3, "cancelled": 0,
    }  # fmt: skip
    assert [(one.jobs.cause, one.jobs.reason, one.jobs.jobs) for one in found.failures.groups] == [
        ("rejected", "bad-header", 2),
        ("crashed", None, 1),
    ]
    assert found.counted_at == found.as_of <= world.client.now()
    assert [problem.kind for problem in found.problems] == [Kind.NO_CONTROLLER]
    assert found.status.pools[0].queued == 1


def test_jobs_of_every_state_are_counted(world: World, counting: Counting) -> None:
    for number, state in enumerate(JobState):
        for year in range(number + 1):
            job_id = world.submit_small(1900 + 10 * number + year).job_id
            world.query(
                "update jobs set state = %s, lease_epoch = 1, last_cause = 'x', last_error = 'x',"
                " finished_at = case when %s then now() end where id = %s",
                state, state.finished, job_id,
            )  # fmt: skip
    assert Sampler(counting).figures().states == {state: number + 1 for number, state in enumerate(JobState)}


def test_many_who_look_cost_one_read(counting: Counting) -> None:
    sampler = Sampler(counting, every_seconds=3600)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: sampler.figures(), range(50)))
    assert len({id(one) for one in found}) == 1
    for name in ("status.pools", "figures.states", "figures.lately"):
        assert counting.asked.count(name) == 1


def test_old_figures_are_read_anew(world: World, counting: Counting) -> None:
    sampler = Sampler(counting, every_seconds=0, patience_seconds=LONG)
    first = sampler.figures()
    world.submit_small()
    second = sampler.figures()
    assert second.as_of > first.as_of and second.states["queued"] == first.states["queued"] + 1


class Held:
    """Holds up one statement until `go_on` is set."""

    def __init__(self, counting: Counting, name: str) -> None:
        self.reading, self.go_on = threading.Event(), threading.Event()
        self._name = name
        counting.before = self._before

    def _before(self, name: str) -> None:
        if name == self._name:
            self.reading.set()
            assert self.go_on.wait(LONG)


def test_nobody_waits_while_figures_are_read_anew(world: World, counting: Counting) -> None:
    sampler = Sampler(counting, every_seconds=0, patience_seconds=0)
    first = sampler.figures()
    held = Held(counting, "status.pools")
    assert sampler.figures() is first
    assert held.reading.wait(LONG)
    assert sampler.figures() is first
    held.go_on.set()
    while sampler.figures() is first:
        pass
    assert counting.asked.count("status.pools") >= 2


def test_nobody_gets_figures_of_long_ago(world: World, counting: Counting) -> None:
    sampler = Sampler(counting, every_seconds=0, late_seconds=-1, patience_seconds=0)
    first = sampler.figures()
    held = Held(counting, "status.pools")
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(sampler.figures)
        assert held.reading.wait(LONG)
        second = threads.submit(sampler.figures)
        held.go_on.set()
        assert slow.result() is not first and second.result() is not first


def test_figures_do_not_wait_for_a_long_count(world: World, counting: Counting) -> None:
    """The status is there already, with the counts of before, and says when those were made."""
    world.submit_small(2001)
    world.submit_small(2002)
    sampler = Sampler(counting, every_seconds=3600, counts_seconds=0, many=1, late_seconds=-3600)
    first = sampler.figures()
    world.submit_small(2003)
    sampler._figures._due = 0.0
    held = Held(counting, "figures.states")
    second = sampler.figures()
    assert held.reading.wait(LONG)
    assert (second.status.pools[0].queued, second.states["queued"]) == (3, 2)
    assert second.counted_at == first.counted_at < second.as_of
    held.go_on.set()
    while (third := sampler.figures()) is second:
        pass
    assert third.states["queued"] == 3 and third.as_of == second.as_of < third.counted_at


def test_counts_of_long_ago_are_given_to_nobody(
    world: World, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.figures.COUNTS_LATE_SECONDS", -1.0)
    world.submit_small(2001)
    sampler = Sampler(counting, every_seconds=0, many=0, patience_seconds=LONG)
    sampler.figures()
    world.submit_small(2002)
    assert sampler.figures().states["queued"] == 2


def test_many_jobs_are_counted_less_often(world: World, counting: Counting) -> None:
    world.submit_small(2001)
    sampler = Sampler(counting, every_seconds=0, counts_seconds=3600, many=1, patience_seconds=LONG)
    sampler.figures()
    world.submit_small(2002)
    first = sampler.figures()
    world.submit_small(2003)
    second = sampler.figures()
    assert second.states == first.states == {**first.states, "queued": 2}
    assert second.counted_at == first.counted_at < second.as_of
    assert second.status.pools[0].queued == 3


def test_after_an_error_the_next_one_reads(counting: Counting) -> None:
    sampler = Sampler(counting, every_seconds=0, patience_seconds=LONG)

    def away(_: str) -> None:
        raise Unavailable("away")

    counting.before = away
    for _ in range(2):
        with pytest.raises(Unavailable):
            sampler.figures()
    counting.before = lambda _: None
    assert sampler.figures().states


def decided_by(world: World, owner: str) -> None:
    world.query(
        "update pools set desired = 2, reason = 'x', decided_at = now(), decided_by = %s, decided_until = %s",
        owner,
        NOON + 60 * MINUTE,
    )


def ran(world: World, job: int, began: int, ended: int, state: str) -> None:
    """A run of a job of this number, which began and ended so many seconds after noon."""
    start, end = NOON + timedelta(seconds=began), NOON + timedelta(seconds=ended)
    [row] = world.query("select id from jobs order by key offset %s limit 1", job)
    world.query(
        "insert into runs (job_id, epoch, pool, launcher, owner, claimed_at, lease_until, started_at, runner_uid,"
        " ended_at, cause, released_at) values (%s, 1, 'default', 'test', 'x', %s, %s, %s, 'x', %s, 'crashed', %s)",
        row["id"], start, start, start, end, end,
    )  # fmt: skip
    world.query(
        "update jobs set state = %s, lease_epoch = 1, finished_at = %s, last_cause = 'crashed', last_error = 'x'"
        " where id = %s",
        state, end, row["id"],
    )  # fmt: skip


async def test_a_minute_is_written_by_who_decides(world: World) -> None:
    for year in range(2001, 2007):
        world.submit_small(year)
    ran(world, 0, 10, 30, "completed")
    ran(world, 1, -20, 15, "failed")
    ran(world, 2, -90, -30, "failed")  # before it
    ran(world, 4, 61, 64, "completed")  # after it
    ran(world, 3, 55, 70, "completed")  # still at work
    world.query(
        "update runs set ended_at = null, cause = null, released_at = null where started_at = %s", NOON + 55 * S
    )
    world.query("update jobs set state = 'running', finished_at = null where finished_at = %s", NOON + 70 * S)
    world.query("update jobs set run_at = %s where state = 'queued'", NOON)
    decided_by(world, "me")
    async with world.store() as store:
        assert await store.record_minute("another", AFTER) == []
        assert await store.record_minute("me", AFTER) == ["default"]
        assert await store.record_minute("me", AFTER) == []
    row = world.one("select * from pool_minutes")
    assert row["minute"] == NOON
    assert (row["depth"], row["running"], row["pending"], row["desired"], row["maximum"]) == (1, 1, 0, 2, 64)
    assert (row["finished"], row["failed"], row["busy"]) == (2, 1, 20 + 15 + 5)
    assert row["oldest_wait_seconds"] == 65


async def test_many_controllers_write_a_minute_once(world: World) -> None:
    decided_by(world, "me")
    async with world.store() as store:
        written = await asyncio.gather(*(store.record_minute("me", AFTER) for _ in range(12)))
    assert [pool for one in written for pool in one] == ["default"]
    assert world.one("select count(*) from pool_minutes")["count"] == 1


async def test_before_the_fifth_second_nothing_is_written(world: World) -> None:
    decided_by(world, "me")
    async with world.store() as store:
        assert await store.record_minute("me", NOON + 64 * S) == []


async def test_a_lease_that_is_over_writes_nothing(world: World) -> None:
    decided_by(world, "me")
    world.query("update pools set decided_until = %s", NOON + MINUTE)
    async with world.store() as store:
        assert await store.record_minute("me", AFTER) == []


async def test_what_is_older_than_thirty_days_goes(world: World) -> None:
    decided_by(world, "me")
    world.query(
        "insert into pool_minutes (pool, minute, depth, running, pending, maximum, finished, failed, busy)"
        " select 'default', %s - interval '1 day' * days, 1, 1, 1, 1, 1, 1, 1 from unnest(array[29, 31, 40]) days",
        NOON,
    )
    async with world.store() as store:
        await store.record_minute("me", AFTER)
    assert world.one("select count(*) from pool_minutes where minute < %s", NOON)["count"] == 1


def past(world: World, *rows: tuple[int, int, int]) -> None:
    """Minutes after noon, each with its depth and how many finished."""
    for minute, depth, finished in rows:
        world.query(
            "insert into pool_minutes values ('default', %s, %s, %s, %s, 0, 3, 4, %s, 0, 30)",
            NOON + minute * MINUTE, depth, depth * 2, depth, finished,
        )  # fmt: skip


def test_a_history_has_a_column_for_each_figure(world: World) -> None:
    past(world, (0, 5, 1), (1, 3, 2), (3, 7, 4))
    found = pool_history(world.client.database, "default", NOON, NOON + 4 * MINUTE, "1m")
    assert found.t == [NOON + minute * MINUTE for minute in range(4)]
    assert found.depth == [5, 3, None, 7]
    assert found.oldest_wait == [10, 6, None, 14]
    assert found.finished == [1, 2, None, 4]
    assert found.maximum == [4, 4, None, 4]
    assert found.busy == [30, 30, None, 30]


def test_longer_steps_add_up(world: World) -> None:
    past(world, (0, 5, 1), (1, 3, 2), (3, 7, 4), (5, 1, 1), (60, 2, 9))
    found = pool_history(world.client.database, "default", NOON, NOON + 10 * MINUTE, "5m")
    assert (found.depth, found.finished, found.running) == ([7, 1], [7, 1], [5, 1])
    hours = pool_history(world.client.database, "default", NOON, NOON + 120 * MINUTE, "1h")
    assert (hours.finished, hours.busy) == ([8, 9], [120, 30])


def test_a_pool_that_is_not_there_has_no_past(world: World) -> None:
    found = pool_history(world.client.database, "nowhere", NOON, NOON + 2 * MINUTE, "1m")
    assert found.depth == [None, None]


@pytest.mark.parametrize(
    ("until", "step", "message"),
    [
        (NOON + MINUTE, "2m", "there are 1m, 5m, 1h"),
        (NOON, "1m", "begins before it ends"),
        (NOON + (MOST_STEPS + 1) * MINUTE, "1m", "ask for a shorter time"),
    ],
)
def test_a_history_that_cannot_be_is_refused(world: World, until: datetime, step: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        pool_history(world.client.database, "default", NOON, until, step)


async def test_a_controller_writes_the_past_of_its_pools(world: World) -> None:
    async with world.controller() as controller:
        await controller.tick()
        task = asyncio.create_task(keep_history(controller.context, 0.1))
        await world.until("select from pool_minutes where pool = 'default' and desired is not null", 90)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_datasets_are_counted_by_status(world: World) -> None:
    world.submit_small(2001)
    world.submit_small(2002)
    world.query("update datasets set status = 'failed', error = 'x' where filename = 'yob2002.txt'")
    counted = count_datasets(world.client.database)
    assert counted == {"pending": 1, "processing": 0, "completed": 0, "failed": 1, "reprocessing": 0}
