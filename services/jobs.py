"""Jobs: list, show, cancel, retry, reschedule, purge. Each change is one transaction; a purge is one for each batch."""

import builtins
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.model.states import FINISHED, PURGE_BATCH, JobState, state_of
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Row, Transaction, When, run_at_parameters
from dataset_jobs.store.views import JobView, Progress, RunView
from services.filters import JobFilter, select_jobs
from services.ids import find
from services.job_pages import JobOrder, JobPage, Place, page_of_jobs
from services.listing import Selection
from services.refusals import refuse_to_retry

OTHERS = 3
"""How many other jobs are named."""

_STEERED = ("state", "pool", "priority", "run_at", "attempts", "interruptions", "give_backs", "cancel_requested_at")
"""What makes a job another one to whoever steers it."""


class Changed(Conflict):
    """It is not as it was when whoever changes it looked."""


class Cancel(StrEnum):
    """The result of a cancel."""

    CANCELLED = "cancelled"
    """The job is cancelled."""
    REQUESTED = "requested"
    """Its run can commit nothing more, and is being stopped; the job is cancelled when the run is gone."""


@dataclass(frozen=True, slots=True)
class Retried:
    """The result of a retry. `refusal` says why it was refused; None if it was done."""

    job_id: UUID
    dataset_id: UUID
    filename: str
    refusal: InvalidRequest | None = None


@dataclass(frozen=True, slots=True)
class Others:
    """Jobs of other files that ended meanwhile: how many, and file name and state of the first."""

    count: int = 0
    first: tuple[tuple[str, str], ...] = ()


