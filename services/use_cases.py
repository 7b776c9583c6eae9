"""What the commands need of an installation, as protocols: `services/client.py` has it over its database, `remote` over
its HTTP API.

What each method does, and raises, stands at the classes of `services`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.report import Report
from dataset_jobs.model.states import DatasetStatus, JobState, JobType
from dataset_jobs.store.client_connection import When
from dataset_jobs.store.views import DatasetView, JobView, NameCount, PoolStatus, Progress, RunView, ScheduleView
from services.figures import PoolHistory
from services.filters import DatasetFilter, JobFilter
from services.glance import Glance
from services.jobs import Cancel, Retried
from services.keys import Key, MadeKey, Role
from services.listing import Selection
from services.pools import PoolChange, PoolDetails
from services.problems import Overview
from services.schedules import AtAddress
from services.status import Obstacle
from services.stored_files import Orphans
from services.story import Story
from services.submit import FileOptions, SubmittedFile
from services.ticks import ScanResult
from services.waiting import Waiting


class JobUseCases(Protocol):
    """See `services.jobs.Jobs`."""

    def find(self, given: str) -> UUID: ...  # noqa: D102
    def list(  # noqa: D102
        self,
        *,
        state: JobState | None = None,
        dataset_id: UUID | None = None,
        ids: Iterable[UUID] | None = None,
        limit: int | None = None,
    ) -> list[JobView]: ...
    def select(self, which: JobFilter) -> Selection[JobView]: ...  # noqa: D102
    def get(self, job_id: UUID) -> tuple[JobView, Sequence[RunView]]: ...  # noqa: D102
    def latest(self) -> UUID: ...  # noqa: D102
    def progress(self, job_ids: Iterable[UUID]) -> Progress: ...  # noqa: D102
    def cancel(self, job_id: UUID) -> Cancel: ...  # noqa: D102
    def retry_all(  # noqa: D102
        self, job_ids: Iterable[UUID], *, dry_run: bool = False, priority: int | None = None
    ) -> Sequence[Retried]: ...
    def reschedule(self, job_id: UUID, *, priority: int | None = None, run_at: When = None) -> JobView: ...  # noqa: D102
    def failed(self, cause: Cause | None = None) -> Sequence[UUID]: ...  # noqa: D102
    def purge(self, older_than: timedelta, states: Sequence[JobState] = ...) -> Iterator[int]: ...  # noqa: D102
    def purgeable(self, older_than: timedelta, states: Sequence[JobState] = ...) -> Mapping[JobState, int]: ...  # noqa: D102


class DatasetUseCases(Protocol):
    """See `services.datasets.Datasets`."""

    def find(self, given: str) -> UUID: ...  # noqa: D102
    def list(  # noqa: D102
        self,
        *,
        status: DatasetStatus | None = None,
        country: str | None = None,
        ids: Iterable[UUID] | None = None,
        limit: int | None = None,
    ) -> list[DatasetView]: ...
    def select(self, which: DatasetFilter) -> Selection[DatasetView]: ...  # noqa: D102
    def get(self, dataset_id: UUID) -> DatasetView: ...  # noqa: D102
    def most_frequent(self, dataset: DatasetView, limit: int) -> Sequence[NameCount] | None: ...  # noqa: D102
    def reports(self, ids: Iterable[UUID]) -> Mapping[UUID, Report]: ...  # noqa: D102
    def reprocess(  # noqa: D102
        self, dataset_id: UUID, *, priority: int = 0, pool: str = "default", run_at: When = None
    ) -> tuple[UUID, JobType]: ...


class PoolUseCases(Protocol):
    """See `services.pools.Pools`."""

    def list(self) -> list[PoolStatus]: ...  # noqa: D102
    def names(self) -> Sequence[str]: ...  # noqa: D102
    def details(self, name: str) -> PoolDetails: ...  # noqa: D102
    def pause(self, name: str, reason: str | None = None) -> PoolStatus: ...  # noqa: D102
    def resume(self, name: str) -> PoolStatus: ...  # noqa: D102
    def probe(self, name: str) -> PoolStatus: ...  # noqa: D102
    def set(  # noqa: D102
        self, name: str, *, max_running: int | None = None, max_pending: int | None = None, dry_run: bool = False
    ) -> PoolChange: ...


class ScheduleUseCases(Protocol):
    """See `services.schedules.Schedules`."""

    def list(self) -> list[ScheduleView]: ...  # noqa: D102
    def names(self) -> Sequence[str]: ...  # noqa: D102
    def get(self, name: str) -> ScheduleView: ...  # noqa: D102
    def pause(self, name: str, paused: bool) -> ScheduleView: ...  # noqa: D102
    def remove(self, name: str) -> None: ...  # noqa: D102


class KeyUseCases(Protocol):
    """See `services.keys.Keys`."""

    def make(self, name: str, role: Role, expires_in: timedelta | None = None) -> MadeKey: ...  # noqa: D102
    def all(self) -> Sequence[Key]: ...  # noqa: D102
    def revoke(self, key_id: str) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """A schedule to add; see `services.schedules.Schedules.add`.

    Args:
        place: a folder of storage as it was given, or an address.
        pool: empty for the one that the API has for those that name none.
    """

    name: str
    cron: str
    timezone: str
    place: str | AtAddress
    country: str
    pool: str
    priority: int
    hints: FileHints


class FileUseCases(Protocol):
    """What touches the stored files of datasets, or the folders of schedules: directly, or by the API."""

    def submit_files(self, paths: Sequence[Path], options: FileOptions) -> list[SubmittedFile]: ...  # noqa: D102
    def delete(self, dataset_id: UUID) -> None: ...  # noqa: D102
    def orphans(self, older_than: timedelta) -> Orphans: ...  # noqa: D102
    def remove_orphans(self, orphans: Orphans, *, even_most: bool) -> int: ...  # noqa: D102
    def add_schedule(self, new: NewSchedule, *, check: bool) -> tuple[ScheduleView, str | None]:
        """Adds a schedule; also what was found at its place, if that was to be checked and is worth a remark."""

    def run_schedule(self, name: str) -> ScanResult:
        """Has the schedule done now; an API tells its problems in one line."""


class UseCases(Protocol):
    """See `services.client.Client`."""

    @property
    def jobs(self) -> JobUseCases: ...  # noqa: D102
    @property
    def datasets(self) -> DatasetUseCases: ...  # noqa: D102
    @property
    def pools(self) -> PoolUseCases: ...  # noqa: D102
    @property
    def schedules(self) -> ScheduleUseCases: ...  # noqa: D102
    @property
    def keys(self) -> KeyUseCases: ...  # noqa: D102
    def country(self, given: str) -> str: ...  # noqa: D102
    def now(self) -> datetime: ...  # noqa: D102
    def overview(self) -> Overview: ...  # noqa: D102
    def glance(self, limit: int, which: JobFilter | None = None) -> Glance: ...  # noqa: D102
    def history(self, pool: str, since: datetime, until: datetime, step: str) -> PoolHistory: ...  # noqa: D102
    def role(self) -> Role: ...  # noqa: D102
    def unserved(self, pool: str | None = None) -> Obstacle | None: ...  # noqa: D102
    def story(self, job_id: UUID) -> Story: ...  # noqa: D102
    def waiting(self, jobs: Sequence[JobView]) -> Mapping[UUID, Waiting]: ...  # noqa: D102
    def close(self) -> Any: ...  # noqa: D102
