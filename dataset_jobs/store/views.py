"""What clients see of datasets, jobs and runs: the rows of the listing statements."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset. `error` is that of its latest job, also where older rows are still loaded."""

    id: UUID
    country: str
    filename: str
    status: str
    row_count: int | None
    total_count: int | None
    parser: str | None
    measure: str | None
    region: str | None
    year_hint: int | None
    sex_hint: str | None
    size: int
    sha256: str
    storage_uri: str
    error: str | None
    created_at: datetime
    loaded_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job, with how far its latest run is."""

    id: UUID
    dataset_id: UUID
    country: str
    filename: str
    type: str
    pool: str
    priority: int
    state: str
    attempts: int
    interruptions: int
    give_backs: int
    run_at: datetime
    created_at: datetime
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    last_cause: str | None
    last_error: str | None
    size: int
    bytes_done: int | None
    rows_done: int | None


@dataclass(frozen=True, slots=True)
class RunView:
    """One try at a job."""

    epoch: int
    launcher: str
    owner: str
    claimed_at: datetime
    launched_at: datetime | None
    launch_name: str | None
    started_at: datetime | None
    runner_uid: str | None
    pod_name: str | None
    node: str | None
    lease_until: datetime
    bytes_done: int
    rows_done: int
    committed_at: datetime | None
    ended_at: datetime | None
    cause: str | None
    reason: str | None
    error: str | None
    outcome: dict[str, Any] | None
    evidence: dict[str, Any] | None
    released_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a number of jobs are.

    Args:
        completed, failed, cancelled, running, waiting: how many are in that state; waiting for a retry.
        bytes_done: of the files.
        rows_done: of those running and completed.
        running_files: up to 8 names of those running.
    """

    completed: int
    failed: int
    cancelled: int
    running: int
    waiting: int
    bytes_done: int
    rows_done: int
    running_files: list[str]

    @property
    def finished(self) -> int:
        """How many will not change any more."""
        return self.completed + self.failed + self.cancelled
