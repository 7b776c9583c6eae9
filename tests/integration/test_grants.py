"""The group roles: each can do its work, and no more."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from dataset_jobs.migrations import LATEST
from dataset_jobs.migrations.rights import API, CONTROLLER, EVERY_TABLE, RUNNER, TableRight, rights_of
from dataset_jobs.model.actor import Actor
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import LogLine, Outcome
from dataset_jobs.model.report import Report
from dataset_jobs.model.requests import NotFound
from dataset_jobs.model.run_log import RunLog
from dataset_jobs.model.settlement import CANCELLED, COMPLETED, Diagnosis, Evidence, Settlement
from dataset_jobs.model.states import JobState
from dataset_jobs.storage import StorageConfig, open_storage
from dataset_jobs.store.client_connection import ClientConnection
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from dataset_jobs.store.runner import Loaded, RunnerStore
from services.audit import AuditFilter
from services.client import Client
from services.figures import Sampler, pool_history
from services.filters import DatasetFilter, JobFilter
from services.jobs import Cancel
from services.keys import Role
from services.operation_acts import Doing, Options
from tests.integration.world import World
from tests.kit.roles import as_role
from tests.kit.runners import proven
from tests.kit.settle import settle
from tests.kit.submit import submit

DAY = timedelta(days=1)

pytestmark = pytest.mark.every_postgres


@pytest.fixture
def client(database: str) -> Iterator[Client]:
    with Client.connect(as_role(database, "affirm_controller")) as store:
        yield store


def submitted(client: Client, folder: Path) -> tuple[UUID, UUID]:
    path = folder / "yob2023.txt"
    path.write_bytes(b"Emma,F,15433\n")
    result = submit(client, open_storage(StorageConfig("local", path=folder)), path)
    assert result.dataset_id is not None and result.job_id is not None
    return result.dataset_id, result.job_id


COVERED = [Covered(2023, "F", 1, 15433)]
REPORT = Report("yob2023.txt", "US", totals=COVERED, smallest=15433, left_out={"blank records": 1})
RETRIED = Settlement(Diagnosis(Cause.CRASHED, error="it crashed"), JobState.QUEUED, attempts=1)


@pytest.mark.parametrize("role", [RUNNER, CONTROLLER])
async def test_the_roles_of_controller_and_runner_are_enough_for_a_datasets_whole_life(
    database: str, client: Client, tmp_path: Path, role: str
) -> None:
    """Also if the runner has the controller's login."""
    dataset_id, job_id = submitted(client, tmp_path)
    async with controller_pool(as_role(database, "affirm_controller"), 2) as pool:
        store = ControllerStore(pool)
        assert await store.set_pool("default", 8) == 8
        await store.check_schema(LATEST)
        assert await store.installation_id()
        for epoch in (1, 2):
            [claimed] = await store.claim("default", 5, "test", "owner", timedelta(minutes=1))
            assert claimed.key == RunKey(job_id, epoch)
            await store.record_launches({claimed.key: "name"})
            with RunnerStore(
                as_role(database, "affirm_runner"), claimed.key, proven(database, claimed.key, "uid")
            ) as runner:
                assignment = runner.take()
                assert runner.heartbeat(1, 1, RunLog(0, (LogLine("2026-03-01T12:00:00.000Z", "INFO", "one"),)))
                if epoch == 1:
                    runner.record_outcome(Outcome(Cause.CRASHED, error="it crashed"))
                else:
                    block = f"{assignment.dataset_key}\t2023\tEmma\tF\temma\t15433\n".encode()
                    runner.load(assignment, [block], Loaded("us-ssa", "births", None, None, COVERED, None, REPORT), 13)
                    assert runner.has_committed()
                    assert runner.sexes_of(2023, ["Emma"]) == {}
            assert await settle(store, claimed.key, Evidence(), RETRIED if epoch == 1 else Settlement(COMPLETED), "uid")
    [dataset] = client.datasets.list(ids=[dataset_id])
    assert (dataset.status, dataset.row_count) == ("completed", 1)
    assert client.datasets.reports([dataset_id])[dataset_id] == replace(REPORT, recognised="us-ssa", measure="births")
    again, _ = client.datasets.reprocess(dataset_id)
    assert client.jobs.cancel(again) is Cancel.CANCELLED
    client.jobs.retry(again)
    async with controller_pool(as_role(database, "affirm_controller"), 2) as pool:
        store = ControllerStore(pool)
        [claimed] = await store.claim("default", 5, "test", "owner", timedelta(minutes=1))
        assert client.jobs.cancel(again) is Cancel.REQUESTED
        assert not await store.end_run(claimed.key, CANCELLED, None, only_unstarted=False)
        assert await store.cancel_requested_jobs() == []
        trouble = Diagnosis(Cause.CANNOT_START, Reason.IMAGE, "no image")
        await store.record_waiting(claimed.key, trouble)
        assert await store.block_pool(claimed.key, trouble, timedelta(0))
        await store.hurry_probe("default")
        assert await store.lift_blocks() == []
        await settle(store, claimed.key, Evidence(), Settlement(CANCELLED, JobState.CANCELLED))
        assert client.status().pools[0].name == "default"
        assert client.jobs.failed() == []
        assert client.jobs.purgeable(timedelta(0)) == {JobState.COMPLETED: 1, JobState.CANCELLED: 1}
        assert await store.purge("default", timedelta(days=1)) == 0
        assert sum(client.jobs.purge(timedelta(0))) == 2
    client.datasets.delete(dataset_id, open_storage(StorageConfig("local", path=tmp_path)))


