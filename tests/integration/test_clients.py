"""Submit, reprocess and delete, on a real Postgres and a real folder."""

import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

import psycopg
import pytest

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import FileMissing, Forbidden, Unavailable
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.model.states import DatasetStatus, JobState, JobType
from dataset_jobs.storage import Storage, StorageConfig, open_storage
from dataset_jobs.storage.local import LocalStorage
from services.client import Client
from services.dataset_maker import SubmitResult
from services.datasets import KnownContent
from services.submission import Verdict, checked_submission, read_file
from services.submit import FileOptions
from tests.kit.submit import submit

pytestmark = pytest.mark.every_postgres

CONTENT = b"Emma,F,15433\nLiam,M,20802\n"

CLAIM = """
with job as (update jobs set state = 'running', lease_epoch = lease_epoch + 1
             where dataset_id = %(id)s and state in ('queued', 'scheduled') returning *),
    run as (insert into runs (job_id, epoch, pool, launcher, owner, lease_until)
            select id, lease_epoch, pool, 'test', 'test', now() + '1 minute' from job)
update datasets set status = case when loaded_at is null then 'processing' else 'reprocessing' end where id = %(id)s
"""
LOAD = """
with row as (insert into names (dataset_key, year, gender, name, folded_name, count)
             select key, 2023, 'F', 'Emma', 'emma', 15433 from datasets where id = %(id)s)
update datasets set status = 'completed', loaded_at = now(), row_count = 1, total_count = 15433, parser = 'us-ssa',
    measure = 'births' where id = %(id)s
"""
COMPLETE = "update jobs set state = 'completed', finished_at = now() where dataset_id = %(id)s and state = 'running'"
FAIL = """
with job as (update jobs set state = 'failed', finished_at = now(), last_cause = 'rejected', last_error = 'no'
             where dataset_id = %(id)s and state = 'running')
update datasets set status = 'failed', error = 'no' where id = %(id)s
"""
RETRY = """
with job as (update jobs set state = 'scheduled', run_at = now() + '1 hour' where dataset_id = %(id)s)
update datasets set status = 'pending' where id = %(id)s
"""
CANCEL = """
with job as (update jobs set state = 'cancelled', finished_at = now() where dataset_id = %(id)s)
update datasets set status = 'pending' where id = %(id)s
"""
RELEASE = """
update runs set ended_at = now(), cause = 'crashed', released_at = now()
where job_id in (select id from jobs where dataset_id = %(id)s)
"""

SITUATIONS = {
    "queued": [],
    "a retry waits": [CLAIM, RELEASE, RETRY],
    "running": [CLAIM],
    "failed": [CLAIM, RELEASE, FAIL],
    "cancelled": [CANCEL],
    "loaded": [CLAIM, LOAD, RELEASE, COMPLETE],
    "reprocessing": [
        CLAIM, LOAD, RELEASE, COMPLETE, "insert into jobs (dataset_id, type) values (%(id)s, 'reprocess_dataset')",
        CLAIM,
    ],
}  # fmt: skip
"""What is done to a dataset to bring it where a test wants it."""


class Submitter:
    """What a test does: submits files of its own folder."""

    def __init__(self, conninfo: str, folder: Path) -> None:
        self.conninfo = conninfo
        self.folder = folder
        (folder / "storage").mkdir()
        self.storage = open_storage(StorageConfig("local", path=folder / "storage"))
        self.store = Client.connect(conninfo)

    def file(self, name: str = "yob2023.txt", content: bytes = CONTENT) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def submit(
        self, name: str = "yob2023.txt", content: bytes = CONTENT, *, country: str = "US", year: int | None = None,
        sex: str | None = None, store: Client | None = None, storage: Storage | None = None, pool: str = "default",
        dry_run: bool = False,
    ) -> SubmitResult:  # fmt: skip
        path = self.file(name, content)
        hints = FileHints(year=year, sex=sex)
        return submit(store or self.store, storage or self.storage, path, country, hints, pool=pool, dry_run=dry_run)

    def submitted(self, situation: str) -> UUID:
        """A dataset in one of the SITUATIONS."""
        dataset_id = self.submit().dataset_id
        assert dataset_id is not None
        for query in SITUATIONS[situation]:
            self.run(query, id=dataset_id)
        return dataset_id

    def run(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.conninfo) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def dataset(self, dataset_id: UUID) -> Any:
        [dataset] = self.store.datasets.list(ids=[dataset_id])
        return dataset

    def stored(self) -> list[Path]:
        return [path for path in (self.folder / "storage").rglob("*") if path.is_file()]


