"""What people do to jobs that are there: cancel, put back, remove. One transaction for each job, or batch of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from psycopg.rows import DictRow

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.settlement import CANCELLED
from dataset_jobs.model.states import JobState, JobType, state_of
from dataset_jobs.store.client_connection import ClientConnection, Transaction, When, time_parameters
from dataset_jobs.store.refusals import Conflict, NotFound
from dataset_jobs.store.superseding import refuse_superseded

PURGE_BATCH = 500
"""How many jobs one transaction removes at the most."""

FINISHED = tuple(state for state in JobState if state.finished)
"""The states of jobs that may be removed."""


class Cancel(StrEnum):
    """What came of a cancel."""

    CANCELLED = "cancelled"
    """The job is cancelled."""
    REQUESTED = "requested"
    """Its run can commit nothing more, and is being stopped; the job is cancelled when the run is gone."""


@dataclass(frozen=True, slots=True)
class Retry:
    """What came of putting a job back. `refused` says why it was not; None where it was."""

    job_id: UUID
    dataset_id: UUID
    filename: str
    refused: str | None = None


def cancel(database: ClientConnection, job_id: UUID) -> Cancel:
    """Cancels a job that waits; ends the run of one that is running, so that it commits nothing after.

    Whichever locks the job first wins: this, or the run's commit.

    Raises:
        NotFound: there is no such job.
        Conflict: it has completed or failed already.
    """

    def work(transaction: Transaction) -> Cancel:
        job = _locked(transaction, job_id)
        match JobState(job["state"]):
            case JobState.COMPLETED:
                raise Conflict(f"job {job_id} has completed already: the rows of its dataset are loaded")
            case JobState.FAILED:
                raise Conflict(f"job {job_id} has failed already: affirm-worker jobs explain {job_id}")
            case JobState.SCHEDULED | JobState.QUEUED:
                transaction.execute("jobs.cancel_waiting", job_id=job_id)
            case JobState.RUNNING:
                transaction.execute("jobs.request_cancel", job_id=job_id)
                transaction.execute(
                    "runs.end",
                    job_id=job_id,
                    epoch=job["lease_epoch"],
                    cause=CANCELLED.cause,
                    reason=CANCELLED.reason,
                    error=CANCELLED.error,
                    evidence=None,
                    only_unstarted=False,
                )
                return Cancel.REQUESTED
        return Cancel.CANCELLED

    return database.transaction(work)


def retry(database: ClientConnection, job_id: UUID, dry_run: bool = False, priority: int | None = None) -> Retry:
    """Puts a failed or cancelled job back into the queue, with fresh budgets; its runs stay.

    Args:
        dry_run: only find out whether it could be.
        priority: from now on; None leaves it.

    Raises:
        NotFound: there is no such job.
        Conflict: it is neither failed nor cancelled; or its dataset has another unfinished job, was loaded since,
            or is superseded.
    """

    def work(transaction: Transaction) -> Retry:
        found = transaction.one("jobs.dataset", job_id=job_id)
        dataset = transaction.lock_dataset(found["dataset_id"]) if found is not None else None
        job = _locked(transaction, job_id)
        assert dataset is not None
        _refuse_to_retry(job, dataset)
        refuse_superseded(transaction, dataset)
        if not dry_run:
            transaction.execute("datasets.revive", dataset_id=dataset["id"])
            transaction.execute("jobs.retry", job_id=job_id, priority=priority)
        return Retry(job_id, dataset["id"], dataset["filename"])

    return database.transaction(work)


def set_waiting(database: ClientConnection, job_id: UUID, priority: int | None, run_at: When) -> None:
    """Changes the priority or the time of a job that waits, a retry's time too; None leaves it.

    Raises:
        NotFound: there is no such job.
        Conflict: it is running or over.
    """

    def work(transaction: Transaction) -> None:
        job = _locked(transaction, job_id)
        if job["state"] not in (JobState.SCHEDULED, JobState.QUEUED):
            raise Conflict(f"job {job_id} is {job['state']}: only one that is queued or scheduled can be changed")
        transaction.execute("jobs.set_waiting", job_id=job_id, priority=priority, **time_parameters(run_at))

    database.transaction(work)


def failed_jobs(database: ClientConnection, cause: Cause | None) -> list[UUID]:
    """The dead letters that may be tried again, the one that failed first being first.

    Args:
        cause: only those that failed of it.
    """
    return [row["id"] for row in database.all("jobs.failed", cause=cause)]


def purge(database: ClientConnection, older_than: timedelta, states: Sequence[JobState] = FINISHED) -> Iterator[int]:
    """Removes jobs that finished long ago, with their runs, until there are none; datasets and their rows stay.

    Args:
        older_than: how long ago they must have finished.
        states: only those in one of these.

    Yields:
        How many each batch has removed.
    """
    removed = PURGE_BATCH
    while removed == PURGE_BATCH:
        removed = database.transaction(lambda transaction: _purge_batch(transaction, older_than, states))
        yield removed


def purgeable(
    database: ClientConnection, older_than: timedelta, states: Sequence[JobState] = FINISHED
) -> dict[JobState, int]:
    """How many jobs of each state `purge` would remove."""
    rows = database.all("jobs.count_purgeable", older_than=older_than, states=list(states))
    return {JobState(row["state"]): row["jobs"] for row in rows}


def _purge_batch(transaction: Transaction, older_than: timedelta, states: Sequence[JobState]) -> int:
    rows = transaction.all("jobs.purge", pool=None, older_than=older_than, states=list(states), batch=PURGE_BATCH)
    return len(rows)


def _locked(transaction: Transaction, job_id: UUID) -> DictRow:
    job = transaction.one("jobs.lock", job_id=job_id)
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    if state_of(job["state"]) is None:
        raise Conflict(f"job {job_id} is {job['state']}, which only a newer affirm-worker knows: use that")
    return job


def _refuse_to_retry(job: DictRow, dataset: DictRow) -> None:
    state = JobState(job["state"])
    if state is JobState.COMPLETED:
        raise Conflict(
            f"job {job['id']} has completed; to load its dataset again: affirm-worker reprocess {dataset['id']}"
        )
    if not state.finished:
        raise Conflict(f"job {job['id']} is not finished: it is {state}")
    what = f"job {job['id']} ({dataset['filename']}): its dataset"
    if dataset["unfinished_job"] is not None:
        raise Conflict(
            f"{what} has another job that is not finished yet: affirm-worker jobs show {dataset['unfinished_job']}"
        )
    if dataset["loaded"] and (job["type"] == JobType.PARSE or dataset["loaded_at"] > job["finished_at"]):
        raise Conflict(
            f"{what} was loaded by another job since; to load it again: affirm-worker reprocess {dataset['id']}"
        )
