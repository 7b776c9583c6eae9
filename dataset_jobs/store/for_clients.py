"""What clients ask of Postgres: submit, reprocess, delete, change jobs, and look. Synchronous, one connection."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self
from uuid import UUID

from psycopg.rows import DictRow

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.states import DatasetStatus, JobState, JobType
from dataset_jobs.postgres.patience import PATIENCE, PatientConnection
from dataset_jobs.storage import Storage
from dataset_jobs.store import job_changes, submitting
from dataset_jobs.store.client_connection import ClientConnection, Transaction, When
from dataset_jobs.store.job_changes import FINISHED, Cancel, Retry
from dataset_jobs.store.refusals import Conflict, NotFound, Refused
from dataset_jobs.store.submission import Submission, open_file
from dataset_jobs.store.submitting import SubmitResult, Submitting, find_country
from dataset_jobs.store.superseding import refuse_superseded, refuse_to_uncover
from dataset_jobs.store.views import (
    Blocked,
    ControllerStatus,
    DatasetView,
    JobView,
    PoolStatus,
    Progress,
    RunView,
    ScheduleView,
    Status,
)


class ClientStore:
    """A client's view of the database. Connects at the first use, and again after a connection broke.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it. To be used by one
    thread at a time.

    Args:
        conninfo: libpq connection string or URI; may be a transaction-mode pooler's.
        patience: how long one answer may take.
        connection_class: see `ClientConnection`.
    """

    def __init__(
        self,
        conninfo: str,
        patience: timedelta = PATIENCE,
        connection_class: type[PatientConnection[DictRow]] = PatientConnection[DictRow],
    ) -> None:
        self._database = ClientConnection(conninfo, patience, connection_class)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection, if there is one."""
        self._database.close()

    def submit(
        self,
        path: Path,
        submission: Submission,
        country: str,
        storage: Storage,
        *,
        priority: int = 0,
        pool: str = "default",
        run_at: When = None,
    ) -> SubmitResult:
        """Stores a file and enqueues the job that loads it; or does what is right for one that is known already.

        The file is stored before the row is written: a crash in between leaves a file that nothing refers to,
        never a row without a file. A country that has no parser is not refused here.

        Args:
            path: the file that `submission` was read from.
            submission: its name, hash, size and hints, checked.
            country: its ISO 3166-1 alpha-2 code, in any letter case.
            storage: where the file is to be kept.
            priority: a job with a higher one is claimed first.
            pool: the job's queue.
            run_at: a new job is not claimed before that.

        Raises:
            Refused: the country or the pool is unknown, the file cannot be read, or what it is to replace cannot be.
            Conflict: the same bytes are loaded, or being loaded, under another name, year or sex.
        """
        country_id, code = find_country(self._database, country)
        source = partial(open_file, path)
        submitting = Submitting(self._database, source, submission, country_id, code, storage, priority, pool, run_at)
        return submitting.submit()

    def preview(self, submission: Submission, country: str) -> SubmitResult:
        """What `submit` would do now; nothing is written. Raises as `submit` does."""
        return submitting.preview(self._database, submission, country)

    def reprocess(
        self, dataset_id: UUID, *, priority: int = 0, pool: str = "default", run_at: When = None
    ) -> tuple[UUID, JobType]:
        """Enqueues a job that loads a dataset again; its rows stay readable until the new ones are committed.

        Returns:
            The job, and its type: a dataset without rows is parsed as if for the first time.

        Raises:
            NotFound: there is no such dataset.
            Conflict: it has an unfinished job, or is superseded.
        """

        def work(transaction: Transaction) -> tuple[UUID, JobType]:
            dataset = transaction.lock_dataset(dataset_id)
            if dataset is None:
                raise NotFound(f"there is no dataset {dataset_id}")
            if dataset["unfinished_job"] is not None:
                raise Conflict(
                    f"dataset {dataset_id} ({dataset['filename']}) has a job that is not finished yet:"
                    f" affirm-worker jobs show {dataset['unfinished_job']}"
                )
            refuse_superseded(transaction, dataset)
            kind = JobType.REPROCESS if dataset["loaded"] else JobType.PARSE
            transaction.execute("datasets.revive", dataset_id=dataset_id)
            return transaction.enqueue(dataset_id, kind, priority, pool, run_at), kind

        return self._database.transaction(work)

    def delete_dataset(self, dataset_id: UUID) -> str:
        """Deletes a dataset, its rows, its jobs and their runs, in one transaction.

        What it has superseded counts again, or is superseded by what superseded it.

        Returns:
            The URI of its file, for the caller to delete now.

        Raises:
            NotFound: there is no such dataset.
            Conflict: a run holds it, or without it two datasets that it supersedes would count for the same.
        """

        def work(transaction: Transaction) -> str:
            dataset = transaction.lock_dataset(dataset_id)
            if dataset is None:
                raise NotFound(f"there is no dataset {dataset_id}")
            held = transaction.one("datasets.holding_run", dataset_id=dataset_id)
            if held is not None:
                raise Conflict(
                    f"dataset {dataset_id} ({dataset['filename']}) is held by a run; delete it when that has"
                    f" ended: affirm-worker jobs show {held['job_id']}; or cancel it first: affirm-worker jobs cancel"
                )
            refuse_to_uncover(transaction, dataset)
            transaction.execute("coverage.uncover", dataset_key=dataset["key"])
            transaction.execute("load.delete_rows", dataset_key=dataset["key"])
            transaction.execute("datasets.delete", dataset_id=dataset_id)
            return str(dataset["storage_uri"])

        return self._database.transaction(work)

    def cancel(self, job_id: UUID) -> Cancel:
        """Cancels a job; see `job_changes.cancel`, and what it raises."""
        return job_changes.cancel(self._database, job_id)

    def retry(self, job_id: UUID, *, dry_run: bool = False, priority: int | None = None) -> Retry:
        """Puts a dead letter back; see `job_changes.retry`, and what it raises."""
        return job_changes.retry(self._database, job_id, dry_run, priority)

    def set_waiting(self, job_id: UUID, *, priority: int | None = None, run_at: When = None) -> JobView:
        """Changes a job that waits; see `job_changes.set_waiting`, and what it raises."""
        job_changes.set_waiting(self._database, job_id, priority, run_at)
        return self.job(job_id)[0]

    def failed_jobs(self, cause: Cause | None = None) -> list[UUID]:
        """The dead letters that may be put back, the oldest first."""
        return job_changes.failed_jobs(self._database, cause)

    def purge(self, older_than: timedelta, states: Sequence[JobState] = FINISHED) -> Iterator[int]:
        """Removes old finished jobs in batches, and yields how many each one had; see `job_changes.purge`."""
        return job_changes.purge(self._database, older_than, states)

    def purgeable(self, older_than: timedelta, states: Sequence[JobState] = FINISHED) -> dict[JobState, int]:
        """How many jobs of each state `purge` would remove."""
        return job_changes.purgeable(self._database, older_than, states)

    def now(self) -> datetime:
        """The time by the database's clock, which every other time is by."""
        [clock] = self._database.all("session.database_time")
        now: datetime = clock["now"]
        return now

    def status(self) -> Status:
        """How the whole installation is, all pools of it."""
        [listening] = self._database.all("status.listening")
        return Status(
            pools=[PoolStatus(**row) for row in self._database.all("status.pools")],
            controllers=[ControllerStatus(**row) for row in self._database.all("status.controllers")],
            listening=listening["listening"],
            blocked=[Blocked(**row) for row in self._database.all("status.blocked_jobs")],
            failing=[
                ScheduleView(**row) for row in self._database.all("schedules.list", schedule=None) if row["failures"]
            ],
        )

    def list_datasets(
        self,
        *,
        status: DatasetStatus | None = None,
        country: str | None = None,
        ids: Iterable[UUID] | None = None,
        limit: int | None = None,
    ) -> list[DatasetView]:
        """Datasets, the newest first."""
        rows = self._database.all(
            "datasets.list",
            status=status,
            country=None if country is None else country.strip().upper(),
            ids=None if ids is None else list(ids),
            limit=limit,
        )
        return [DatasetView(**row) for row in rows]

    def list_jobs(
        self,
        *,
        state: JobState | None = None,
        dataset_id: UUID | None = None,
        ids: Iterable[UUID] | None = None,
        limit: int | None = None,
    ) -> list[JobView]:
        """Jobs, the newest first."""
        rows = self._database.all(
            "jobs.list",
            state=state,
            dataset_id=dataset_id,
            ids=None if ids is None else list(ids),
            limit=limit,
        )
        return [JobView(**row) for row in rows]

    def job(self, job_id: UUID) -> tuple[JobView, list[RunView]]:
        """A job with all its runs, the first one first; raises NotFound."""
        jobs = self.list_jobs(ids=[job_id])
        if not jobs:
            raise NotFound(f"there is no job {job_id}")
        return jobs[0], [RunView(**row) for row in self._database.all("jobs.runs", job_id=job_id)]

    def progress(self, job_ids: Iterable[UUID]) -> Progress:
        """How far these jobs are."""
        [row] = self._database.all("jobs.progress", ids=list(job_ids))
        return Progress(**row)

    def dataset_id(self, given: str) -> UUID:
        """The dataset whose id is `given` or begins with it; raises NotFound, or Refused if there are several."""
        return self._id(given, "dataset", "datasets.ids")

    def job_id(self, given: str) -> UUID:
        """The job whose id is `given` or begins with it; raises NotFound, or Refused if there are several."""
        return self._id(given, "job", "jobs.ids")

    def schema_version(self) -> int:
        """The newest migration that the database has; raises Misconfigured where it has none."""
        [row] = self._database.all("session.schema_version")
        return int(row["version"])

    def _id(self, given: str, kind: str, query: str) -> UUID:
        digits = given.strip().lower().replace("-", "")
        if not re.fullmatch(r"[0-9a-f]{4,32}", digits):
            raise Refused(f"{given!r} is not a {kind}'s id: give it whole, or at least its first 4 digits")
        first, last = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
        found = [row["id"] for row in self._database.all(query, first=first, last=last)]
        if not found:
            raise NotFound(f"there is no {kind} {given}")
        if len(found) > 1:
            raise Refused(f"more than one {kind}'s id begins with {given}: give more of its digits")
        return UUID(str(found[0]))
