"""The dataset of a submission: makes a new one, or corrects or retries the one that has the same bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID, uuid4

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import FileMissing, Forbidden, Misconfigured, Unavailable
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.model.requests import InvalidRequest, UnknownCountry, unknown_country
from dataset_jobs.model.states import DatasetStatus, JobType
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import TRIES, Acting, ClientDatabase, Row, Transaction, When
from services.ids import as_uuid
from services.replacements import check_replaced
from services.submission import Existing, Submission, Verdict, verdict_on


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """The result of a submission.

    Args:
        dataset_id: None only after a dry run that would create one.
        job_id: the unfinished job that will load it; None if there is none, and after a dry run.
        loaded: its rows are in the table already.
    """

    verdict: Verdict
    dataset_id: UUID | None
    job_id: UUID | None
    loaded: bool = False


class Withdrawn(Exception):
    """`DatasetMaker.first` raises this to make no dataset after all."""


def find_country(database: ClientDatabase, given: str) -> tuple[UUID, str]:
    """The id and the code of a country, of which one is given; raises InvalidRequest with suggestions."""
    country_id = as_uuid(given)
    rows = database.all("submit.find_country", code=given.strip().upper(), id=country_id)
    if rows:
        return rows[0]["id"], rows[0]["code"]
    if country_id is not None:
        raise UnknownCountry(f"there is no country of the id {country_id}")
    raise unknown_country(given, [(row["code"], row["name"]) for row in database.all("submit.list_countries")])


@dataclass(frozen=True, slots=True)
class DatasetMaker:
    """Makes the dataset of one submission, with the job that loads it.

    The file is stored before the row is written: a crash in between leaves a file that nothing refers to,
    never a row without a file. A country that has no parser is not refused here.

    Args:
        database: where the dataset goes.
        storage: keeps the file.
        submission: its name, hash, size and hints, checked.
        source: opens the file that `submission` was read from, at its beginning; called only if it has to be stored.
        country_id, country: by `find_country`.
        priority: a job with a higher one is claimed first.
        pool: the job's queue.
        run_at: a new job is not claimed before that.
        batch: the name of what is submitted together; None leaves that of a dataset that is there.
        first: what the transaction that creates a dataset begins with; may raise `Withdrawn`.
    """

    database: ClientDatabase
    storage: Storage
    submission: Submission
    source: Callable[[], BinaryIO]
    country_id: UUID
    country: str
    priority: int
    pool: str
    run_at: When = None
    batch: str | None = None
    first: Callable[[Transaction], None] = lambda _: None

    def create_or_continue(self) -> SubmitResult:
        """Creates the dataset, or goes on with the existing one; begins again if somebody was faster.

        Raises:
            InvalidRequest: the pool is unknown, the file cannot be read, or it cannot replace a dataset that it names.
            Conflict: the same bytes are loaded, or being loaded, under another name or with other hints.
        """
        for _ in range(TRIES):
            dataset_id = self._find()
            result = self._create() if dataset_id is None else self._continue(dataset_id)
            if result is not None:
                return result
        raise Unavailable("database: others keep submitting and deleting the same file", Reason.DATABASE)

    def create_if_new(self) -> SubmitResult | None:
        """Creates the dataset; does nothing and returns None if it exists."""
        return self._create() if self._find() is None else None

    def preview(self) -> SubmitResult:
        """The result that `create_or_continue` would have now; writes nothing. Raises as that does."""
        dataset_id = self._find()
        existing = None if dataset_id is None else _read(self.database, dataset_id)
        if existing is None or _has_no_rows(existing):
            check_replaced(self.database, self.submission, self.country_id)
        if existing is None:
            return SubmitResult(Verdict.CREATED, None, None)
        verdict = verdict_on(_existing(existing), self.submission)
        if verdict is Verdict.UNCHANGED and self._is_to_be_restored(existing):
            verdict = Verdict.RESTORED
        return SubmitResult(verdict, dataset_id, None, existing["loaded"])

    def _find(self) -> UUID | None:
        rows = self.database.all("submit.find_dataset", country_id=self.country_id, sha256=self.submission.sha256)
        return rows[0]["id"] if rows else None

    def _create(self) -> SubmitResult | None:
        check_replaced(self.database, self.submission, self.country_id)
        dataset_id = uuid4()
        uri = self._put(dataset_id)

        def work(transaction: Acting) -> SubmitResult | None:
            self.first(transaction)
            row = transaction.one_unless_used(
                UnknownCountry(f"country {self.country} was removed just now"),
                "submit.insert_dataset",
                dataset_id=dataset_id,
                country_id=self.country_id,
                filename=self.submission.filename,
                storage_uri=uri,
                sha256=self.submission.sha256,
                size=self.submission.size,
                supersedes=list(self.submission.supersedes),
                batch=self.batch,
                **self.submission.hints.as_columns(),
            )
            if row is None:
                transaction.nothing_done()
                return None
            job_id = transaction.enqueue(dataset_id, JobType.PARSE, self.priority, self.pool, self.run_at)
            return self._noted(transaction, SubmitResult(Verdict.CREATED, dataset_id, job_id))

        try:
            created = self.database.act(Act.DATASET_SUBMIT, target_of("dataset", dataset_id), work)
        except (InvalidRequest, Withdrawn):
            self.storage.delete(uri)
            raise
        if created is None:
            # Somebody was faster with the same bytes; that dataset has its own file.
            self.storage.delete(uri)
        return created

    def _continue(self, dataset_id: UUID) -> SubmitResult | None:
        existing = _read(self.database, dataset_id)
        if existing is None:
            return None
        verdict = verdict_on(_existing(existing), self.submission)
        uri, restored = existing["storage_uri"], False
        if _has_no_rows(existing):
            check_replaced(self.database, self.submission, self.country_id)
            # Store the same bytes under the same key again, which restores a lost or changed file. Not under the lock.
            if verdict is not Verdict.UNCHANGED or existing["error"] is not None or not self._is_kept(uri):
                uri = self._put(dataset_id)
        elif self._is_to_be_restored(existing):
            uri, restored = self._put(dataset_id), True

        def work(transaction: Acting) -> SubmitResult | None:
            dataset = transaction.lock_dataset(dataset_id)
            if dataset is None:
                transaction.nothing_done()
                return None
            verdict = verdict_on(_existing(dataset), self.submission)
            job_id = dataset["unfinished_job"]
            if self.batch is not None:
                transaction.execute("submit.set_batch", dataset_id=dataset_id, batch=self.batch)
            if _has_no_rows(dataset):
                transaction.execute(
                    "submit.correct_dataset",
                    dataset_id=dataset_id,
                    filename=self.submission.filename,
                    supersedes=list(self.submission.supersedes),
                    storage_uri=uri,
                    **self.submission.hints.as_columns(),
                )
                transaction.execute("datasets.revive", dataset_id=dataset_id)
                if job_id is None:
                    job_id = transaction.enqueue(dataset_id, JobType.PARSE, self.priority, self.pool, self.run_at)
            elif restored:
                transaction.execute("submit.restore_file", dataset_id=dataset_id, storage_uri=uri)
                verdict = Verdict.RESTORED
            return self._noted(transaction, SubmitResult(verdict, dataset_id, job_id, loaded=dataset["loaded"]))

        result = self.database.act(Act.DATASET_SUBMIT, target_of("dataset", dataset_id), work)
        if result is None:
            # Somebody deleted dataset and file meanwhile; the file was just stored again.
            self.storage.delete(uri)
        return result

    def _noted(self, acting: Acting, result: SubmitResult) -> SubmitResult:
        acting.result = result.verdict
        acting.detail = {
            "job": None if result.job_id is None else str(result.job_id),
            "filename": self.submission.filename,
            "country": self.country,
            "batch": self.batch,
        }
        return result

    def _is_to_be_restored(self, dataset: Row) -> bool:
        """Whether a loaded dataset's file is to be stored again: it is gone, or could not be loaded the last time.

        Who may not read storage, or uses another one, finds nothing out, and changes nothing.
        """
        if not dataset["loaded"]:
            return False
        try:
            self.storage.open(dataset["storage_uri"]).close()
        except FileMissing:
            return True
        except (Forbidden, Misconfigured):
            return False
        return dataset["error"] is not None

    def _is_kept(self, uri: str) -> bool:
        """Whether a file is where its dataset says, and can be read from here."""
        try:
            self.storage.open(uri).close()
        except (FileMissing, Forbidden, Misconfigured):
            return False
        return True

    def _put(self, dataset_id: UUID) -> str:
        # Storage raises its own errors; these are about reading the file.
        with self.source() as content, machine_errors(f"read {self.submission.filename}"):
            return self.storage.put(f"{self.country}/{dataset_id}", content)


def _read(database: ClientDatabase, dataset_id: UUID) -> Row | None:
    return database.transaction(lambda transaction: transaction.lock_dataset(dataset_id))


def _has_no_rows(dataset: Row) -> bool:
    return dataset["status"] in (DatasetStatus.PENDING, DatasetStatus.FAILED)


def _existing(row: Row) -> Existing:
    return Existing(
        id=row["id"],
        filename=row["filename"],
        hints=FileHints.of_row(row),
        supersedes=tuple(row["supersedes"]),
        status=DatasetStatus(row["status"]),
        unfinished_job=row["unfinished_job"],
        years=tuple(row["years"]),
        sexes=tuple(row["sexes"]),
        region=row["region"],
        parser=row["parser"],
    )