@pytest.fixture
def client(database: str, tmp_path: Path) -> Iterator[Submitter]:
    client = Submitter(database, tmp_path)
    yield client
    client.store.close()


def test_a_new_file_is_stored_under_its_country_and_dataset_and_queued(client: Submitter) -> None:
    result = client.submit(country="us", year=2023, sex="female")
    assert result.verdict is Verdict.CREATED
    assert result.dataset_id is not None and result.job_id is not None
    dataset = client.dataset(result.dataset_id)
    assert (dataset.country, dataset.filename, dataset.status) == ("US", "yob2023.txt", "pending")
    assert (dataset.year_hint, dataset.sex_hint, dataset.size) == (2023, "F", len(CONTENT))
    assert dataset.storage_uri.endswith(f"US/{result.dataset_id}")
    with client.storage.open(dataset.storage_uri) as stored:
        assert stored.read() == CONTENT
    job, runs = client.store.jobs.get(result.job_id)
    assert (job.state, job.type, job.dataset_id, runs) == ("queued", "parse_dataset", result.dataset_id, [])


@pytest.mark.parametrize(
    ("situation", "same", "other"),
    [
        ("queued", Verdict.UNCHANGED, Verdict.CORRECTED),
        ("a retry waits", Verdict.UNCHANGED, Verdict.CORRECTED),
        ("running", Verdict.UNCHANGED, None),
        ("failed", Verdict.RETRIED, Verdict.CORRECTED),
        ("cancelled", Verdict.RETRIED, Verdict.CORRECTED),
        ("loaded", Verdict.UNCHANGED, None),
        ("reprocessing", Verdict.UNCHANGED, None),
    ],
)
@pytest.mark.parametrize("change", [{}, {"name": "yob1880.txt"}, {"year": 1880}, {"sex": "M"}])
def test_the_same_bytes_again(
    client: Submitter, situation: str, same: Verdict, other: Verdict | None, change: dict[str, Any]
) -> None:
    dataset_id = client.submitted(situation)
    before = client.dataset(dataset_id)
    unfinished = [job for job in client.store.jobs.list(dataset_id=dataset_id) if not JobState(job.state).finished]
    expected = other if change else same
    if expected is None:
        with pytest.raises(Conflict, match=str(dataset_id)):
            client.submit(**change, dry_run=True)
        with pytest.raises(Conflict, match=str(dataset_id)):
            client.submit(**change)
        assert client.dataset(dataset_id) == before
        return
    assert client.submit(**change, dry_run=True).verdict is expected
    assert client.dataset(dataset_id) == before
    result = client.submit(**change)
    assert (result.verdict, result.dataset_id) == (expected, dataset_id)
    after = client.dataset(dataset_id)
    assert (after.filename, after.year_hint, after.sex_hint) == (
        change.get("name", "yob2023.txt"),
        change.get("year"),
        change.get("sex"),
    )
    assert after.status == ("pending" if before.status == "failed" else before.status)
    now = [job for job in client.store.jobs.list(dataset_id=dataset_id) if not JobState(job.state).finished]
    if situation == "loaded":
        assert (now, result.job_id, result.loaded) == ([], None, True)
    else:
        assert [job.id for job in now] == [result.job_id]
    if unfinished:
        assert [job.id for job in now] == [job.id for job in unfinished]


def test_the_same_bytes_of_another_country_are_another_dataset(client: Submitter) -> None:
    assert client.submit(country="US").dataset_id != client.submit(country="CA").dataset_id


def test_submitting_a_lost_file_again_stores_it(client: Submitter) -> None:
    dataset_id = client.submitted("failed")
    uri = client.dataset(dataset_id).storage_uri
    client.storage.delete(uri)
    client.submit()
    with client.storage.open(client.dataset(dataset_id).storage_uri) as stored:
        assert stored.read() == CONTENT


def test_a_lost_file_of_a_loaded_dataset_is_stored_again_and_nothing_else(client: Submitter) -> None:
    dataset_id = client.submitted("loaded")
    before = client.dataset(dataset_id)
    client.storage.delete(before.storage_uri)
    assert client.submit(dry_run=True).verdict is Verdict.RESTORED
    assert client.stored() == []
    restored = client.submit()
    assert (restored.verdict, restored.dataset_id, restored.job_id) == (Verdict.RESTORED, dataset_id, None)
    with client.storage.open(before.storage_uri) as stored:
        assert stored.read() == CONTENT
    assert client.dataset(dataset_id) == before
    assert client.submit().verdict is Verdict.UNCHANGED


