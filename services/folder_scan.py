"""The scan of a storage folder: it submits each file there that is no dataset yet.

Each file is submitted in its own transaction. Concurrent scans are safe, because (country, sha256) is unique. So a scan
can be broken off anywhere and begun again; its tick is done when one scan has gone through.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Self, cast
from uuid import UUID

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import FileMissing, Forbidden, RunError, Unavailable
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line
from dataset_jobs.storage import Storage, StoredFile
from dataset_jobs.store.client_connection import ClientDatabase, Transaction
from services.dataset_maker import DatasetMaker, find_country
from services.submission import checked_filename, read_submission
from services.ticks import ClaimedTick, NewDataset, ScanResult, Stopped, Told

FILE_SECONDS = 240.0
"""How long reading one file may take; it is read twice within the lease."""

MIN_UNCHANGED_SECONDS = 2.0
"""How long a file must stay unchanged before it counts as complete."""

MOST_UNAVAILABLE = 3
"""After so many unreadable files in a row, storage counts as unavailable."""


@dataclass(frozen=True, slots=True)
class FolderScan:
    """One scan of a folder.

    Args:
        database: gets the datasets.
        storage: has the folder, and gets the copies.
        tick: the claimed tick.
        told: gets each new dataset.
        stopping: asked now and then; True stops the scan.
        min_unchanged_seconds: see `MIN_UNCHANGED_SECONDS`.
    """

    database: ClientDatabase
    storage: Storage
    tick: ClaimedTick
    told: Told
    stopping: Callable[[], bool] = lambda: False
    min_unchanged_seconds: float = MIN_UNCHANGED_SECONDS

    @property
    def _location(self) -> str:
        assert self.tick.location is not None
        return self.tick.location

    def run(self) -> ScanResult:
        """Submits new files.

        Raises:
            Stopped: somebody stopped it, removed the schedule, or took it over.
            RunError: storage or database cannot be reached, or refuse.
        """
        result = ScanResult()
        known = {row["uri"]: row for row in self.database.all("schedules.known", schedule=self.tick.name)}
        there = list(self.storage.files(self._location))
        result.files = len(there)
        new = [file for file in there if not _is_known(file, known.get(file.uri))]
        if new:
            self._submit(new, result)
        gone = known.keys() - {file.uri for file in there}
        if gone:
            self.database.transaction(
                lambda it: it.execute("schedules.forget", schedule=self.tick.name, uris=list(gone))
            )
        return result

    def _submit(self, new: list[StoredFile], result: ScanResult) -> None:
        # A file that somebody is copying there is not complete yet, and half a list can parse as a list.
        time.sleep(self.min_unchanged_seconds)
        now = {file.uri: file.version for file in self.storage.files(self._location)}
        country_id, _ = find_country(self.database, self.tick.country)
        in_a_row = 0
        for file in new:
            self.database.transaction(lambda it: self.tick.hold(it, self.stopping))
            try:
                if now.get(file.uri, file.version) != file.version:
                    raise Unavailable("storage: it is being written just now", Reason.STORAGE)
                submitted = self._submit_one(file, country_id)
                in_a_row = 0
            except FileMissing:
                if _NOT_TOLD in file.uri:
                    result.problems.append(_about(file, _UNNAMED))
                # else it was removed since
            except (InvalidRequest, Forbidden) as error:
                result.problems.append(_about(file, error))
            except Unavailable as error:
                in_a_row += 1
                if error.reason is Reason.DATABASE or in_a_row == MOST_UNAVAILABLE:
                    raise
                result.problems.append(_about(file, error))
                result.unavailable = True
            else:
                if submitted is not None:
                    result.submitted.append(submitted)

    def _submit_one(self, file: StoredFile, country_id: UUID) -> NewDataset | None:
        """None where the file is a dataset already."""
        checked_filename(file.name)  # first: storage has no word for what is wrong with it
        with _Watched(self.storage.open(file.uri), file.uri, self.stopping) as content:
            submission = read_submission(cast("BinaryIO", content), file.name, self.tick.hints)

        def note(transaction: Transaction) -> None:
            self.tick.hold(transaction, self.stopping)
            transaction.execute(
                "schedules.note",
                schedule=self.tick.name,
                uri=file.uri,
                version=file.version,
                sha256=submission.sha256,
            )

        def again() -> BinaryIO:
            content = self.storage.open(file.uri)
            return cast("BinaryIO", _Watched(content, file.uri, self.stopping, submission.sha256))

        tick = self.tick
        done = DatasetMaker(
            self.database, self.storage, submission, again, country_id, tick.country, tick.priority, tick.pool,
            first=note,
        ).create_if_new()  # fmt: skip
        if done is None:
            self.database.transaction(note)
            return None
        assert done.dataset_id is not None and done.job_id is not None
        new = NewDataset(file.name, done.dataset_id, done.job_id)
        self.told(new)
        return new


_NOT_TOLD = "\N{REPLACEMENT CHARACTER}"
_UNNAMED = f"{_NOT_TOLD} stands for control characters or bytes that are not UTF-8, which S3 cannot tell; rename it"
"""S3 lists keys as XML, which has no word for some characters: by such a name there is nothing to open."""


def _about(file: StoredFile, error: RunError | str) -> str:
    return one_line(f"{file.name}: {error}")


def _is_known(file: StoredFile, row: dict[str, Any] | None) -> bool:
    return row is not None and row["known"] and row["version"] == file.version


class _Watched:
    """A file being read, which may take only so long, and may not be another one than it was.

    Args:
        content: closed with it.
        sha256: what it must be, where it was read before.
    """

    def __init__(self, content: BinaryIO, uri: str, stopping: Callable[[], bool], sha256: str | None = None) -> None:
        self._content = content
        self._uri = uri
        self._stopping = stopping
        self._sha256 = sha256
        self._digest = hashlib.sha256()
        self._until = time.monotonic() + FILE_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._content.close()

    def read(self, size: int = -1) -> bytes:
        if self._stopping():
            raise Stopped
        if time.monotonic() > self._until:
            raise Unavailable(f"storage: {self._uri}: not read within {FILE_SECONDS:g} s", Reason.STORAGE)
        block = self._content.read(size)
        if self._sha256 is not None:
            self._digest.update(block)
            if not block and self._digest.hexdigest() != self._sha256:
                raise Unavailable(f"storage: {self._uri}: it was changed while it was read", Reason.STORAGE)
        return block
