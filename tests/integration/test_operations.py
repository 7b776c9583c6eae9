"""Acts over all that match a filter: what a preview says, and that each is done once, whoever dies in the middle."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from uuid import UUID, uuid4

import pytest

from controller.background.operations import carry_on_operations
from dataset_jobs.model.actor import Act, Actor
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.model.states import DatasetStatus, JobState
from services.audit import AuditFilter
from services.client import Client
from services.filters import NO_REASON, DatasetFilter, JobFilter
from services.operation_acts import Doing, Options
from services.operation_filters import filter_from_json, filter_to_json
from services.operations import Operations, TooMany
from tests.faults.actor import Actor as Faulty
from tests.faults.actor import Crashed, Kind, fault_at
from tests.faults.connections import boundaries, sync_connection
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

FAILED = JobFilter((JobState.FAILED,))
FAIL = (
    "update jobs set state = 'failed', last_cause = 'rejected', last_error = 'bad', finished_at = now(),"
    " retried_at = '{}' where key <= (select min(key) + %s - 1 from jobs)"
)


def filled(world: World, jobs: int, failed: int) -> list[UUID]:
    """So many jobs, the first of which have failed."""
    made = [world.submit_small(1950 + number).job_id for number in range(jobs)]
    world.query(FAIL, failed)
    return made


def of(world: World, size: int = 2) -> Operations:
    return Operations(world.client.database, size)


def states(world: World) -> dict[str, int]:
    return {row["state"]: row["count"] for row in world.query("select state, count(*) from jobs group by state")}


def test_a_preview_says_what_could_be_done(world: World) -> None:
    jobs = filled(world, 6, 3)
    world.client.jobs.cancel(jobs[5])
    preview = of(world).preview(Doing.RETRY, JobFilter())
    assert (preview.matching, preview.can, preview.cannot) == (6, 4, [("it is queued", 2)])
    assert (preview.first, preview.last) == (jobs[0], jobs[5])
    assert preview.causes == [("rejected", 3), (None, 2), ("cancelled", 1)]
    assert preview.oldest is not None and preview.newest is not None and preview.oldest < preview.newest
    assert of(world).preview(Doing.CANCEL, JobFilter()).can == 2
    assert of(world).preview(Doing.SET, JobFilter(), Options(priority=1)).can == 2
    assert of(world).preview(Doing.REPROCESS, DatasetFilter()).cannot == [("a job of it is not finished yet", 2)]
    assert of(world).preview(Doing.PURGE, JobFilter(), Options(older_than=timedelta(0))).can == 4
    nothing = of(world).preview(Doing.RETRY, JobFilter(batch="none"))
    assert (nothing.matching, nothing.first) == (0, None)
    assert of(world).page(10) == [], "a preview starts nothing"


def test_a_job_with_a_later_one_is_not_to_be_retried(world: World) -> None:
    filled(world, 1, 1)
    world.client.datasets.reprocess(world.client.datasets.list()[0].id)
    assert of(world).preview(Doing.RETRY, FAILED).cannot == [("its dataset has a later job", 1)]


def test_each_that_matches_is_retried_once(world: World) -> None:
    filled(world, 7, 5)
    started = of(world).start(Doing.RETRY, FAILED, Options(priority=4))
    assert (started.state, started.of, started.done) == ("running", 5, 0)
    assert of(world).work(world.storage) == 1
    ended = of(world).get(started.id)
    assert (ended.state, ended.done, ended.failed, ended.refusals) == ("completed", 5, 0, {})
    assert states(world) == {"queued": 7}
    assert world.one("select count(*) from jobs where cardinality(retried_at) = 1 and priority = 4")["count"] == 5
    assert of(world).work(world.storage) == 0


def test_what_fails_later_is_left_out(world: World) -> None:
    filled(world, 4, 2)
    started = of(world).start(Doing.RETRY, FAILED)
    world.submit_small(2020)
    world.query("update jobs set state = 'failed', last_cause = 'rejected', last_error = 'x', finished_at = now()")
    of(world).work(world.storage)
    assert of(world).get(started.id).done == 2
    assert states(world) == {"failed": 3, "queued": 2}


def test_refusals_are_counted_by_reason(world: World) -> None:
    jobs = filled(world, 5, 2)
    world.client.jobs.cancel(jobs[4])
    started = of(world).start(Doing.CANCEL, JobFilter())
    of(world).work(world.storage)
    ended = of(world).get(started.id)
    assert (ended.done, ended.failed, ended.refusals) == (5, 2, {"it has failed already": 2})
    assert states(world) == {"failed": 2, "cancelled": 3}


def test_a_refusal_is_said_of_any_job(world: World) -> None:
    [job] = filled(world, 1, 1)
    world.client.datasets.reprocess(world.job(job)["dataset_id"])
    started = of(world).start(Doing.RETRY, JobFilter())
    of(world).work(world.storage)
    assert of(world).get(started.id).refusals == {
        "its dataset has another job that is not finished yet": 1,
        "it is not finished: it is queued": 1,
    }


def test_every_act_of_an_operation_is_in_the_audit(world: World) -> None:
    jobs = filled(world, 3, 3)
    ada = Actor("ada", "api", "request-1", "0123abcd")
    started = world.client.acting_as(ada).operations.start(Doing.RETRY, FAILED)
    of(world).work(world.storage)
    entries = world.client.audit.page(AuditFilter(action=Act.JOB_RETRY), 10).items
    assert {entry.target for entry in entries} == {f"job/{job}" for job in jobs}
    assert {(entry.actor, entry.surface, entry.key_id) for entry in entries} == {("ada", "api", "0123abcd")}
    assert {entry.detail["operation"] for entry in entries} == {str(started.id)}


def test_datasets_are_reprocessed_and_deleted(world: World) -> None:
    filled(world, 3, 3)
    world.query("update datasets set status = 'failed', error = 'x'")
    files = list((world.folder / "storage" / "US").iterdir())
    of(world).start(Doing.REPROCESS, DatasetFilter((DatasetStatus.FAILED,)), Options(priority=2))
    of(world).work(world.storage)
    assert states(world) == {"failed": 3, "queued": 3}
    of(world).start(Doing.DELETE, DatasetFilter())
    of(world).work(world.storage)
    assert world.query("select from datasets") == [] and files
    assert not [file for file in files if file.exists()]


def test_waiting_jobs_get_a_time_and_a_priority(world: World) -> None:
    filled(world, 3, 0)
    later = world.client.now() + timedelta(hours=1)
    of(world).start(Doing.SET, JobFilter((JobState.QUEUED,)), Options(priority=9, run_at=later))
    of(world).work(world.storage)
    assert states(world) == {"scheduled": 3}
    assert world.one("select min(priority) as least, max(run_at) as at from jobs") == {"least": 9, "at": later}


def test_finished_jobs_are_purged(world: World) -> None:
    filled(world, 5, 4)
    started = of(world).start(Doing.PURGE, JobFilter((JobState.FAILED,)), Options(older_than=timedelta(0)))
    of(world).work(world.storage)
    ended = of(world).get(started.id)
    assert (ended.state, ended.of, ended.done) == ("completed", 4, 4)
    assert states(world) == {"queued": 1}


def test_nothing_that_matches_is_done_at_once(world: World) -> None:
    started = of(world).start(Doing.RETRY, FAILED)
    of(world).work(world.storage)
    assert of(world).get(started.id).state == "completed"


def test_a_cancelled_operation_begins_no_further_batch(world: World) -> None:
    filled(world, 6, 6)
    started = of(world).start(Doing.RETRY, FAILED)
    asked = chain([False, False], repeat(True))
    of(world).work(world.storage, lambda: next(asked))
    assert of(world).get(started.id).done == 2
    cancelled = of(world).cancel(started.id)
    assert (cancelled.state, cancelled.done) == ("cancelled", 2) and cancelled.cancelled_by
    assert of(world).cancel(started.id) == cancelled
    assert of(world).work(world.storage) == 0
    assert states(world) == {"failed": 4, "queued": 2}


def test_one_that_is_over_cannot_be_cancelled(world: World) -> None:
    started = of(world).start(Doing.RETRY, FAILED)
    of(world).work(world.storage)
    with pytest.raises(Conflict, match="is over"):
        of(world).cancel(started.id)
    with pytest.raises(NotFound, match="there is no operation"):
        of(world).cancel(UUID(int=0))


def test_who_stops_gives_it_to_the_next(world: World) -> None:
    filled(world, 5, 5)
    started = of(world).start(Doing.RETRY, FAILED)
    asked = chain([False, False], repeat(True))
    of(world).work(world.storage, lambda: next(asked))
    assert not of(world).get(started.id).is_at_work
    assert of(world).work(world.storage) == 1
    assert of(world).get(started.id).done == 5


def test_several_at_once_do_each_once(world: World) -> None:
    filled(world, 9, 9)
    for _ in range(2):
        of(world).start(Doing.RETRY, FAILED)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with Client.connect(world.conninfo) as client:
                Operations(client.database, 2).work(world.storage)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {operation.state for operation in of(world).page(10)} == {"completed"}
    assert world.one("select max(cardinality(retried_at)) as most from jobs")["most"] == 1
    assert states(world) == {"queued": 9}


@pytest.mark.one_postgres
@pytest.mark.parametrize("kind", [Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.ANSWER_LOST])
def test_a_death_anywhere_leaves_nothing_out_and_does_nothing_twice(world: World, kind: Kind) -> None:
    filled(world, 3, 3)

    def start_and_work(client: Client) -> None:
        operations = Operations(client.database, 2)
        operations.start(Doing.RETRY, FAILED)
        operations.work(world.storage)

    found = boundaries(world.conninfo, start_and_work)
    assert len(found) > 30
    for at, occurrence in found:
        world.query(FAIL, 3)
        world.query("delete from operations")
        world.query("delete from audit")
        actor = Faulty(fault_at(at, occurrence, kind))
        with Client.connect(world.conninfo, connection_class=sync_connection(actor)) as client:
            try:
                start_and_work(client)
            except (Crashed, RunError):
                actor.die()
        world.query("update operations set lease_until = now()")  # not heard of any more
        of(world).work(world.storage)
        operations = of(world).page(10)
        assert [operation.state for operation in operations] in ([], ["completed"]), f"{kind} at {at}"
        expected = 3 if operations else 0
        retries = world.one("select coalesce(sum(cardinality(retried_at)), 0)::int as all from jobs")["all"]
        entries = world.client.audit.page(AuditFilter(action=Act.JOB_RETRY), 10).items
        assert (sum(one.done for one in operations), retries, len(entries)) == (expected,) * 3, f"{kind} at {at}"


def test_who_asks_again_after_a_death_starts_one(world: World) -> None:
    """Whoever does not know whether it was started asks again with the same id."""
    filled(world, 2, 2)
    chosen = uuid4()

    def start(client: Client) -> UUID:
        return client.operations.start(Doing.RETRY, FAILED, operation_id=chosen).id

    found = boundaries(world.conninfo, start)
    for kind in (Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.ANSWER_LOST):
        for at, occurrence in found:
            world.query("delete from operations")
            world.query("delete from audit")
            actor = Faulty(fault_at(at, occurrence, kind))
            with Client.connect(world.conninfo, connection_class=sync_connection(actor)) as client:
                try:
                    start(client)
                except (Crashed, RunError):
                    actor.die()
            assert start(world.client) == chosen
            assert [one.id for one in of(world).page(10)] == [chosen], f"{kind} at {at}"
            assert len(world.client.audit.page(AuditFilter(action=Act.OPERATION_START), 10).items) == 1


def test_another_operation_of_the_same_id_is_refused(world: World) -> None:
    filled(world, 2, 1)
    made = of(world).start(Doing.RETRY, FAILED)
    with pytest.raises(Conflict, match="is another one"):
        of(world).start(Doing.CANCEL, FAILED, operation_id=made.id)
    assert len(of(world).page(10)) == 1


def test_only_what_ended_lately_is_retried(world: World) -> None:
    jobs = filled(world, 3, 3)
    world.query("update jobs set finished_at = now() - interval '2 days' where id = %s", jobs[0])
    lately = JobFilter((JobState.FAILED,), ended_since=timedelta(days=1))
    assert of(world).preview(Doing.RETRY, lately).can == 2
    of(world).start(Doing.RETRY, lately)
    of(world).work(world.storage)
    assert states(world) == {"failed": 1, "queued": 2}
    assert world.job(jobs[0])["state"] == "failed"


@pytest.mark.parametrize(
    ("doing", "which", "options", "message"),
    [
        (Doing.RETRY, DatasetFilter(), Options(), "retry is an act on jobs"),
        (Doing.DELETE, JobFilter(), Options(), "delete is an act on datasets"),
        (Doing.SET, JobFilter(), Options(), "give a priority, a time or a pool"),
        (Doing.PURGE, JobFilter(), Options(), "say how long ago"),
        (Doing.PURGE, JobFilter(pool="default"), Options(older_than=timedelta(1)), "no other filter"),
        (Doing.PURGE, JobFilter((JobState.QUEUED,)), Options(older_than=timedelta(1)), "states of finished jobs"),
        (Doing.RETRY, JobFilter(pool="nowhere"), Options(), "pool 'nowhere'"),
        (Doing.RETRY, JobFilter(country="ZZ"), Options(), "unknown country"),
    ],
)
def test_what_cannot_be_is_refused(
    world: World, doing: Doing, which: JobFilter | DatasetFilter, options: Options, message: str
) -> None:
    for ask in (of(world).preview, of(world).start):
        with pytest.raises(InvalidRequest, match=message):
            ask(doing, which, options)
    assert of(world).page(10) == []


def test_too_many_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(world, 3, 3)
    monkeypatch.setattr("services.operations.MOST", 2)
    with pytest.raises(TooMany, match="more than 2 match"):
        of(world).start(Doing.RETRY, FAILED)


def test_a_filter_that_means_nothing_any_more_ends_it(world: World) -> None:
    filled(world, 2, 2)
    world.query("insert into pools (name, max_running) values ('nightly', 1)")
    started = of(world).start(Doing.RETRY, JobFilter((JobState.FAILED,), pool="nightly"))
    world.query("update operations set last_key = 9, position = 9, first_key = 1")
    world.query("delete from pools where name = 'nightly'")
    of(world).work(world.storage)
    ended = of(world).get(started.id)
    assert ended.state == "failed" and ended.error is not None and "nightly" in ended.error


@pytest.mark.parametrize(
    "which",
    [
        JobFilter(),
        JobFilter(reason=NO_REASON, ended_since=datetime(2026, 1, 2, tzinfo=UTC)),
        JobFilter((JobState.FAILED,), (Cause.REJECTED,), "US", "yob*", "default", kind=None, reason="x", batch="b"),
        DatasetFilter((DatasetStatus.FAILED,), "US", year=1980, superseded=False, sha256="0" * 64),
    ],
)
def test_a_filter_is_the_same_when_it_is_read_again(which: JobFilter | DatasetFilter) -> None:
    kept = filter_to_json(which)
    assert filter_from_json(isinstance(which, DatasetFilter), kept) == which


def test_a_filter_of_another_version_is_refused() -> None:
    for kept in ({"colour": "red"}, {"states": ["asleep"]}):
        with pytest.raises(InvalidRequest, match="another version"):
            filter_from_json(False, kept)


def test_operations_come_in_pages(world: World) -> None:
    started = [of(world).start(Doing.RETRY, FAILED) for _ in range(5)]
    page = of(world).page(3)
    assert [one.id for one in page] == [one.id for one in reversed(started[2:])]
    assert [one.id for one in of(world).page(3, page[-1].key)] == [started[1].id, started[0].id]


async def test_a_controller_carries_on_what_nobody_else_does(world: World) -> None:
    filled(world, 4, 4)
    started = of(world).start(Doing.RETRY, FAILED)
    async with world.store() as store:
        task = asyncio.create_task(carry_on_operations(store, world.conninfo, world.storage_config))
        await world.until("select from operations where state = 'completed'")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await store.operations_due() == 0
    assert of(world).get(started.id).done == 4


async def test_a_controller_whose_thread_cannot_connect_tries_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    filled(world, 1, 1)
    of(world).start(Doing.RETRY, FAILED)
    nowhere = "postgresql://nobody@127.0.0.1:1/names"
    async with world.store() as store:
        task = asyncio.create_task(carry_on_operations(store, nowhere, world.storage_config, 0.01))
        async with asyncio.timeout(60):
            while "operations are broken off" not in caplog.text:
                await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await store.operations_due() == 1
