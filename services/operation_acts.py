"""What an operation does with one job or dataset after the other, and for how many it can."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID

from dataset_jobs.model.actor import Act, target_of
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import FINISHED, JobState
from dataset_jobs.store.client_connection import Acting, ClientDatabase, Transaction
from services.datasets import delete_dataset, reprocess_dataset
from services.filters import DatasetFilter, JobFilter
from services.jobs import cancel_job, purge_batch, retry_job, set_waiting_job

_REASONS = 20
"""So many reasons of refusals are kept apart."""


class Doing(StrEnum):
    """What an operation does with each."""

    RETRY = "retry"
    CANCEL = "cancel"
    SET = "set"
    REPROCESS = "reprocess"
    DELETE = "delete"
    PURGE = "purge"

    @property
    def is_of_datasets(self) -> bool:
        """Whether its filter is one of datasets."""
        return self in (Doing.REPROCESS, Doing.DELETE)


POSSIBLE: Mapping[Doing, Sequence[JobState]] = {
    Doing.RETRY: (JobState.FAILED, JobState.CANCELLED),
    Doing.CANCEL: (JobState.SCHEDULED, JobState.QUEUED, JobState.RUNNING),
    Doing.SET: (JobState.SCHEDULED, JobState.QUEUED),
}
"""In which states an act on jobs is possible."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the act takes.

    Args:
        priority: for retry, set and reprocess.
        run_at, pool: for set and reprocess.
        older_than: for purge: how long ago the jobs must have finished.
    """

    priority: int | None = None
    run_at: datetime | None = None
    pool: str | None = None
    older_than: timedelta | None = None

    def to_json(self) -> dict[str, Any]:
        """As the database keeps it."""
        older = None if self.older_than is None else self.older_than.total_seconds()
        run_at = None if self.run_at is None else self.run_at.isoformat()
        return {"priority": self.priority, "run_at": run_at, "pool": self.pool, "older_than_seconds": older}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Options":
        """From what `to_json` has made."""
        run_at, older = kept.get("run_at"), kept.get("older_than_seconds")
        return cls(
            kept.get("priority"), None if run_at is None else datetime.fromisoformat(run_at), kept.get("pool"),
            None if older is None else timedelta(seconds=older),
        )  # fmt: skip


@dataclass(slots=True)
class Batch:
    """What a batch has done. `uris` are the files to delete when it is committed."""

    done: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    uris: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Acts:
    """Does an operation's act with one after the other, each as a part of the batch's transaction."""

    database: ClientDatabase
    doing: Doing
    options: Options
    operation: str

    def one(self, transaction: Transaction, target: UUID, batch: Batch) -> None:
        """Does it with one; a refusal is counted."""
        batch.done += 1
        options = self.options
        try:
            match self.doing:
                case Doing.RETRY:
                    self._job(transaction, Act.JOB_RETRY, target, partial(retry_job, priority=options.priority))
                case Doing.CANCEL:
                    self._job(transaction, Act.JOB_CANCEL, target, cancel_job)
                case Doing.SET:
                    change = partial(
                        set_waiting_job, priority=options.priority, run_at=options.run_at, pool=options.pool
                    )
                    self._job(transaction, Act.JOB_SET, target, change)
                case Doing.REPROCESS:
                    again = partial(
                        reprocess_dataset, dataset_id=target, priority=options.priority or 0,
                        pool=options.pool or "default", run_at=options.run_at,
                    )  # fmt: skip
                    self._within(transaction, Act.DATASET_REPROCESS, target_of("dataset", target), again)
                case Doing.DELETE:
                    gone = partial(delete_dataset, dataset_id=target)
                    named = target_of("dataset", target)
                    batch.uris.append(self._within(transaction, Act.DATASET_DELETE, named, gone))
                case Doing.PURGE:
                    raise AssertionError("a purge has no single jobs")
        except InvalidRequest as refusal:
            why = _in_general(refusal)
            batch.refusals[why] = batch.refusals.get(why, 0) + 1

    def purge(self, transaction: Transaction, which: JobFilter | DatasetFilter, batch: Batch) -> bool:
        """Purges as many as one transaction does; whether there are no more."""
        assert isinstance(which, JobFilter) and self.options.older_than is not None
        states, older = list(which.states or FINISHED), self.options.older_than
        batch.done = self._within(transaction, Act.JOB_PURGE, None, lambda it: purge_batch(it, older, states))
        return batch.done == 0

    def _job(self, transaction: Transaction, action: Act, job_id: UUID, work: Callable[..., Any]) -> None:
        self._within(transaction, action, target_of("job", job_id), partial(work, job_id=job_id))

    def _within(self, transaction: Transaction, action: Act, target: str | None, work: Callable[[Acting], Any]) -> Any:
        def noted(acting: Acting) -> Any:
            result = work(acting)
            acting.detail = {**acting.detail, "operation": self.operation}
            return result

        return self.database.act_within(transaction, action, target, noted)


def judge(database: ClientDatabase, doing: Doing, ids: Sequence[UUID]) -> tuple[int, list[tuple[str, int]]]:
    """For how many an act is possible, as far as their states say; and why it is not for the others."""
    can, cannot = 0, dict[str, int]()
    for why, count in _verdicts(database, doing, ids):
        if why is None:
            can += count
        else:
            cannot[why] = cannot.get(why, 0) + count
    return can, sorted(cannot.items(), key=lambda one: -one[1])


def _verdicts(database: ClientDatabase, doing: Doing, ids: Sequence[UUID]) -> Iterable[tuple[str | None, int]]:
    if doing.is_of_datasets:
        for row in database.all("operations.judge_datasets", ids=[*ids]):
            yield ("a job of it is not finished yet" if row["unfinished"] else None), row["datasets"]
        return
    possible = POSSIBLE[doing]
    for row in database.all("operations.judge_jobs", ids=[*ids]):
        if row["state"] not in possible:
            yield f"it is {row['state']}", row["jobs"]
        elif doing is Doing.RETRY and row["later"]:
            yield "its dataset has a later job", row["jobs"]
        else:
            yield None, row["jobs"]


def _in_general(refusal: InvalidRequest) -> str:
    """A refusal without the ids and names of one job, so that those alike are counted together; the job is `it`."""
    text = re.sub(r" ?\([^()]*\)| ?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", str(refusal))
    text = re.sub(r"^(job|dataset): ", "", text)
    return re.sub(r"^(without )?(job|dataset)\b", r"\1it", text)[:200]


def added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Counts of reasons, with more of them; beyond some, reasons are counted together."""
    total = dict(counts)
    for why, count in more.items():
        name = why if why in total or len(total) < _REASONS else "other reasons"
        total[name] = total.get(name, 0) + count
    return total
