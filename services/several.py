"""One act on several jobs that somebody has chosen: each in a transaction of its own; what cannot be done is counted.

Whoever dies in the middle has done some of them. Asked again, those are refused or done already, and the others done.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from dataset_jobs.model.requests import Conflict, NotFound
from dataset_jobs.model.sentences import counted
from dataset_jobs.model.states import JobState
from dataset_jobs.store.views import JobView
from services.client import Client
from services.operation_acts import POSSIBLE, Doing

MOST = 200
"""So many can be chosen at one time; beyond, an operation is for all that match."""


class Refusal(StrEnum):
    """Why an act is not possible with a job: by its state, and beyond."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LATER = "later"
    THEIRS = "theirs"
    GONE = "gone"


_BY_STATE = frozenset(map(str, JobState))

_BEYOND: Mapping[Refusal, tuple[str, str]] = {
    Refusal.LATER: (
        "its dataset has another job, or was loaded by another one",
        "their datasets have other jobs, or were loaded by others",
    ),
    Refusal.THEIRS: ("somebody else has uploaded it", "somebody else has uploaded them"),
    Refusal.GONE: ("it is not there any more", "they are not there any more"),
}
_DONE: Mapping[Doing, tuple[str, str, str]] = {
    Doing.RETRY: ("job is queued again", "jobs are queued again", "retried"),
    Doing.CANCEL: (
        "job is cancelled, or its run is being stopped",
        "jobs are cancelled, or their runs are being stopped",
        "cancelled",
    ),
}
CHOSEN = tuple(_DONE)
"""What can be done with jobs that somebody has chosen."""


@dataclass(slots=True)
class Several:
    """What has become of jobs: for how many it was done, and for how many it could not be, by why."""

    doing: Doing
    done: int = 0
    refused: dict[Refusal, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """In sentences."""
        one, many, word = _DONE[self.doing]
        said = [f"{self.done:,} {one if self.done == 1 else many}."] if self.done or not self.refused else []
        for why, count in self.refused.items():
            said.append(f"{counted(count, 'job')} cannot be {word}: {_why(why, count)}.")
        return " ".join(said)


def _why(refusal: Refusal, count: int) -> str:
    if refusal in _BY_STATE:
        return f"{'it is' if count == 1 else 'they are'} {refusal}"
    return _BEYOND[refusal][count != 1]


def act_on_several(client: Client, doing: Doing, job_ids: Iterable[UUID], may: Callable[[JobView], bool]) -> Several:
    """Does an act with each of some jobs.

    Args:
        client: acts as whoever asks.
        doing: one of `CHOSEN`.
        job_ids: of which jobs.
        may: whether whoever asks may do it with a job.
    """
    result = Several(doing)
    for job_id in dict.fromkeys(job_ids):
        why = _try(client, doing, job_id, may)
        if why is None:
            result.done += 1
        else:
            result.refused[why] = result.refused.get(why, 0) + 1
    return result


def _try(client: Client, doing: Doing, job_id: UUID, may: Callable[[JobView], bool]) -> Refusal | None:
    try:
        if not may(client.jobs.one(job_id)):
            return Refusal.THEIRS
        if doing is Doing.RETRY:
            client.jobs.retry(job_id)
        else:
            client.jobs.cancel(job_id)
    except NotFound:
        return Refusal.GONE
    except Conflict:
        return _refusal(client, doing, job_id)
    return None


def _refusal(client: Client, doing: Doing, job_id: UUID) -> Refusal:
    for job in client.jobs.list(ids=[job_id]):
        by_state = job.state in _BY_STATE and job.state not in POSSIBLE[doing]
        return Refusal(job.state) if by_state else Refusal.LATER
    return Refusal.GONE
