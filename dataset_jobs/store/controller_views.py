"""What the controller sees of jobs and runs: the rows of its statements."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from dataset_jobs.model.keys import RunKey


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run as the claim made it, to be launched."""

    job_id: UUID
    epoch: int
    dataset_id: UUID
    filename: str
    type: str
    attempts: int
    interruptions: int
    memory_doublings: int
    pool: str
    waited: timedelta = timedelta(0)
    """Since it was submitted, or due."""
    secret: str = field(default="", repr=False)
    """Its runner proves itself by it."""

    @property
    def key(self) -> RunKey:
        """How the run is named."""
        return RunKey(self.job_id, self.epoch)


@dataclass(frozen=True, slots=True)
class UnreleasedRun:
    """A run that holds a slot, as the database sees it."""

    job_id: UUID
    epoch: int
    pool: str
    dataset_id: UUID
    filename: str
    type: str
    attempts: int
    launcher: str
    owner: str
    launch_name: str | None
    runner_uid: str | None
    node: str | None
    claimed_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    committed_at: datetime | None
    ended_at: datetime | None
    lease_expired: bool
    age: timedelta
    waits_for: str | None
    memory_doublings: int
    cancel_requested: bool
    secret: str | None = field(default=None, repr=False)
    """Its runner proves itself by it; only of a run that is to be launched."""

    @property
    def key(self) -> RunKey:
        """How the run is named."""
        return RunKey(self.job_id, self.epoch)

    @property
    def launched_for(self) -> timedelta:
        """How long ago it was launched; zero if that is not on record."""
        return timedelta(0) if self.launched_at is None else self.age - (self.launched_at - self.claimed_at)

    @property
    def ended_for(self) -> timedelta:
        """How long ago it was ended; zero if it was not."""
        return timedelta(0) if self.ended_at is None else self.age - (self.ended_at - self.claimed_at)


def log_fields(run: ClaimedRun | UnreleasedRun) -> dict[str, str | int]:
    """What a line of the log says of the run that it is about."""
    return {
        "file": run.filename,
        "job_id": str(run.job_id),
        "job_type": run.type,
        "dataset_id": str(run.dataset_id),
        "attempt": run.attempts + 1,
        "epoch": run.epoch,
    }


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job that waits for its `run_at`."""

    id: UUID
    dataset_id: UUID
    filename: str
    type: str
    attempts: int
    run_at: datetime
    last_error: str | None
    last_cause: str | None
    last_reason: str | None


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """The open work of pools: jobs, slots, and due or running ticks of schedules."""

    queued: int
    running: int
    due: int
    waiting: int
    unreleased: int
    ticks: int

    @property
    def idle(self) -> bool:
        """True if nothing is queued, due or running, and every slot is free."""
        return not (self.queued or self.running or self.due or self.unreleased or self.ticks)
