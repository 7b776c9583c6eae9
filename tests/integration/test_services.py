"""The use cases as a caller has them: over one connection, and over a pool of them that several threads use."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import psycopg.conninfo
import pytest

from dataset_jobs.model.actor import Actor
from dataset_jobs.model.errors import Forbidden, Misconfigured, Unavailable
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.postgres.timeouts import TimeoutConnection
from dataset_jobs.storage import Storage
from dataset_jobs.storage.local import LocalStorage
from dataset_jobs.store.client_connection import ClientConnection, ClientDatabase
from dataset_jobs.store.client_pool import ClientPool
from services.client import Client
from services.jobs import Cancel
from services.progress import watch
from services.replacements import check_replaced
from services.status import Kind, obstacles
from services.submission import Submission, Verdict, read_file
from services.submit import FileOptions, submit_file, submit_files
from services.to_json import to_json
from tests.integration.world import World

US = FileOptions("US")
SOMEBODY = Actor("somebody", "api")
DATABASES: dict[str, Callable[[str], ClientDatabase]] = {
    "one connection": ClientConnection,
    "a pool": lambda conninfo: ClientPool(conninfo, 3, SOMEBODY, get_seconds=60.0),
}


@pytest.fixture(params=DATABASES)
def client(world: World, request: pytest.FixtureRequest) -> Iterator[Client]:
    with Client(DATABASES[request.param](world.conninfo)) as made:
        yield made


def submitted(client: Client, world: World, year: int) -> tuple[UUID, UUID]:
    path = world.file(f"yob{year}.txt", f"Mary,F,{year}\n")
    done = submit_file(client.database, world.storage, path, US)
    assert done.dataset_id is not None and done.job_id is not None
    return done.dataset_id, done.job_id


def test_a_job_from_its_submission_to_its_deletion(client: Client, world: World) -> None:
    dataset, job = submitted(client, world, 2020)
    assert client.jobs.find(str(job)[:8]) == job
    assert [one.id for one in client.jobs.list(dataset_id=dataset)] == [job]
    assert client.jobs.reschedule(job, priority=7, run_at=timedelta(hours=1)).state == "scheduled"
    assert client.jobs.cancel(job) is Cancel.CANCELLED
    with pytest.raises(Conflict):
        client.jobs.reschedule(job, priority=1)
    assert [one.refusal for one in client.jobs.retry_all([job])] == [None]
    [refused] = client.jobs.retry_all([job])
    assert isinstance(refused.refusal, Conflict)
    told = client.explain(job)
    assert (told.job.state, told.runs, [one.kind for one in told.waits]) == ("queued", (), [Kind.NO_CONTROLLER])
    assert to_json(told)["to_do"][-1]["hints"][0]["action"] == "cancel_job"
    stored = client.datasets.get(dataset).storage_uri
    client.datasets.delete(dataset, world.storage)
    with pytest.raises(NotFound):
        client.datasets.get(dataset)
    assert stored not in [file.uri for file in world.storage.files("US")]


async def test_progress_is_told_until_all_jobs_are_finished(client: Client, world: World) -> None:
    jobs = [submitted(client, world, year)[1] for year in (2020, 2021)]
    first = await anext(aiter(watch(client.jobs, jobs, every_seconds=0.05)))
    assert (first.waiting, first.finished) == (0, 0)
    await world.run_until_idle()
    assert [one.completed async for one in watch(client.jobs, jobs, every_seconds=0.05)] == [2]
    assert client.jobs.purgeable(timedelta(0))
    assert sum(client.jobs.purge(timedelta(0))) == 2


def test_a_schedule_from_its_first_scan_to_its_removal(client: Client, world: World) -> None:
    folder = world.folder / "storage" / "in"
    folder.mkdir()
    (folder / "yob2020.txt").write_text("Mary,F,7\n")
    client.schedules.add("us", "0 3 * * 1", "Europe/Paris", "in", "US", "default")
    assert client.schedules.pause("us", True).paused
    assert len(client.schedules.run("us", world.storage, min_unchanged_seconds=0.0).submitted) == 1
    assert client.schedules.claim() is None
    client.schedules.remove("us")
    assert client.schedules.list() == []


def test_what_is_in_the_way_is_data(client: Client, world: World) -> None:
    submitted(client, world, 2020)
    world.query("update pools set paused = true")
    status = client.status()
    assert [one.kind for one in obstacles(status)] == [Kind.NO_CONTROLLER, Kind.POOL_PAUSED]
    assert to_json(list(obstacles(status)))[1]["about"]["name"] == "default"


def test_a_refused_file_does_not_keep_the_others_back(client: Client, world: World) -> None:
    paths = [world.folder / "missing.txt", world.file("yob2020.txt", "Mary,F,7\n")]
    refused, done = submit_files(client.database, world.storage, paths, US)
    assert isinstance(refused.refusal, InvalidRequest)
    assert done.done is not None and done.done.verdict is Verdict.CREATED
    with pytest.raises(InvalidRequest, match="one file at a time"):
        submit_files(client.database, world.storage, paths, FileOptions("US", replaces=[uuid4()]))


class ReadOnly(LocalStorage):
    """Deletes nothing."""

    def delete(self, uri: str) -> None:
        raise Forbidden(f"storage: {uri}: read-only")


def test_a_file_that_cannot_be_deleted_is_reported(client: Client, world: World) -> None:
    dataset, _ = submitted(client, world, 2020)
    storage: Storage = ReadOnly(world.folder / "storage")
    with pytest.raises(Forbidden, match=f"dataset {dataset} is deleted, but its stored file is not: .* read-only"):
        client.datasets.delete(dataset, storage)
    assert client.datasets.list() == []


def test_threads_share_a_pool(world: World) -> None:
    """Twelve threads, three connections."""
    paths = [world.file(f"yob{year}.txt", f"Mary,F,{year}\n") for year in range(2000, 2012)]
    with Client(ClientPool(world.conninfo, 3, SOMEBODY)) as client, ThreadPoolExecutor(12) as threads:
        done = list(threads.map(lambda path: submit_file(client.database, world.storage, path, US), paths))
        cancelled = list(threads.map(lambda one: client.jobs.cancel(one.job_id or uuid4()), done))
        assert cancelled == [Cancel.CANCELLED] * 12
        assert len(client.jobs.list()) == 12


def test_a_pool_has_a_connection_again_after_all_of_them_broke(world: World) -> None:
    with Client(ClientPool(world.conninfo, 2, SOMEBODY)) as client:
        client.status()
        world.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'affirm-worker clients'"
        )
        assert client.jobs.list() == []


def test_a_pool_says_why_it_has_no_connection(world: World) -> None:
    nowhere = ClientPool("postgresql://nobody@127.0.0.1:1/names", 2, SOMEBODY, get_seconds=1.0)
    with Client(nowhere) as client, pytest.raises(Unavailable, match="refused"):
        client.jobs.list()


def test_a_pool_says_at_once_what_does_not_pass_by_itself(world: World) -> None:
    elsewhere = ClientPool(
        psycopg.conninfo.make_conninfo(world.conninfo, dbname="elsewhere"), 2, SOMEBODY, get_seconds=3600.0
    )
    with Client(elsewhere) as client, pytest.raises(Misconfigured, match="does not exist"):
        client.jobs.list()


class NoDatabase(ClientDatabase):
    """Must not be asked."""

    def close(self) -> None:
        pass

    def _connection(self) -> AbstractContextManager[TimeoutConnection[dict[str, Any]]]:
        @contextmanager
        def asked() -> Iterator[TimeoutConnection[dict[str, Any]]]:
            raise AssertionError("a query was sent")
            yield

        return asked()


def test_a_file_that_replaces_nothing_costs_no_query(tmp_path: Path) -> None:
    path = tmp_path / "yob2020.txt"
    path.write_text("Mary,F,7\n")
    submission = read_file(path)
    assert submission.supersedes == ()
    check_replaced(NoDatabase(), submission, uuid4())
    with pytest.raises(AssertionError, match="a query was sent"):
        check_replaced(NoDatabase(), Submission("a", "b", 1, supersedes=(uuid4(),)), uuid4())
