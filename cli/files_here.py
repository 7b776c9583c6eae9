"""What touches the stored files of datasets, done by this process: the storage is opened when it is needed."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from app.file_storage import storage_config
from app.settings import Settings
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.storage import Storage, open_storage
from dataset_jobs.store.views import ScheduleView
from services.client import Client
from services.schedules import AtAddress, find_folder, look_at
from services.stored_files import Orphans, find_orphans, remove_orphans
from services.submit import FileOptions, SubmittedFile
from services.ticks import ScanResult
from services.use_cases import NewSchedule

Found = TypeVar("Found")


class FilesHere:
    """See `services.use_cases.FileUseCases`.

    Args:
        client: over the database.
        settings: name the storage.
    """

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings

    @cached_property
    def storage(self) -> Storage:
        """Has the files; raises Misconfigured."""
        return open_storage(storage_config(self._settings))

    def submit_files(self, paths: Sequence[Path], options: FileOptions) -> list[SubmittedFile]:  # noqa: D102
        return self._client.submit_files(self.storage, paths, options)

    def delete(self, dataset_id: UUID) -> None:  # noqa: D102
        self._client.datasets.delete(dataset_id, self.storage)

    def orphans(self, older_than: timedelta) -> Orphans:  # noqa: D102
        return find_orphans(self._client.database, self.storage, older_than)

    def remove_orphans(self, orphans: Orphans, *, even_most: bool) -> int:  # noqa: D102
        return remove_orphans(self._client.database, self.storage, orphans, even_most=even_most)

    def add_schedule(self, new: NewSchedule, *, check: bool) -> tuple[ScheduleView, str | None]:  # noqa: D102
        place = new.place if isinstance(new.place, AtAddress) else find_folder(self.storage, new.place)
        limits = self._settings.look_limits
        remark = _checked(lambda: look_at(place, lambda: self.storage, limits)) if check else None
        schedules = self._client.schedules
        added = schedules.add(
            new.name, new.cron, new.timezone, place, new.country, new.pool, new.priority, new.hints
        )  # fmt: skip
        return added, remark

    def run_schedule(self, name: str) -> ScanResult:  # noqa: D102
        return self._client.schedules.run(name, self.storage, limits=self._settings.look_limits)


def _checked(check: Callable[[], Found]) -> Found:
    """What a check found; its errors say how to go without."""
    try:
        return check()
    except (InvalidRequest, Unavailable) as error:
        raise type(error)(f"{error}; with --no-check the schedule is added all the same", error.reason) from None
