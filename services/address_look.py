"""The look at an address: a file that has changed becomes a dataset, in the place of the earlier ones.

The server's validators, or the file's hash, say whether it has changed. Hash, validators, dataset and job are written
in one transaction, which also holds the schedule. So a look can be broken off anywhere and begun again, and of two at
once one submits.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.limits import MIB, Limits
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import ClientDatabase, Row, Transaction
from services.dataset_maker import DatasetMaker, SubmitResult, find_country
from services.sources.addresses import Address
from services.sources.request import Download, Patience, Request, Validators
from services.submission import Submission, open_file, read_file
from services.ticks import ClaimedTick, NewDataset, ScanResult, Told


@dataclass(frozen=True, slots=True)
class LookLimits:
    """What a look at an address may take.

    Args:
        most_bytes: a larger file is refused.
        patience: how long it may take.
        loopback: whether this machine itself may be asked.
        hold_seconds: between two signs of life during a download; less than the lease by far.
    """

    most_bytes: int = Limits().file_mib * MIB
    patience: Patience = field(default_factory=lambda: Patience(total=600.0))
    loopback: bool = False
    hold_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The datasets that the schedule's files have become before.

    Args:
        rows: in the order in which they were fetched.
    """

    rows: list[Row]

    @property
    def last(self) -> Row | None:
        """The one of the file that was fetched last; None if there was none, or the dataset was deleted since."""
        return next((row for row in self.rows if row["is_last"] and row["id"] is not None), None)

    @property
    def replaced(self) -> tuple[UUID, ...]:
        """Those that count now: a new one takes their place, as far as it covers the same."""
        return tuple(row["id"] for row in self.rows if row["counts"])

    def check_none_waits(self) -> None:
        """Raises Unavailable while one is not loaded yet: only then can another one take its place."""
        for row in self.rows:
            if row["unfinished"]:
                raise Unavailable(f"it has changed, but dataset {row['id']} ({row['filename']}) is not loaded yet")


@dataclass(frozen=True, slots=True)
class AddressLook:
    """One look at an address.

    Args:
        database: gets the dataset.
        storage: gets the file.
        tick: the claimed tick.
        told: gets the new dataset.
        stopping: asked now and then; True stops the look.
        limits: on the download.
    """

    database: ClientDatabase
    storage: Storage
    tick: ClaimedTick
    told: Told
    stopping: Callable[[], bool] = lambda: False
    limits: LookLimits = field(default_factory=LookLimits)

    def run(self) -> ScanResult:
        """Submits the file if it has changed.

        Raises:
            Stopped: somebody stopped it, removed the schedule, or took it over.
            RunError: server, storage or database cannot be reached, or database or storage refuse.
        """
        # Imported only here: few schedules have an address.
        from services.sources.download import downloaded

        assert self.tick.url is not None
        earlier = _Earlier(self.database.all("schedules.versions", schedule=self.tick.name))
        known = Validators()
        if (last := earlier.last) is not None:
            known = Validators(last["etag"], last["last_modified"])
        request = Request(
            Address.parse(self.tick.url), self.limits.most_bytes, self.tick.filename, known, self.limits.patience,
            self.limits.loopback, earlier.check_none_waits, self._seen(),
        )  # fmt: skip
        try:
            with downloaded(request) as found:
                if found is None:
                    return ScanResult(1, note="unchanged")
                return self._submit(found, earlier)
        except InvalidRequest as refused:
            return ScanResult(0, problems=[str(refused)], note="refused")

    def _seen(self) -> Callable[[int, int | None], None]:
        held_at = time.monotonic()

        def seen(size: int, total: int | None) -> None:
            nonlocal held_at
            if self.stopping() or time.monotonic() > held_at + self.limits.hold_seconds:
                self.database.transaction(self._hold)
                held_at = time.monotonic()

        return seen

    def _hold(self, transaction: Transaction) -> None:
        self.tick.hold(transaction, self.stopping)

    def _submit(self, found: Download, earlier: _Earlier) -> ScanResult:
        submission = read_file(found.path, self.tick.hints, earlier.replaced)
        result = ScanResult(1, note="unchanged")
        if (last := earlier.last) is None or last["sha256"] != submission.sha256:
            self._make(found, submission, result)
        else:
            self.database.transaction(self._note(found, submission))
        if found.moved_to is not None:
            result.note = f"{result.note}; moved for good to {found.moved_to}"
        return result

    def _make(self, found: Download, submission: Submission, result: ScanResult) -> None:
        tick = self.tick
        country_id, _ = find_country(self.database, tick.country)
        note = self._note(found, submission)
        maker = DatasetMaker(
            self.database, self.storage, submission, lambda: open_file(found.path), country_id, tick.country,
            tick.priority, tick.pool, first=note,
        )  # fmt: skip
        try:
            done = maker.create_if_new()
        except (Conflict, NotFound) as error:
            # A dataset that was to be replaced was deleted or superseded just now.
            raise Unavailable(str(error)) from None
        if done is None:
            self.database.transaction(note)
            result.note = "it is a dataset already"
            self._warn_of_superseded(submission, result)
        else:
            result.submitted.append(self._new(found.path, done))
            result.note = "a new dataset"

    def _note(self, found: Download, submission: Submission) -> Callable[[Transaction], None]:
        def note(transaction: Transaction) -> None:
            self._hold(transaction)
            transaction.execute(
                "schedules.fetched", schedule=self.tick.name, sha256=submission.sha256,
                etag=found.validators.etag, last_modified=found.validators.last_modified,
            )  # fmt: skip

        return note

    def _new(self, path: Path, done: SubmitResult) -> NewDataset:
        assert done.dataset_id is not None and done.job_id is not None
        new = NewDataset(path.name, done.dataset_id, done.job_id)
        self.told(new)
        return new

    def _warn_of_superseded(self, submission: Submission, result: ScanResult) -> None:
        """Says so if the publisher has gone back to a file whose place a later one has taken."""
        for row in self.database.all("schedules.versions", schedule=self.tick.name):
            if row["sha256"] == submission.sha256 and row["superseded"]:
                result.problems.append(
                    f"the address has the file of dataset {row['id']} again, which is superseded; delete the newer one"
                    " to go back to it"
                )


def check_address(url: str, filename: str | None, limits: LookLimits) -> str:
    """The name of the file at an address, as its server answers now.

    Raises:
        InvalidRequest: there is no file of ours.
        Unavailable: the server does not give it now.
    """
    from services.sources.download import look

    return look(
        Request(kept_address(url), limits.most_bytes, filename, patience=limits.patience, loopback=limits.loopback)
    )


def kept_address(url: str) -> Address:
    """An address that a schedule may keep: one without credentials. Raises InvalidRequest."""
    address = Address.parse(url)
    if address.has_secrets:
        raise InvalidRequest(
            f"{address.shown}: it holds a password or a token, and a schedule keeps none; use an address without, or"
            " fetch the file by other means into a folder of storage"
        )
    return address
