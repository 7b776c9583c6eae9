"""What clients see of datasets, jobs and runs: the rows of the listing statements."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.waits import is_alive


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset. `error` is that of its latest job, also where older rows are still loaded.

    Args:
        top: the most names that it lists for a year and sex; None if all are.
        years, sexes: of its rows.
        supersedes: the datasets that it was submitted to replace.
        superseded_by: those that count in its place, for some of it.
        superseded: for all of it.
        number: for people; it rises with every dataset.
        batch: the name of what was submitted together.
    """

    id: UUID
    country: str
    filename: str
    status: str
    row_count: int | None
    total_count: int | None
    parser: str | None
    measure: str | None
    region: str | None
    top: int | None
    years: list[int]
    sexes: list[str]
    supersedes: list[UUID]
    superseded_by: list[UUID]
    superseded: bool
    year_hint: int | None
    sex_hint: str | None
    format_hint: str | None
    region_hint: str | None
    description: str | None
    size: int
    sha256: str
    storage_uri: str
    error: str | None
    warning: str | None
    created_at: datetime
    loaded_at: datetime | None
    number: int = 0
    batch: str | None = None

    @property
    def hints(self) -> FileHints:
        """What its uploader has said of the file."""
        return FileHints(
            year=self.year_hint, sex=self.sex_hint, format=self.format_hint, region=self.region_hint,
            description=self.description,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NameCount:
    """A row of `names`: so many got, or bear, this name."""

    year: int
    sex: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class JobView:
    """A job, with how far its latest run is.

    Args:
        blocked_since: since when none of its runs can start; None if one can.
        retried_at: when it was put back by hand.
        described: a person has described the columns of its file.
        number: for people; it rises with every job.
        batch: of its dataset.
        last_reason: says more than `last_cause`.
    """

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
    blocked_since: datetime | None
    retried_at: list[datetime]
    last_cause: str | None
    last_error: str | None
    size: int
    described: bool
    bytes_done: int | None
    rows_done: int | None
    number: int = 0
    batch: str | None = None
    last_reason: str | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """One try at a job. JSON that is no object is under `?`."""

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
    decision: dict[str, Any] | None
    waits_for: str | None
    waits_for_error: str | None
    released_at: datetime | None
    log: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("outcome", "evidence", "decision", "log"):
            value = getattr(self, name)
            if not isinstance(value, dict | None):
                object.__setattr__(self, name, {"?": value})


@dataclass(frozen=True, slots=True)
class LastRun:
    """A job's latest run, as far as it says why the job waits.

    Args:
        max_attempts: how many attempts the job has in all, as settle knew it; None if it did not say.
    """

    job_id: UUID
    claimed_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    cause: str | None
    reason: str | None
    error: str | None
    waits_for: str | None
    waits_for_error: str | None
    max_attempts: str | None


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


@dataclass(frozen=True, slots=True)
class PoolState:
    """A pool, and the progress of the runs that hold its slots.

    Args:
        desired: how many runs it should have; None if nobody has decided, and the maximum alone holds.
        min_running, max_running: between these, the lower one while jobs wait.
        limited_by: the limit that keeps it from the number due; None if none does.
        reason: why so many.
        decided_by: the controller that decides.
        decided_at: since when it is so many.
        max_pending: how many runs may be unstarted at once; None if there is no such limit.
        paused_since, paused_reason: since when, and why; None if nobody has said so.
        described: a ParserPool describes it, or has until it was deleted.
        described_in: the namespace of that; None if no controller has said so.
        refusal: why the newest generation of that is refused; None if it is in force.
        blocked_since: since when its runs cannot start; None if they can.
        blocked_cause, blocked_reason, blocked_error: why.
        probe_at: when one run is tried all the same.
        runs_claimed: not launched yet, as far as is known.
        runs_launched: no runner has taken them yet.
        runs_working: taken by a runner.
        runs_ending: over or ended, and to be settled when process or pod is gone.
        runs_waiting: those of the launched ones whose pods wait for room in the cluster.
        waits_for_error: the scheduler's own words on one of them.
        runs_unanswered: those of the claimed ones whose launch has no answer, and is repeated.
        unanswered_since: when the first of them was claimed.
        unanswered_error: the error of one of them.
    """

    name: str
    desired: int | None
    min_running: int
    max_running: int
    limited_by: str | None
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None
    max_pending: int | None
    paused: bool
    paused_since: datetime | None
    paused_reason: str | None
    described: bool
    described_in: str | None
    refusal: str | None
    blocked_since: datetime | None
    blocked_cause: str | None
    blocked_reason: str | None
    blocked_error: str | None
    probe_at: datetime | None
    runs_claimed: int
    runs_launched: int
    runs_working: int
    runs_ending: int
    runs_waiting: int
    waits_for_error: str | None
    runs_unanswered: int
    unanswered_since: datetime | None
    unanswered_error: str | None

    @property
    def in_use(self) -> int:
        """Slots that are held."""
        return self.runs_claimed + self.runs_launched + self.runs_working + self.runs_ending

    @property
    def unstarted(self) -> int:
        """Runs that have not started."""
        return self.runs_claimed + self.runs_launched


@dataclass(frozen=True, slots=True)
class PoolStatus(PoolState):
    """A pool with its queue.

    Args:
        queued, scheduled, running, failed: jobs in that state; failed ones that can be retried.
        oldest_wait_seconds: how long the oldest job that could be claimed has waited; None if there is none.
    """

    queued: int
    scheduled: int
    running: int
    failed: int
    oldest_wait_seconds: float | None

    @property
    def has_work(self) -> bool:
        """Whether the number of runs that it should have means something: not while it is paused or has no job."""
        return not self.paused and bool(self.queued or self.running)


@dataclass(frozen=True, slots=True)
class ControllerStatus:
    """A controller that says it is there, has claimed something in the last hour, or whose runs hold slots.

    Args:
        pools: that it claims from.
        last_claim, unreleased: its latest claim, and how many of its runs hold a slot.
        heard_of_until: until when those of its runs that hold a slot count as alive.
        started_at, seen_at, silent_seconds: when it began, and last said that it is there; None if it has ended.
        trouble: what keeps it from its work.
        trouble_permanent, trouble_since, trouble_tries: whether that passes by itself, since when, tried how often.
        warnings: what it has seen in its cluster that keeps it from nothing.
    """

    owner: str
    launcher: str
    pools: list[str]
    last_claim: datetime | None
    unreleased: int
    heard_of_until: datetime | None
    started_at: datetime | None
    seen_at: datetime | None
    silent_seconds: float | None
    trouble: str | None
    trouble_permanent: bool
    trouble_since: datetime | None
    trouble_tries: int
    warnings: list[str] = field(default_factory=list)

    @property
    def is_alive(self) -> bool:
        """It has said so a moment ago."""
        return self.silent_seconds is not None and is_alive(timedelta(seconds=self.silent_seconds))


@dataclass(frozen=True, slots=True)
class Blocked:
    """Jobs that cannot start for the same reason; `job_id` is one of them."""

    pool: str
    cause: str | None
    error: str | None
    jobs: int
    since: datetime
    next_try: datetime
    job_id: UUID


@dataclass(frozen=True, slots=True)
class FailedJobs:
    """Failed jobs that can be retried, of one cause and reason.

    Args:
        jobs: how many.
        first_at, last_at: when the first and the last of them failed.
        sample_job, sample_error: the last one.
        pools, countries: that they are of.
    """

    cause: str
    reason: str | None
    jobs: int
    first_at: datetime
    last_at: datetime
    sample_job: UUID
    sample_error: str
    pools: list[str]
    countries: list[str]


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule.

    Args:
        location, url: the folder of storage, or the address; one of them.
        filename: the publisher's name for the file at the address, if nothing else says it.
        next_at: the tick that is next; past if it is being done, or could not be yet.
        year_hint, sex_hint, format_hint, region_hint, description: what the uploader says of the files.
        etag, last_modified: what the server said of the file that was fetched last.
        note: what came of the last look at an address, in words.
        looking: somebody is at it.
        looked_at, files, submitted: the last look that went through; how many files there were, how many of them new.
        failures: looks that were broken off since.
        error: of the last look.
        again_at: when it is tried again, after a failure.
    """

    name: str
    cron: str
    timezone: str
    location: str | None
    url: str | None
    filename: str | None
    country: str
    pool: str
    priority: int
    paused: bool
    next_at: datetime
    year_hint: int | None
    sex_hint: str | None
    format_hint: str | None
    region_hint: str | None
    description: str | None
    etag: str | None
    last_modified: str | None
    note: str | None
    looking: bool
    looked_at: datetime | None
    files: int | None
    submitted: int | None
    failures: int
    error: str | None
    again_at: datetime | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is around a job: pools and controllers."""

    pools: Sequence[PoolState]
    controllers: Sequence[ControllerStatus]

    @property
    def any_alive(self) -> bool:
        """Whether any controller is there."""
        return any(one.is_alive for one in self.controllers)

    def serving(self, pool: str) -> list[ControllerStatus]:
        """The controllers that are there and claim from a pool."""
        return [one for one in self.controllers if one.is_alive and pool in one.pools]


@dataclass(frozen=True, slots=True)
class Status(Surroundings):
    """How the whole installation is.

    Args:
        listening: controllers that listen for notifications now; those behind a pooler are not seen.
        failing: the schedules whose last look was broken off.
    """

    pools: list[PoolStatus]
    controllers: list[ControllerStatus]
    listening: int
    blocked: list[Blocked]
    failing: list[ScheduleView]
