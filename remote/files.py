"""What touches the stored files of datasets, done by the API."""

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from dataset_jobs.model.actor import Act
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.store.views import ScheduleView
from remote.client import RemoteClient
from remote.pools import SCHEDULES
from remote.uploads import Checked, Nobody, Uploads, Watcher
from services.stored_files import Orphans
from services.submit import FileOptions, SubmittedFile
from services.ticks import NewDataset, ScanResult
from services.use_cases import NewSchedule

LOOK_SECONDS = 0.5
"""Between two looks at a schedule that is at work."""


class RemoteFiles:
    """See `services.use_cases.FileUseCases`."""

    def __init__(self, client: RemoteClient, watcher: Watcher | None = None) -> None:
        self._client = client
        self._uploads = Uploads(client, watcher or Nobody())

    def watched(self, watcher: Watcher) -> "RemoteFiles":
        """The same, with somebody who looks on."""
        return RemoteFiles(self._client, watcher)

    def check(self, paths: Sequence[Path], options: FileOptions) -> list[Checked]:
        """Has files checked; see `Uploads.check`."""
        return self._uploads.check(paths, options)

    def submit_files(self, paths: Sequence[Path], options: FileOptions) -> list[SubmittedFile]:  # noqa: D102
        if options.dry_run:
            raise InvalidRequest("--dry-run needs the database itself; affirm-worker upload --check has the API check")
        return self._uploads.send(paths, options)

    def delete(self, dataset_id: UUID) -> None:  # noqa: D102
        self._client.datasets.delete(dataset_id)

    def orphans(self, older_than: timedelta) -> Orphans:  # noqa: D102
        raise InvalidRequest("datasets clean needs the database and the storage themselves: --direct takes them")

    def remove_orphans(self, orphans: Orphans, *, even_most: bool) -> int:  # noqa: D102
        raise InvalidRequest("datasets clean needs the database and the storage themselves: --direct takes them")

    def add_schedule(self, new: NewSchedule, *, check: bool) -> tuple[ScheduleView, str | None]:  # noqa: D102
        return self._client.schedules.add(new), None

    def run_schedule(self, name: str) -> ScanResult:  # noqa: D102
        begun = self._client.connection.post(f"{SCHEDULES}/{quote(name, safe='')}/run")
        while (schedule := self._client.schedules.get(name)).looking:
            time.sleep(LOOK_SECONDS)
        if schedule.error is not None and schedule.failures:
            raise Unavailable(schedule.error)
        alone = f"1 of {schedule.files} files not submitted; "
        problems = [] if schedule.error is None else [schedule.error.removeprefix(alone)]
        submitted = self._submitted(name, begun.headers.get("x-request-id", ""))
        return ScanResult(schedule.files or 0, submitted, problems, note=schedule.note)

    def _submitted(self, schedule: str, request_id: str) -> list[NewDataset]:
        """What the look that a request has asked for has submitted: each file's audit has that request."""
        audit, asked = self._client.connection.pages, {"action": Act.SCHEDULE_RUN, "target": f"schedule/{schedule}"}
        runs = (one for page in audit("/v1/audit", **asked) for one in page)
        begun = next((one["at"] for one in runs if one["request_id"] == request_id), None)
        if begun is None:
            return []
        acts = (one for page in audit("/v1/audit", action=Act.DATASET_SUBMIT, since=begun) for one in page)
        mine = [one for one in acts if one["request_id"] == request_id]
        return [
            NewDataset(one["detail"]["filename"], UUID(one["target"].partition("/")[2]), UUID(one["detail"]["job"]))
            for one in reversed(mine)
        ]