class Jobs:
    """The jobs of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as the database has it.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self._database = database

    def find(self, given: str) -> UUID:
        """The job whose id is `given` or begins with it; raises NotFound, InvalidRequest if there are several."""
        return find(self._database, given, "job")

    def list(
        self,
        *,
        state: JobState | None = None,
        dataset_id: UUID | None = None,
        ids: Iterable[UUID] | None = None,
        limit: int | None = None,
    ) -> list[JobView]:
        """Jobs, the newest first.

        Args:
            state, dataset_id: only those in it, only those of this dataset.
            ids: only these; the other conditions are not asked then.
            limit: at most so many, all if None.
        """
        if ids is not None:
            return self._read(ids)
        states = () if state is None else (state,)
        return self.select(JobFilter(states, dataset_id=dataset_id)).first(limit)[0]

    def select(self, which: JobFilter) -> Selection[JobView]:
        """The jobs of a filter, in pages; raises InvalidRequest for a country or a pool that is not there."""
        return select_jobs(self._database, which, self._read)

    def page(
        self, which: JobFilter, limit: int, after: Place | None = None, skip: int = 0, order: JobOrder | None = None
    ) -> JobPage:
        """A page of the jobs of a filter, see `page_of_jobs`; raises as `select`, and for a place of another order."""
        return page_of_jobs(self._database, which, self._read, limit, after, skip, order)

    def _read(self, ids: Iterable[UUID]) -> builtins.list[JobView]:
        return [JobView(**row) for row in self._database.all("jobs.list", ids=[*ids])]

    def one(self, job_id: UUID) -> JobView:
        """A job without its runs; raises NotFound."""
        for job in self._read([job_id]):
            return job
        raise NotFound(f"there is no job {job_id}")

    def get(self, job_id: UUID) -> tuple[JobView, Sequence[RunView]]:
        """A job with all its runs, the first one first; raises NotFound."""
        return self.one(job_id), [RunView(**row) for row in self._database.all("jobs.runs", job_id=job_id)]

    def finished_since(self, since: datetime, pool: str, but: Iterable[UUID]) -> Others:
        """The jobs of a pool that have finished since a time of the database's clock, but these."""
        rows = self._database.all("jobs.finished_since", since=since, pool=pool, but=[*but], limit=OTHERS)
        return Others(rows[0]["count"] if rows else 0, tuple((row["filename"], row["state"]) for row in rows))

    def latest(self) -> UUID:
        """The job whose run began last, among those at work; else the newest one. Raises NotFound if there is none."""
        found = self._database.only("jobs.at_work_last")["id"]
        if found is None:
            raise NotFound("there are no jobs")
        return UUID(str(found))

    def progress(self, job_ids: Iterable[UUID]) -> Progress:
        """How far these jobs are."""
        return Progress(**self._database.only("jobs.progress", ids=[*job_ids]))

    def cancel(self, job_id: UUID, reason: str | None = None) -> Cancel:
        """Cancels a job that waits; ends the run of one that is running, so that it commits nothing after.

        Whichever locks the job first wins: this, or the run's commit.

        Args:
            reason: for the audit.

        Raises:
            NotFound: there is no such job.
            Conflict: it has completed or failed already.
        """
        work = partial(cancel_job, job_id=job_id, reason=reason)
        return self._database.act(Act.JOB_CANCEL, target_of("job", job_id), work)

    def retry(
        self, job_id: UUID, *, dry_run: bool = False, priority: int | None = None, run_at: When = None
    ) -> Retried:
        """Retries a failed or cancelled job, with fresh budgets; its runs stay.

        Args:
            dry_run: only find out whether it could be.
            priority: from now on; None leaves it.
            run_at: not before; None is at once.

        Raises:
            NotFound: there is no such job.
            Conflict: it is neither failed nor cancelled; or its dataset has another unfinished job, was loaded since,
                or is superseded.
            InvalidRequest: no job can be asked to run at that time.
        """
        work = partial(retry_job, job_id=job_id, priority=priority, dry_run=dry_run, run_at=run_at)
        return self._database.act(Act.JOB_RETRY, target_of("job", job_id), work)

    def reschedule(
        self,
        job_id: UUID,
        *,
        priority: int | None = None,
        run_at: When = None,
        pool: str | None = None,
        versions: Sequence[str] | None = None,
    ) -> JobView:
        """Changes the priority, the time or the pool of a job that waits, a retry's time too; None leaves it.

        Args:
            versions: only if the job is one of these still, as `version_of` has them; None for any.

        Raises:
            NotFound: there is no such job.
            Conflict: it is running or over.
            Changed: it is another version now.
            InvalidRequest: there is no such pool, or no job can be asked to run at that time.
        """
        work = partial(set_waiting_job, job_id=job_id, priority=priority, run_at=run_at, pool=pool, versions=versions)
        self._database.act(Act.JOB_SET, target_of("job", job_id), work)
        return self.one(job_id)

    def failed(self, cause: Cause | None = None) -> Sequence[UUID]:
        """The jobs that have failed and can be retried, the oldest failure first.

        Args:
            cause: only those that failed of it.
        """
        return [row["id"] for row in self._database.all("jobs.failed", cause=cause)]

    def purge(self, older_than: timedelta, states: Sequence[JobState] = FINISHED) -> Iterator[int]:
        """Removes jobs that finished long ago, with their runs, until there are none; datasets and their rows stay.

        Args:
            older_than: how long ago they must have finished.
            states: only those in one of these.

        Yields:
            How many each batch has removed.
        """
        removed = PURGE_BATCH
        while removed == PURGE_BATCH:
            removed = self._database.act(Act.JOB_PURGE, None, lambda acting: purge_batch(acting, older_than, states))
            yield removed

    def purgeable(self, older_than: timedelta, states: Sequence[JobState] = FINISHED) -> dict[JobState, int]:
        """How many jobs of each state `purge` would remove."""
        rows = self._database.all("jobs.count_purgeable", older_than=older_than, states=list(states))
        return {JobState(row["state"]): row["jobs"] for row in rows}

    def retry_all(
        self, job_ids: Iterable[UUID], *, dry_run: bool = False, priority: int | None = None
    ) -> Sequence[Retried]:
        """As `retry`, of several: a job that cannot be retried does not keep the others from it."""
        results = []
        for job_id in dict.fromkeys(job_ids):
            try:
                results.append(self.retry(job_id, dry_run=dry_run, priority=priority))
            except InvalidRequest as refusal:
                for job in self.list(ids=[job_id]):
                    results.append(Retried(job_id, job.dataset_id, job.filename, refusal))
        return results