def test_the_role_of_the_controller_is_enough_for_pools(client: Client) -> None:
    assert client.pools.pause("default", "for a while").paused
    assert not client.pools.resume("default").paused
    assert client.pools.set("default", max_running=3, max_pending=4).after.max_pending == 4
    assert client.pools.details("default").recent == []
    with pytest.raises(NotFound, match="there are no jobs"):
        client.jobs.latest()


def test_the_role_of_the_controller_is_enough_for_schedules(database: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "yob2023.txt").write_bytes(b"Emma,F,15433\n")
    storage = open_storage(StorageConfig("local", path=tmp_path))
    with Client.connect(as_role(database, "affirm_controller")) as store:
        store.schedules.add("us", "* * * * *", "UTC", "in", "US", "default")
        store.schedules.pause("us", True)
        assert len(store.schedules.run("us", storage, min_unchanged_seconds=0.0).submitted) == 1
        (tmp_path / "in" / "yob2023.txt").unlink()
        assert store.schedules.run("us", storage).files == 0
        assert store.schedules.claim() is None
        store.schedules.remove("us")


def test_the_role_of_an_api_is_enough_for_what_clients_do(database: str, world: World, tmp_path: Path) -> None:
    storage = open_storage(StorageConfig("local", path=tmp_path))
    (tmp_path / "in").mkdir()
    with Client.connect(as_role(database, API), actor=Actor("ada", "api")) as client:
        dataset_id, _ = submitted(client, tmp_path)
        world.query("update jobs set state = 'failed', last_cause = 'crashed', last_error = 'x', finished_at = now()")
        world.query("update datasets set status = 'failed', error = 'x'")
        assert submitted(client, tmp_path)[0] == dataset_id
        [job, *_] = client.jobs.list()
        client.jobs.reschedule(job.id, priority=3, run_at=timedelta(hours=1))
        assert client.jobs.cancel(job.id) is Cancel.CANCELLED
        client.jobs.retry(job.id)
        world.query("update jobs set state = 'running', lease_epoch = 1 where id = %s", job.id)
        world.query(
            "insert into runs (job_id, epoch, pool, launcher, owner, lease_until)"
            " values (%s, 1, 'default', 'test', 'owner', now())",
            job.id,
        )
        assert client.jobs.cancel(job.id) is Cancel.REQUESTED
        assert world.one("select cause, error from runs") == {"cause": "cancelled", "error": "cancelled"}
        world.query("update runs set released_at = now()")
        world.query("update jobs set state = 'cancelled', finished_at = now() - interval '1 day' where id = %s", job.id)
        client.explain(job.id)
        assert client.pools.pause("default", "for a while").paused
        assert not client.pools.resume("default").paused
        assert client.pools.set("default", max_running=3, max_pending=4).after.max_pending == 4
        client.schedules.add("us", "* * * * *", "UTC", "in", "US", "default")
        client.schedules.pause("us", True)
        client.schedules.run("us", storage)
        client.schedules.remove("us")
        assert sum(client.jobs.purge(timedelta(hours=1))) == 1
        client.datasets.reprocess(dataset_id)
        client.datasets.delete(dataset_id, storage)
        made = client.keys.make("one", Role.VIEWER)
        assert client.keys.check(made.text).id == made.key.id
        client.keys.revoke(made.key.id)
        assert {entry.actor for entry in client.audit.page(AuditFilter(), 100).items} == {"ada"}


@pytest.mark.parametrize("role", [CONTROLLER, API])
@pytest.mark.parametrize("doing", [Doing.RETRY, Doing.CANCEL, Doing.SET, Doing.REPROCESS, Doing.DELETE, Doing.PURGE])
def test_a_role_is_enough_for_operations(database: str, world: World, role: str, doing: Doing) -> None:
    world.submit_small()
    if doing in (Doing.RETRY, Doing.REPROCESS, Doing.PURGE):
        world.query("update jobs set state = 'failed', last_cause = 'crashed', last_error = 'x', finished_at = now()")
    which = DatasetFilter() if doing.is_of_datasets else JobFilter()
    with Client.connect(as_role(database, role)) as client:
        started = client.operations.start(doing, which, Options(priority=1, older_than=timedelta(0)))
        client.operations.work(world.storage)
        ended = client.operations.get(started.id)
        assert (ended.state, ended.done, ended.refusals) == ("completed", 1, {})
        assert client.operations.cancel(client.operations.start(doing, which, Options(1, older_than=DAY)).id)


