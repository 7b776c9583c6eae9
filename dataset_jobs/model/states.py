"""The states of datasets and jobs, and the moves between them.

`docs/states.md` draws them; a test compares this module, that page and the CHECKs of the database.
"""

from enum import StrEnum


class DatasetStatus(StrEnum):
    """Where a dataset stands. `processing` and `reprocessing` only while one of its jobs is running."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    REPROCESSING = "reprocessing"


class JobType(StrEnum):
    """What a job is asked to do."""

    PARSE = "parse_dataset"
    REPROCESS = "reprocess_dataset"


class JobState(StrEnum):
    """Where a job stands."""

    SCHEDULED = "scheduled"
    """Waits for its `run_at`: a submission that is for later, or a retry."""
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    """The dead letters."""
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """True if nothing more will happen by itself."""
        return self in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)


def state_of(word: str) -> JobState | None:
    """The state of that name; None for one that a newer version may know."""
    return next((state for state in JobState if state == word), None)


FINISHED = tuple(state for state in JobState if state.finished)
"""The states of jobs that can be removed."""

PURGE_BATCH = 500
"""At most so many jobs are removed in one transaction."""

RETRIED = "put back by hand"
"""The only move of a job that is over."""

JOB_MOVES: frozenset[tuple[JobState, JobState, str]] = frozenset(
    {
        (JobState.SCHEDULED, JobState.QUEUED, "run_at has come"),
        (JobState.QUEUED, JobState.RUNNING, "claim"),
        (JobState.RUNNING, JobState.COMPLETED, "the runner commits"),
        (JobState.RUNNING, JobState.SCHEDULED, "retry, or given back"),
        (JobState.RUNNING, JobState.QUEUED, "interrupted"),
        (JobState.RUNNING, JobState.FAILED, "rejected, or a budget is used up"),
        (JobState.RUNNING, JobState.CANCELLED, "cancelled"),
        (JobState.QUEUED, JobState.CANCELLED, "cancelled"),
        (JobState.SCHEDULED, JobState.CANCELLED, "cancelled"),
        (JobState.FAILED, JobState.QUEUED, RETRIED),
        (JobState.CANCELLED, JobState.QUEUED, RETRIED),
    }
)
"""Every move a job can make: from, to, and what makes it."""

DATASET_MOVES: frozenset[tuple[DatasetStatus, DatasetStatus, str]] = frozenset(
    {
        (DatasetStatus.PENDING, DatasetStatus.PROCESSING, "claim"),
        (DatasetStatus.PROCESSING, DatasetStatus.COMPLETED, "the runner commits"),
        (DatasetStatus.PROCESSING, DatasetStatus.PENDING, "retry, interrupted, given back or cancelled"),
        (DatasetStatus.PROCESSING, DatasetStatus.FAILED, "its job failed"),
        (DatasetStatus.FAILED, DatasetStatus.PENDING, "submitted, reprocessed or retried"),
        (DatasetStatus.COMPLETED, DatasetStatus.REPROCESSING, "claim of a reprocess"),
        (DatasetStatus.REPROCESSING, DatasetStatus.COMPLETED, "the runner commits, or the old rows stay"),
    }
)
"""Every move a dataset can make: from, to, and what makes it."""