class Full(LocalStorage):
    """Storage that takes nothing more."""

    def put(self, key: str, content: BinaryIO) -> str:
        raise Unavailable("storage: full", Reason.STORAGE)


@pytest.mark.parametrize("situation", ["queued", "a retry waits", "running", "loaded", "reprocessing"])
def test_known_content_is_not_stored_again(client: Submitter, situation: str) -> None:
    client.submitted(situation)
    assert client.submit(storage=Full(client.folder / "storage")).verdict is Verdict.UNCHANGED


def test_a_lost_file_of_a_waiting_job_is_stored_again(client: Submitter) -> None:
    uri = client.dataset(client.submitted("queued")).storage_uri
    client.storage.delete(uri)
    assert client.submit().verdict is Verdict.UNCHANGED
    with client.storage.open(uri) as stored:
        assert stored.read() == CONTENT


def test_content_whose_hash_is_known_is_submitted_from_an_open_file(client: Submitter) -> None:
    """What `submit` decides on a path, from bytes that something else has received and hashed."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    submission = checked_submission("yob2023.txt", sha256.upper(), len(CONTENT))
    made = client.store.submit_checked(client.storage, submission, lambda: io.BytesIO(CONTENT), FileOptions("us"))
    assert made.verdict is Verdict.CREATED and made.dataset_id is not None
    assert client.submit() == SubmitResult(Verdict.UNCHANGED, made.dataset_id, made.job_id)
    with client.storage.open(client.dataset(made.dataset_id).storage_uri) as stored:
        assert stored.read() == CONTENT

    def unread() -> BinaryIO:
        raise AssertionError("known content was read")

    again = client.store.submit_checked(client.storage, submission, unread, FileOptions("us"))
    assert again.verdict is Verdict.UNCHANGED


@pytest.mark.parametrize("situation", SITUATIONS)
def test_known_hashes_are_found_in_their_order(client: Submitter, situation: str) -> None:
    dataset_id = client.submitted(situation)
    dataset = client.dataset(dataset_id)
    jobs = [job.id for job in client.store.jobs.list(dataset_id=dataset_id) if not JobState(job.state).finished]
    unknown = "0" * 64
    found = client.store.datasets.known("us", [unknown, dataset.sha256.upper(), unknown])
    assert found == [
        KnownContent(unknown),
        KnownContent(dataset.sha256, dataset_id, dataset.status, jobs[0] if jobs else None),
        KnownContent(unknown),
    ]
    assert client.store.datasets.known("CA", [dataset.sha256]) == [KnownContent(dataset.sha256)]


@pytest.mark.parametrize(("country", "hashes"), [("US", ["x"]), ("US", ["0" * 64] * 1001), ("XX", ["0" * 64])])
def test_hashes_that_cannot_be_asked_for_are_refused(client: Submitter, country: str, hashes: list[str]) -> None:
    with pytest.raises(InvalidRequest):
        client.store.datasets.known(country, hashes)


class Dying(LocalStorage):
    """Storage whose client dies right after it has stored a file."""

    def put(self, key: str, content: BinaryIO) -> str:
        super().put(key, content)
        raise KeyboardInterrupt


def test_a_file_is_stored_again_whoever_dies_meanwhile(client: Submitter) -> None:
    """After the file and before the row: the file is there, and the row names it already."""
    dataset_id = client.submitted("loaded")
    uri = client.dataset(dataset_id).storage_uri
    client.storage.delete(uri)
    with pytest.raises(KeyboardInterrupt):
        client.submit(storage=Dying(client.folder / "storage"))
    with client.storage.open(uri) as stored:
        assert stored.read() == CONTENT
    assert client.submit().verdict is Verdict.UNCHANGED
    assert len(client.stored()) == 1


def test_a_file_whose_last_load_failed_is_stored_again(client: Submitter) -> None:
    """It may have been changed; its dataset keeps its rows."""
    dataset_id = client.submitted("loaded")
    [stored] = client.stored()
    stored.write_bytes(b"other bytes")
    client.run("update datasets set error = 'changed' where id = %(id)s", id=dataset_id)
    assert client.submit().verdict is Verdict.RESTORED
    assert stored.read_bytes() == CONTENT
    assert client.dataset(dataset_id).status == "completed"


class Unreadable(LocalStorage):
    """Storage that this client may not read."""

    def open(self, uri: str) -> BinaryIO:
        raise Forbidden("storage: no", Reason.STORAGE)


def test_who_may_not_read_storage_changes_nothing_of_it(client: Submitter) -> None:
    client.submitted("loaded")
    assert client.submit(storage=Unreadable(client.folder / "storage")).verdict is Verdict.UNCHANGED


@pytest.mark.parametrize(
    ("given", "meant"),
    [("UK", "GB"), ("usa", "US"), ("Germany", "DE"), ("ED", "DE"), ("Untied States", "US"), ("X1", "ISO 3166-1")],
)
def test_an_unknown_country_is_refused_with_what_may_have_been_meant(client: Submitter, given: str, meant: str) -> None:
    with pytest.raises(InvalidRequest, match=meant):
        client.submit(country=given)
    assert client.stored() == []


def test_an_unknown_pool_is_refused_and_leaves_neither_row_nor_file(client: Submitter) -> None:
    with pytest.raises(InvalidRequest, match="no pool 'elsewhere' yet") as refused:
        client.submit(pool="elsewhere")
    assert refused.value.hints == (Hint(Action.RUN_CONTROLLER, name="elsewhere"),)
    assert client.store.datasets.list() == []
    assert client.stored() == []


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no such file"):
        read_file(tmp_path / "missing.txt")
    with pytest.raises(InvalidRequest, match="is a directory"):
        read_file(tmp_path)


def at_once(count: int, work: Callable[[int], SubmitResult]) -> list[SubmitResult]:
    """What several threads get that start together."""
    barrier = threading.Barrier(count)

    def started(number: int) -> SubmitResult:
        barrier.wait(100)
        return work(number)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(started, range(count)))


def test_the_same_bytes_at_once_make_one_dataset(client: Submitter) -> None:
    """Of several clients one creates it, and one file stays."""
    client.file()

    def submit_it(_: int) -> SubmitResult:
        with Client.connect(client.conninfo) as store:
            return submit(store, client.storage, client.folder / "yob2023.txt")

    for _ in range(5):
        client.run("truncate datasets cascade")
        for path in client.stored():
            path.unlink()
        results = at_once(6, submit_it)
        assert sorted(result.verdict for result in results) == ["created"] + ["unchanged"] * 5
        assert len({result.dataset_id for result in results}) == 1
        assert len({result.job_id for result in results}) == 1
        assert len(client.stored()) == 1


def test_of_several_that_submit_a_failed_file_at_once_under_other_names_one_enqueues(client: Submitter) -> None:
    dataset_id = client.submitted("failed")
    paths = [client.file(f"name{number}.txt") for number in range(6)]

    def submit_one(number: int) -> SubmitResult:
        with Client.connect(client.conninfo) as store:
            return submit(store, client.storage, paths[number])

    results = at_once(6, submit_one)
    assert {result.dataset_id for result in results} == {dataset_id}
    assert len({result.job_id for result in results}) == 1
    assert {result.verdict for result in results} == {Verdict.CORRECTED}


class DeletedMeanwhile(LocalStorage):
    """Storage that lets somebody, once, delete the dataset while its file is being put."""

    def __init__(self, client: Submitter) -> None:
        super().__init__(client.folder / "storage")
        self._client = client
        self._deleted = False

    def put(self, key: str, content: BinaryIO) -> str:
        if not self._deleted:
            self._deleted = True
            with Client.connect(self._client.conninfo) as store:
                store.datasets.delete(UUID(key.partition("/")[2]), self)
        return super().put(key, content)


def test_a_dataset_deleted_while_its_file_is_submitted_again_is_made_anew(client: Submitter) -> None:
    dataset_id = client.submitted("failed")
    result = client.submit(storage=DeletedMeanwhile(client))
    assert result.verdict is Verdict.CREATED
    assert result.dataset_id != dataset_id
    assert [path.name for path in client.stored()] == [str(result.dataset_id)]


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ("loaded", JobType.REPROCESS),
        ("failed", JobType.PARSE),
        ("cancelled", JobType.PARSE),
        ("queued", None),
        ("a retry waits", None),
        ("running", None),
        ("reprocessing", None),
    ],
)
def test_reprocess(client: Submitter, situation: str, expected: JobType | None) -> None:
    dataset_id = client.submitted(situation)
    if expected is None:
        unfinished = [
            job.id for job in client.store.jobs.list(dataset_id=dataset_id) if not JobState(job.state).finished
        ]
        with pytest.raises(Conflict, match="not finished yet") as refused:
            client.store.datasets.reprocess(dataset_id)
        assert refused.value.hints == (Hint(Action.EXPLAIN_JOB, job_id=unfinished[0]),)
        return
    job_id, kind = client.store.datasets.reprocess(dataset_id, priority=3)
    job, _ = client.store.jobs.get(job_id)
    assert (kind, job.type, job.state, job.priority) == (expected, expected, "queued", 3)
    assert client.dataset(dataset_id).status == ("completed" if situation == "loaded" else "pending")


@pytest.mark.parametrize("situation", SITUATIONS)
def test_delete(client: Submitter, situation: str) -> None:
    dataset_id = client.submitted(situation)
    if situation in ("running", "reprocessing"):
        with pytest.raises(Conflict, match="is held by a run"):
            client.store.datasets.delete(dataset_id, client.storage)
        assert client.dataset(dataset_id).status in (DatasetStatus.PROCESSING, DatasetStatus.REPROCESSING)
        return
    uri = client.dataset(dataset_id).storage_uri
    client.store.datasets.delete(dataset_id, client.storage)
    counts = client.run(
        "select (select count(*) from datasets), (select count(*) from jobs),"
        " (select count(*) from runs), (select count(*) from names)"
    )
    assert counts == [(0, 0, 0, 0)]
    with pytest.raises(FileMissing):
        client.storage.open(uri)
    with pytest.raises(NotFound):
        client.store.datasets.delete(dataset_id, client.storage)


def test_a_dataset_whose_finished_run_still_holds_its_slot_is_not_deleted(client: Submitter) -> None:
    dataset_id = client.submitted("queued")
    for query in (CLAIM, LOAD, COMPLETE):
        client.run(query, id=dataset_id)
    with pytest.raises(Conflict):
        client.store.datasets.delete(dataset_id, client.storage)


def test_what_is_unknown_is_not_found(client: Submitter) -> None:
    unknown = uuid4()
    requests: list[Callable[[UUID], object]] = [
        client.store.datasets.reprocess,
        client.store.datasets.get,
        lambda dataset_id: client.store.datasets.delete(dataset_id, client.storage),
        client.store.jobs.get,
    ]
    for request in requests:
        with pytest.raises(NotFound, match=str(unknown)):
            request(unknown)


def test_an_id_may_be_shortened_while_it_names_one(client: Submitter) -> None:
    ids = [UUID(f"12345678-0000-4000-8000-00000000000{number}") for number in (1, 2)]
    for number, dataset_id in enumerate(ids):
        submitted = client.submit(f"{number}.txt", b"x" * number).dataset_id
        client.run("delete from jobs")
        client.run("update datasets set id = %(new)s where id = %(old)s", new=dataset_id, old=submitted)
    assert client.store.datasets.find(str(ids[0])) == ids[0]
    assert client.store.datasets.find(str(ids[1]).upper()) == ids[1]
    with pytest.raises(InvalidRequest, match="more than one"):
        client.store.datasets.find("12345678-0000")
    with pytest.raises(InvalidRequest, match="first 4"):
        client.store.datasets.find("123")
    with pytest.raises(NotFound):
        client.store.datasets.find("1235")
    with pytest.raises(NotFound):
        client.store.jobs.find("1234")


def test_progress_sums_up_the_jobs_that_are_asked_for(client: Submitter) -> None:
    jobs = [client.submit(f"{number}.txt", b"x" * number) for number in range(1, 5)]
    for result, situation in zip(jobs, ["loaded", "failed", "running", "queued"], strict=True):
        for query in SITUATIONS[situation]:
            client.run(query, id=result.dataset_id)
    client.run("update runs set bytes_done = 2, rows_done = 7 where released_at is null")
    progress = client.store.jobs.progress([result.job_id for result in jobs if result.job_id])
    assert (progress.completed, progress.failed, progress.running, progress.finished) == (1, 1, 1, 2)
    assert (progress.bytes_done, progress.rows_done, progress.running_files) == (1 + 2 + 2, 7, ["3.txt"])


def test_a_client_connects_again_after_its_connection_broke(client: Submitter) -> None:
    client.store.datasets.list()
    client.run(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'affirm-worker client' and datname = current_database()"
    )
    with pytest.raises(Exception, match="database"):
        client.store.datasets.list()
    assert client.store.datasets.list() == []