async def test_the_role_of_the_controller_is_enough_for_the_past_of_pools(database: str, world: World) -> None:
    now = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
    world.query(
        "update pools set desired = 2, reason = 'x', decided_at = now(), decided_by = 'me', decided_until = %s",
        now + DAY,
    )
    async with controller_pool(as_role(database, CONTROLLER), 2) as pool:
        assert await ControllerStore(pool).record_minute("me", now) == ["default"]
        assert await ControllerStore(pool).record_minute("me", now + timedelta(minutes=1)) == ["default"]
    with Client.connect(as_role(database, API)) as client:
        assert Sampler(client.database).figures().states
        assert pool_history(client.database, "default", now - DAY / 24, now, "5m").maximum[-1] == 64


def test_a_dataset_that_a_run_holds_is_not_deleted(world: World) -> None:
    dataset_id = world.submit_small().dataset_id
    world.query("update jobs set state = 'running', lease_epoch = 1")
    with pytest.raises(psycopg.errors.ObjectInUse, match="a run holds the dataset"):
        world.query("select delete_dataset(%s)", dataset_id)
    assert world.dataset(dataset_id)


@pytest.mark.parametrize("role", [CONTROLLER, RUNNER, API])
def test_the_rights_are_read_as_the_database_has_them(database: str, role: str) -> None:
    with ClientConnection(as_role(database, role)) as connection:
        has = connection.all("doctor.privileges", schema="affirm")
        tables = {row["name"] for row in connection.all("doctor.tables", schema="affirm")}
    needs = {
        right._replace(table=table)
        for right in rights_of(role)
        for table in (tables if right.table == EVERY_TABLE else [right.table])
    }
    assert needs == {TableRight(row["table"], row["privilege"], row["column"]) for row in has}


@pytest.mark.parametrize(
    ("role", "query"),
    [
        ("affirm_runner", "insert into jobs (dataset_id, type) values (gen_random_uuid(), 'parse_dataset')"),
        ("affirm_runner", "update jobs set lease_epoch = 7"),
        ("affirm_runner", "update datasets set storage_uri = 'elsewhere'"),
        ("affirm_runner", "update runs set ended_at = null"),
        ("affirm_runner", "delete from datasets"),
        ("affirm_runner", "update pools set max_running = 1000"),
        ("affirm_runner", "drop table names"),
        ("affirm_api", "update jobs set lease_epoch = lease_epoch + 1"),
        ("affirm_api", "update jobs set state = 'running'"),
        ("affirm_api", "update jobs set state = 'completed', finished_at = now()"),
        ("affirm_api", "insert into jobs (dataset_id, type, lease_epoch) values (gen_random_uuid(), 'x', 1)"),
        ("affirm_api", "delete from jobs"),
        ("affirm_api", "insert into runs (job_id, epoch, pool) values (gen_random_uuid(), 1, 'default')"),
        ("affirm_api", "update runs set ended_at = now(), cause = 'crashed'"),
        ("affirm_api", "update runs set released_at = now()"),
        ("affirm_api", "delete from runs"),
        ("affirm_api", "update datasets set status = 'completed'"),
        ("affirm_api", "delete from datasets"),
        ("affirm_api", "insert into names values (1, 2020, 'F', 'Ada', 'ada', 1)"),
        ("affirm_api", "update names set count = 1"),
        ("affirm_api", "delete from names"),
        ("affirm_api", "update coverage set superseded_by = null"),
        ("affirm_api", "delete from coverage"),
        ("affirm_api", "select key from installation"),
        ("affirm_api", "update pools set blocked_since = null"),
        ("affirm_api", "insert into pools (name, max_running) values ('x', 1)"),
        ("affirm_api", "delete from controllers"),
        ("affirm_api", "insert into pool_minutes (pool) values ('default')"),
        ("affirm_api", "delete from api_keys"),
        ("affirm_api", "update schema_migrations set version = 0"),
        ("affirm_api", "create table more (id int)"),
        ("affirm_api", "select run_secret(gen_random_uuid(), 1)"),
        ("affirm_api", "select runner_has_committed(gen_random_uuid(), 1, 'x')"),
        ("affirm_api", "select terminate_runners(gen_random_uuid(), 1)"),
        ("affirm_api", "select uncover(1)"),
        ("affirm_api", "select cover(gen_random_uuid(), '[]')"),
        ("affirm_runner", "select key from installation"),
        ("affirm_runner", "select secret_hash from api_keys"),
        ("affirm_runner", "select cancel_waiting_job(gen_random_uuid())"),
        ("affirm_runner", "select delete_dataset(gen_random_uuid())"),
        ("affirm_controller", "update names set count = 1"),
        ("affirm_controller", "update countries set name = 'x'"),
        ("affirm_controller", "update schema_migrations set version = 0"),
        ("affirm_controller", "create table more (id int)"),
        ("affirm_controller", "alter table names add more int"),
    ],
)
def test_what_a_role_does_not_need_it_may_not_do(database: str, role: str, query: str) -> None:
    with (
        psycopg.connect(as_role(database, role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(query.encode())
