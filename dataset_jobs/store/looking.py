"""A look into a folder of storage: what is there and no dataset yet is submitted.

Each file is submitted in a transaction of its own, which is the file's and nobody else's whoever looks at the same
time: the same country and bytes are the same dataset. So a look may be broken off anywhere and begun again, and the
tick that it is for is done when one look has gone through.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Self, cast
from uuid import UUID

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import FileMissing, Forbidden, RunError, Unavailable
from dataset_jobs.model.text import one_line
from dataset_jobs.storage import Listed, Storage
from dataset_jobs.store.client_connection import ClientConnection, Transaction
from dataset_jobs.store.refusals import Refused
from dataset_jobs.store.submission import checked_filename, read_submission
from dataset_jobs.store.submitting import SubmitResult, Submitting, Withdrawn, find_country

LEASE = timedelta(minutes=10)
"""How long a schedule is held without a word from its holder."""

FILE_SECONDS = 240.0
"""How long reading one file may take; it is read twice within the lease."""

STILL_SECONDS = 2.0
"""How long a file must have stayed the same before it is taken for whole."""

MOST_UNAVAILABLE = 3
"""So many files one after the other that storage does not give: then it gives none."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """A schedule that was taken up.

    Args:
        holder: who did.
        tick: the time that it was due, to the letter as the database writes it: not each one fits into a datetime.
        begun_at: when it was begun, by the database's clock.
    """

    holder: UUID
    name: str
    cron: str
    timezone: str
    location: str
    country: str
    pool: str
    priority: int
    tick: str
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A file that became a dataset."""

    file: str
    dataset_id: UUID
    job_id: UUID


@dataclass(slots=True)
class Looked:
    """What a look has come to.

    Args:
        files: how many there are.
        submitted: those that were new.
        problems: what kept others from being submitted, with their names.
        unavailable: some of them may go through in a while.
    """

    files: int = 0
    submitted: list[Found] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unavailable: bool = False

    @property
    def error(self) -> str | None:
        """The problems in one line; None where there are none."""
        if not self.problems:
            return None
        return f"{len(self.problems)} of {self.files} files not submitted; {self.problems[0]}"


class Stopped(Withdrawn):
    """The look is to end, or is somebody else's by now."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look.

    Args:
        database, storage: where from and where to.
        begun: the schedule, taken up.
        stopping: asked now and then; True breaks the look off.
        still_seconds: see `STILL_SECONDS`.
    """

    database: ClientConnection
    storage: Storage
    begun: Begun
    stopping: Callable[[], bool] = lambda: False
    still_seconds: float = STILL_SECONDS

    def look(self) -> Looked:
        """Submits what is new.

        Raises:
            Stopped: as it was told to, or since the schedule was removed or taken over.
            RunError: storage or database cannot be reached, or refuse.
        """
        looked = Looked()
        known = {row["uri"]: row for row in self.database.all("schedules.known", schedule=self.begun.name)}
        there = list(self.storage.files(self.begun.location))
        looked.files = len(there)
        new = [file for file in there if not _is_known(file, known.get(file.uri))]
        if new:
            self._submit(new, looked)
        gone = known.keys() - {file.uri for file in there}
        if gone:
            self.database.transaction(
                lambda it: it.execute("schedules.forget", schedule=self.begun.name, uris=list(gone))
            )
        return looked

    def _submit(self, new: list[Listed], looked: Looked) -> None:
        # What is being copied there just now is not whole yet, and half a list may well read as a list.
        time.sleep(self.still_seconds)
        now = {file.uri: file.version for file in self.storage.files(self.begun.location)}
        country_id, _ = find_country(self.database, self.begun.country)
        in_a_row = 0
        for file in new:
            self.database.transaction(self._hold)
            try:
                if now.get(file.uri, file.version) != file.version:
                    raise Unavailable("storage: it is being written just now", Reason.STORAGE)
                submitted = self._submit_one(file, country_id)
                in_a_row = 0
            except FileMissing:
                if _NOT_TOLD in file.uri:
                    looked.problems.append(_about(file, _UNNAMED))
                # else it was removed since
            except (Refused, Forbidden) as error:
                looked.problems.append(_about(file, error))
            except Unavailable as error:
                in_a_row += 1
                if error.reason is Reason.DATABASE or in_a_row == MOST_UNAVAILABLE:
                    raise
                looked.problems.append(_about(file, error))
                looked.unavailable = True
            else:
                if submitted is not None:
                    looked.submitted.append(submitted)

    def _submit_one(self, file: Listed, country_id: UUID) -> Found | None:
        """None where the file is a dataset already."""
        checked_filename(file.name)  # first: storage has no word for what is wrong with it
        with _Watched(self.storage.open(file.uri), file.uri, self.stopping) as content:
            submission = read_submission(cast("BinaryIO", content), file.name, None, None)

        def note(transaction: Transaction) -> None:
            self._hold(transaction)
            transaction.execute(
                "schedules.note",
                schedule=self.begun.name,
                uri=file.uri,
                version=file.version,
                sha256=submission.sha256,
            )

        def again() -> BinaryIO:
            content = self.storage.open(file.uri)
            return cast("BinaryIO", _Watched(content, file.uri, self.stopping, submission.sha256))

        begun = self.begun
        done = Submitting(
            self.database, again, submission, country_id, begun.country, self.storage, begun.priority, begun.pool,
            first=note,
        ).submit_new()  # fmt: skip
        if done is None:
            self.database.transaction(note)
            return None
        return self._found(file, done)

    def _found(self, file: Listed, done: SubmitResult) -> Found:
        assert done.dataset_id is not None and done.job_id is not None
        _log.info(
            "submitted %s for schedule %s",
            file.name,
            self.begun.name,
            extra={"dataset_id": str(done.dataset_id), "job_id": str(done.job_id)},
        )
        return Found(file.name, done.dataset_id, done.job_id)

    def _hold(self, transaction: Transaction) -> None:
        held = transaction.one("schedules.hold", schedule=self.begun.name, holder=self.begun.holder, lease=LEASE)
        if held is None or self.stopping():
            raise Stopped


_NOT_TOLD = "\N{REPLACEMENT CHARACTER}"
_UNNAMED = f"{_NOT_TOLD} stands for control characters or bytes that are not UTF-8, which S3 cannot tell; rename it"
"""S3 lists keys as XML, which has no word for some characters: by such a name there is nothing to open."""


def _about(file: Listed, error: RunError | str) -> str:
    return one_line(f"{file.name}: {error}")


def _is_known(file: Listed, row: dict[str, Any] | None) -> bool:
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