def version_of(job: JobView | Mapping[str, Any]) -> str:
    """A short text that is another one as soon as somebody or something has moved or changed the job."""
    values = job if isinstance(job, Mapping) else asdict(job)
    seen = [values[name] for name in _STEERED]
    text = "|".join(str(one.astimezone(UTC) if isinstance(one, datetime) else one) for one in seen)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def cancel_job(transaction: Acting, job_id: UUID, reason: str | None = None) -> Cancel:
    """Cancels a job within an act; see `Jobs.cancel`."""
    job = _locked(transaction, job_id)
    transaction.detail = {} if reason is None else {"reason": reason}
    match JobState(job["state"]):
        case JobState.COMPLETED:
            raise Conflict(f"job {job_id} has completed already: the rows of its dataset are loaded")
        case JobState.FAILED:
            raise Conflict(f"job {job_id} has failed already", hints=[Hint(Action.EXPLAIN_JOB, job_id)])
        case JobState.SCHEDULED | JobState.QUEUED:
            transaction.execute("jobs.cancel_waiting", job_id=job_id)
        case JobState.CANCELLED:
            transaction.nothing_done()
        case JobState.RUNNING:
            if job["cancel_requested_at"] is not None:
                transaction.nothing_done()
            transaction.result = Cancel.REQUESTED
            transaction.execute("jobs.cancel_running", job_id=job_id)
            return Cancel.REQUESTED
    return Cancel.CANCELLED


def retry_job(
    transaction: Acting, job_id: UUID, priority: int | None = None, dry_run: bool = False, run_at: When = None
) -> Retried:
    """Retries a job within an act; see `Jobs.retry`."""
    at = run_at_parameters(run_at)
    found = transaction.one("jobs.dataset", job_id=job_id)
    dataset = transaction.lock_dataset(found["dataset_id"]) if found is not None else None
    job = _locked(transaction, job_id)
    assert dataset is not None
    refuse_to_retry(transaction, job, dataset)
    if dry_run:
        transaction.nothing_done()
    else:
        transaction.execute("datasets.revive", dataset_id=dataset["id"])
        transaction.execute("jobs.retry", job_id=job_id, priority=priority)
        transaction.detail = {"cause": job["last_cause"], "priority": priority}
        if run_at is not None:
            transaction.execute("jobs.set_waiting", job_id=job_id, priority=None, pool=None, **at)
            transaction.detail["run_at"] = str(run_at)
    return Retried(job_id, dataset["id"], dataset["filename"])


def set_waiting_job(
    transaction: Acting,
    job_id: UUID,
    priority: int | None,
    run_at: When,
    pool: str | None = None,
    versions: Sequence[str] | None = None,
) -> None:
    """Changes a job that waits, within an act; see `Jobs.reschedule`."""
    job = _locked(transaction, job_id)
    if versions is not None and version_of(job) not in versions:
        raise Changed(f"job {job_id} has changed meanwhile: look at it again")
    if job["state"] not in (JobState.SCHEDULED, JobState.QUEUED):
        raise Conflict(f"job {job_id} is {job['state']}: only one that is queued or scheduled can be changed")
    transaction.one_of_pool("jobs.set_waiting", pool, job_id=job_id, priority=priority, **run_at_parameters(run_at))
    transaction.detail = {"priority": priority, "run_at": None if run_at is None else str(run_at), "pool": pool}


def purge_batch(acting: Acting, older_than: timedelta, states: Sequence[JobState]) -> int:
    """Removes a batch of jobs within an act; how many. See `Jobs.purge`."""
    rows = acting.all("jobs.purge", pool=None, older_than=older_than, states=list(states), batch=PURGE_BATCH)
    if not rows:
        acting.nothing_done()
    acting.detail = {"jobs": len(rows), "states": list(states), "older_than_seconds": older_than.total_seconds()}
    return len(rows)


def _locked(transaction: Transaction, job_id: UUID) -> Row:
    job = transaction.one("jobs.lock", job_id=job_id)
    if job is None:
        raise NotFound(f"there is no job {job_id}")
    if state_of(job["state"]) is None:
        raise Conflict(f"job {job_id} is {job['state']}, which only a newer affirm-worker knows: use that")
    return job
