"""A tick of a schedule: its claim and its result."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.store.client_connection import Transaction
from services.dataset_maker import Withdrawn

LEASE = timedelta(minutes=10)
"""How long a claim holds without a sign of life from its holder."""

Told = Callable[["NewDataset"], None]
"""Gets each file that has become a dataset, when it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedTick:
    """A tick of a schedule, claimed.

    Args:
        holder: who claimed it.
        location, url: the folder of storage, or the address; one of them.
        filename: the publisher's name for the file at the address, if nothing else says it.
        hints: what the uploader says of the files.
        tick: its due time, exactly as the database writes it: not every one fits into a datetime.
        begun_at: when it was claimed, by the database's clock.
    """

    holder: UUID
    name: str
    cron: str
    timezone: str
    location: str | None
    url: str | None
    filename: str | None
    country: str
    pool: str
    priority: int
    hints: FileHints
    tick: str
    begun_at: datetime

    @classmethod
    def of_row(cls, holder: UUID, row: dict[str, Any]) -> Self:
        """The tick in the row of the statement that has claimed it."""
        plain = {field.name: row[field.name] for field in fields(cls) if field.name not in ("holder", "hints")}
        return cls(holder=holder, hints=FileHints.of_row(row), **plain)

    def hold(self, transaction: Transaction, stopping: Callable[[], bool]) -> None:
        """Renews the claim within a transaction; raises Stopped if it is lost, or the scan is to end."""
        held = transaction.one("schedules.hold", schedule=self.name, holder=self.holder, lease=LEASE)
        if held is None or stopping():
            raise Stopped


@dataclass(frozen=True, slots=True)
class NewDataset:
    """A file that became a dataset."""

    file: str
    dataset_id: UUID
    job_id: UUID


@dataclass(slots=True)
class ScanResult:
    """The result of a scan.

    Args:
        files: how many there are.
        submitted: the new ones.
        problems: why others were not submitted, with their names.
        unavailable: some of them may go through in a while.
        note: the result at an address, in words.
    """

    files: int = 0
    submitted: list[NewDataset] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unavailable: bool = False
    note: str | None = None

    @property
    def error(self) -> str | None:
        """The problems in one line; None without problems."""
        if not self.problems:
            return None
        if self.note is not None:
            return self.problems[0]
        return f"{len(self.problems)} of {self.files} files not submitted; {self.problems[0]}"


class Stopped(Withdrawn):
    """The scan was stopped, or another one has taken it over."""
