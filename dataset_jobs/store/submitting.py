"""Submitting a file: a new dataset, or what is right for one that its bytes already are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID, uuid4

from psycopg.rows import DictRow

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.model.states import DatasetStatus, JobType
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import TRIES, ClientConnection, Transaction, When
from dataset_jobs.store.refusals import Refused, unknown_country
from dataset_jobs.store.submission import Existing, Submission, Verdict, decide
from dataset_jobs.store.superseding import check_replaced


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What came of a submission.

    Args:
        dataset_id: None only of a dry run that would create one.
        job_id: the unfinished job that will load it; None where there is none, and of a dry run.
        loaded: its rows are in the table already.
    """

    verdict: Verdict
    dataset_id: UUID | None
    job_id: UUID | None
    loaded: bool = False


class Withdrawn(Exception):
    """Nothing is to be submitted after all; for `Submitting.first` to say so."""


def preview(database: ClientConnection, submission: Submission, country: str) -> SubmitResult:
    """What submitting would do now; nothing is written. Raises as submitting does."""
    country_id, _ = find_country(database, country)
    dataset_id = _find(database, country_id, submission)
    existing = None if dataset_id is None else _read(database, dataset_id)
    if existing is None or _has_no_rows(existing):
        check_replaced(database, submission, country_id)
    if existing is None:
        return SubmitResult(Verdict.CREATED, None, None)
    return SubmitResult(decide(_existing(existing), submission), dataset_id, None, loaded=existing["loaded"])


def find_country(database: ClientConnection, given: str) -> tuple[UUID, str]:
    """The id and the code of a country; raises Refused with suggestions."""
    code = given.strip().upper()
    rows = database.all("submit.find_country", code=code)
    if not rows:
        raise unknown_country(given, [(row["code"], row["name"]) for row in database.all("submit.list_countries")])
    return rows[0]["id"], code


@dataclass(frozen=True, slots=True)
class Submitting:
    """One file being submitted; see `ClientStore.submit`.

    Args:
        source: opens the file; whoever calls it closes it.
        run_at: a new job is not claimed before that.
        first: what the transaction that creates a dataset begins with; may raise `Withdrawn`.
    """

    database: ClientConnection
    source: Callable[[], BinaryIO]
    submission: Submission
    country_id: UUID
    country: str
    storage: Storage
    priority: int
    pool: str
    run_at: When = None
    first: Callable[[Transaction], None] = lambda _: None

    def submit(self) -> SubmitResult:
        """Creates the dataset, or goes on with the one that there is; from the start where somebody was faster."""
        for _ in range(TRIES):
            dataset_id = _find(self.database, self.country_id, self.submission)
            result = self._create() if dataset_id is None else self._again(dataset_id)
            if result is not None:
                return result
        raise Unavailable("database: others keep submitting and deleting the same file", Reason.DATABASE)

    def submit_new(self) -> SubmitResult | None:
        """Creates the dataset; None, with nothing done, where there is one."""
        if _find(self.database, self.country_id, self.submission) is not None:
            return None
        return self._create()

    def _create(self) -> SubmitResult | None:
        check_replaced(self.database, self.submission, self.country_id)
        dataset_id = uuid4()
        uri = self._put(dataset_id)

        def work(transaction: Transaction) -> SubmitResult | None:
            self.first(transaction)
            row = transaction.one(
                "submit.insert_dataset",
                dataset_id=dataset_id,
                country_id=self.country_id,
                filename=self.submission.filename,
                storage_uri=uri,
                sha256=self.submission.sha256,
                size=self.submission.size,
                year_hint=self.submission.year_hint,
                sex_hint=self.submission.sex_hint,
                supersedes=list(self.submission.supersedes),
            )
            if row is None:
                return None
            job_id = transaction.enqueue(dataset_id, JobType.PARSE, self.priority, self.pool, self.run_at)
            return SubmitResult(Verdict.CREATED, dataset_id, job_id)

        try:
            created = self.database.transaction(work)
        except (Refused, Withdrawn):
            self.storage.delete(uri)
            raise
        if created is None:
            # Somebody was faster with the same bytes: the dataset that there is now has a file of its own.
            self.storage.delete(uri)
        return created

    def _again(self, dataset_id: UUID) -> SubmitResult | None:
        existing = _read(self.database, dataset_id)
        if existing is None:
            return None
        decide(_existing(existing), self.submission)
        uri = existing["storage_uri"]
        if _has_no_rows(existing):
            check_replaced(self.database, self.submission, self.country_id)
            # The same bytes at their own key once more: that mends a file which was lost. Not under the lock.
            uri = self._put(dataset_id)

        def work(transaction: Transaction) -> SubmitResult | None:
            dataset = transaction.lock_dataset(dataset_id)
            if dataset is None:
                return None
            verdict = decide(_existing(dataset), self.submission)
            job_id = dataset["unfinished_job"]
            if _has_no_rows(dataset):
                transaction.execute(
                    "submit.correct_dataset",
                    dataset_id=dataset_id,
                    filename=self.submission.filename,
                    year_hint=self.submission.year_hint,
                    sex_hint=self.submission.sex_hint,
                    supersedes=list(self.submission.supersedes),
                    storage_uri=uri,
                )
                if job_id is None:
                    job_id = transaction.enqueue(dataset_id, JobType.PARSE, self.priority, self.pool, self.run_at)
            return SubmitResult(verdict, dataset_id, job_id, loaded=dataset["loaded"])

        result = self.database.transaction(work)
        if result is None:
            # Deleted in the meantime, together with its file, which was stored again just now.
            self.storage.delete(uri)
        return result

    def _put(self, dataset_id: UUID) -> str:
        # Storage has errors of its own: these are of the file that is read.
        with self.source() as content, machine_errors(f"read {self.submission.filename}"):
            return self.storage.put(f"{self.country}/{dataset_id}", content)


def _find(database: ClientConnection, country_id: UUID, submission: Submission) -> UUID | None:
    rows = database.all("submit.find_dataset", country_id=country_id, sha256=submission.sha256)
    return rows[0]["id"] if rows else None


def _read(database: ClientConnection, dataset_id: UUID) -> DictRow | None:
    return database.transaction(lambda transaction: transaction.lock_dataset(dataset_id))


def _has_no_rows(dataset: DictRow) -> bool:
    return dataset["status"] in (DatasetStatus.PENDING, DatasetStatus.FAILED)


def _existing(row: DictRow) -> Existing:
    return Existing(
        id=row["id"],
        filename=row["filename"],
        year_hint=row["year_hint"],
        sex_hint=row["sex_hint"],
        supersedes=tuple(row["supersedes"]),
        status=DatasetStatus(row["status"]),
        unfinished_job=row["unfinished_job"],
    )
