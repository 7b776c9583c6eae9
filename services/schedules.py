"""Schedules: add, list, pause, remove; and their ticks, as controllers and people have them done."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from dataset_jobs.model.actor import Act, Actor, target_of
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import Acting, ClientDatabase
from dataset_jobs.store.views import ScheduleView
from services.address_look import AddressLook, LookLimits, check_address, kept_address
from services.cron import next_tick
from services.dataset_maker import find_country
from services.folder_scan import MIN_UNCHANGED_SECONDS, FolderScan
from services.submission import checked_filename, checked_hints
from services.ticks import LEASE, ClaimedTick, ScanResult, Stopped, Told

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OF_DATASETS = re.compile(r"[A-Z]{2}(/.*)?")
"""Where storage keeps the files of datasets: by the country's code."""


@dataclass(frozen=True, slots=True)
class AtAddress:
    """An address with one file, and the publisher's name for it, if nothing else says it."""

    url: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How ticks are done.

    Args:
        storage: has the folders, and gets the files.
        limits: on files at addresses.
        told: gets each new dataset.
        stopping: asked now and then; True ends the scan.
        min_unchanged_seconds: how long a file of a folder must stay unchanged before it counts as complete.
    """

    storage: Storage
    limits: LookLimits = field(default_factory=LookLimits)
    told: Told = lambda _: None
    stopping: Callable[[], bool] = lambda: False
    min_unchanged_seconds: float = MIN_UNCHANGED_SECONDS


@dataclass(frozen=True, slots=True)
class Change:
    """What changes of a schedule; None leaves it. Another place or country makes another schedule.

    Args:
        hints: by their names in `FileHints`; None takes one away.
    """

    cron: str | None = None
    timezone: str | None = None
    pool: str | None = None
    priority: int | None = None
    hints: Mapping[str, Any] = field(default_factory=dict)


class BadCron(InvalidRequest):
    """The expression or the time zone cannot be read, or is never due."""


class ScheduleExists(Conflict):
    """There is a schedule of the name."""


class Schedules:
    """The schedules of an installation.

    Every method raises `Unavailable`, `Forbidden` or `Misconfigured` as database or storage have it.
    """

    def __init__(self, database: ClientDatabase) -> None:
        self._database = database

    def add(
        self,
        name: str,
        cron: str,
        timezone: str,
        place: "str | AtAddress",
        country: str,
        pool: str,
        priority: int = 0,
        hints: FileHints = NO_HINTS,
    ) -> ScheduleView:
        """Adds a schedule, whose first tick is the next one from now.

        Args:
            place: a folder of storage, as `Storage.location` has it, or an address.
            country, pool, priority, hints: of the files there.

        Raises:
            InvalidRequest: one of them cannot be.
            Conflict: there is one of the name.
        """
        if not _NAME.fullmatch(name):
            raise InvalidRequest(f"schedule {name!r}: expected lower-case letters, digits and hyphens, at most 63")
        said = checked_hints(hints).as_columns()
        where = _checked_place(place)
        country_id, _ = find_country(self._database, country)
        next_at = self._first_tick(cron, timezone)

        def work(transaction: Acting) -> None:
            transaction.detail = {"cron": cron, "timezone": timezone, **where, "country": country, "pool": pool}
            row = transaction.one_of_pool(
                "schedules.add", pool, schedule=name, cron=cron, timezone=timezone,
                country_id=country_id, priority=priority, next_at=next_at, **where, **said,
            )  # fmt: skip
            if row is None:
                raise ScheduleExists(
                    f"there is a schedule {name} already; remove it first",
                    hints=[Hint(Action.REMOVE_SCHEDULE, name=name)],
                )

        self._database.act(Act.SCHEDULE_ADD, target_of("schedule", name), work)
        return self.get(name)

    def list(self) -> list[ScheduleView]:
        """All of them, by name."""
        return [ScheduleView(**row) for row in self._database.all("schedules.list", schedule=None)]

    def names(self) -> Sequence[str]:
        """Their names, in order."""
        return [row["name"] for row in self._database.all("schedules.names")]

    def get(self, name: str) -> ScheduleView:
        """One of them; raises NotFound."""
        rows = self._database.all("schedules.list", schedule=name)
        if not rows:
            raise _not_found(name)
        return ScheduleView(**rows[0])

    def remove(self, name: str) -> None:
        """Removes one; a scan in progress submits nothing more. Raises NotFound."""
        self._change(Act.SCHEDULE_REMOVE, name, "schedules.remove")

    def pause(self, name: str, paused: bool) -> ScheduleView:
        """Pauses one, or resumes it: one tick makes up for those that it missed. Raises NotFound."""
        self._change(Act.SCHEDULE_PAUSE if paused else Act.SCHEDULE_RESUME, name, "schedules.pause", paused=paused)
        return self.get(name)

    def change(self, name: str, change: "Change") -> ScheduleView:
        """Changes when a schedule is due, and what is said of its files from then on.

        Raises:
            NotFound: there is no such schedule.
            InvalidRequest: a value cannot be.
        """

        def work(acting: Acting) -> None:
            if acting.one("schedules.lock", schedule=name) is None:
                raise _not_found(name)
            [row] = acting.all("schedules.list", schedule=name)
            said = checked_hints(replace(FileHints.of_row(row), **change.hints)).as_columns()
            cron, timezone = change.cron or row["cron"], change.timezone or row["timezone"]
            another = (cron, timezone) != (row["cron"], row["timezone"])
            acting.detail = {
                "cron": cron, "timezone": timezone, "pool": change.pool or row["pool"],
                "priority": row["priority"] if change.priority is None else change.priority,
            }  # fmt: skip
            next_at = self._first_tick(cron, timezone) if another else None
            acting.one_of_pool("schedules.change", schedule=name, next_at=next_at, **acting.detail, **said)

        self._database.act(Act.SCHEDULE_CHANGE, target_of("schedule", name), work)
        return self.get(name)

    def _first_tick(self, cron: str, timezone: str) -> datetime:
        try:
            return next_tick(cron, timezone, self._database.now())
        except ValueError as error:
            raise BadCron(str(error)) from None

    def run(
        self,
        name: str,
        storage: Storage,
        min_unchanged_seconds: float = MIN_UNCHANGED_SECONDS,
        limits: LookLimits | None = None,
    ) -> ScanResult:
        """Scans the folder or looks at the address now, even if the schedule is paused; its ticks stay as they are.

        Raises:
            NotFound: there is no such schedule.
            Conflict: somebody is at it.
            RunError: the scan was broken off.
        """
        how = How(storage, limits or LookLimits(), min_unchanged_seconds=min_unchanged_seconds)
        return self.do_by_hand(self.begin_by_hand(name), how)

    def begin_by_hand(self, name: str) -> ClaimedTick:
        """Claims a schedule at any time, for `do_by_hand`. Raises NotFound, or Conflict if somebody is at it."""
        tick = self._begin_by_hand(name)
        if tick is None:
            self.get(name)
            raise Conflict(f"schedule {name} is being done just now", hints=[Hint(Action.LIST_SCHEDULES)])
        return tick

    def give_back(self, tick: ClaimedTick) -> None:
        """Lets others do what `begin_by_hand` has claimed."""
        self._end(tick, "schedules.give_back")

    def do_by_hand(self, tick: ClaimedTick, how: "How") -> ScanResult:
        """Does what `begin_by_hand` has claimed.

        Raises:
            NotFound: the schedule is gone, or it was to stop.
            RunError: the scan was broken off.
        """
        try:
            return self._scan(self._database, tick, None, how)
        except Stopped:
            raise _not_found(tick.name) from None

    def claim(self) -> ClaimedTick | None:
        """Claims a tick that is due; None if there is none, or others have claimed them."""
        holder = uuid4()
        row = self._database.transaction(lambda it: it.one("schedules.begin", holder=holder, lease=LEASE))
        return None if row is None else ClaimedTick.of_row(holder, row)

    def do(self, tick: ClaimedTick, how: "How") -> ScanResult:
        """Does a claimed tick. Raises as `FolderScan.run` or `AddressLook.run`; then the tick stays due."""
        try:
            next_at = next_tick(tick.cron, tick.timezone, tick.begun_at)
        except ValueError as error:
            self._fail(tick, str(error))
            raise InvalidRequest(str(error)) from None
        controller = Actor(target_of("schedule", tick.name), "controller")
        return self._scan(self._database.acting_as(controller), tick, next_at, how)

    def _begin_by_hand(self, name: str) -> ClaimedTick | None:
        holder = uuid4()

        def work(acting: Acting) -> ClaimedTick | None:
            row = acting.one("schedules.begin_by_hand", schedule=name, holder=holder, lease=LEASE)
            if row is None:
                acting.nothing_done()
                return None
            return ClaimedTick.of_row(holder, row)

        return self._database.act(Act.SCHEDULE_RUN, target_of("schedule", name), work)

    def _scan(self, database: ClientDatabase, tick: ClaimedTick, next_at: datetime | None, how: "How") -> ScanResult:
        scan: FolderScan | AddressLook
        if tick.url is None:
            scan = FolderScan(database, how.storage, tick, how.told, how.stopping, how.min_unchanged_seconds)
        else:
            scan = AddressLook(database, how.storage, tick, how.told, how.stopping, how.limits)
        try:
            result = scan.run()
        except Stopped:
            self._end(tick, "schedules.give_back")
            raise
        except RunError as error:
            self._fail(tick, str(error))
            raise
        except Exception as error:
            # A fault of ours must show on the schedule, and not hold it until its lease is over.
            self._fail(tick, f"unforeseen {type(error).__name__}")
            raise
        if result.unavailable:
            self._fail(tick, str(result.error))
        else:
            self._end(
                tick, "schedules.finish", tick=tick.tick, next_at=next_at, files=result.files,
                submitted=len(result.submitted), error=result.error, note=result.note,
            )  # fmt: skip
        return result

    def _fail(self, tick: ClaimedTick, error: str) -> None:
        self._end(tick, "schedules.fail", error=error)

    def _end(self, claimed: ClaimedTick, query: str, **parameters: object) -> None:
        self._database.transaction(
            lambda it: it.execute(query, schedule=claimed.name, holder=claimed.holder, **parameters)
        )

    def _change(self, action: Act, name: str, query: str, **parameters: object) -> None:
        def work(acting: Acting) -> None:
            if acting.one(query, schedule=name, **parameters) is None:
                raise _not_found(name)

        self._database.act(action, target_of("schedule", name), work)


def find_folder(storage: Storage, given: str) -> str:
    """A folder of storage as schedules keep it; raises InvalidRequest if it cannot be one."""
    try:
        return _checked_folder(storage.location(given))
    except (Forbidden, Misconfigured) as error:
        raise InvalidRequest(str(error)) from None


def check_folder(storage: Storage, location: str) -> bool:
    """Whether there is a file below the folder now.

    Raises:
        InvalidRequest: there is no such folder.
        RunError: storage does not say it.
    """
    try:
        return next(iter(storage.files(location)), None) is not None
    except Unavailable as error:
        if error.reason is Reason.STORAGE and "there is no folder" in str(error):
            raise InvalidRequest(str(error)) from None
        raise


def look_at(place: str | AtAddress, storage: Callable[[], Storage], limits: LookLimits) -> str | None:
    """Whether a schedule could look there now; returns a remark on what is there, if it is worth one.

    Args:
        place: as `Schedules.add` takes it.
        storage: has the folders.
        limits: on what an address may give.

    Raises:
        InvalidRequest: there is no such folder, or no file of ours.
        RunError: storage or the server does not say it.
    """
    if isinstance(place, AtAddress):
        found = check_address(place.url, place.filename, limits)
        return f"its file is {found}" if found else None
    return None if check_folder(storage(), place) else "nothing lies there yet"


def _checked_folder(location: str) -> str:
    if _OF_DATASETS.fullmatch(location):
        raise InvalidRequest(f"{location}: the files of datasets are kept there; expected a folder of your own")
    return location


def _checked_place(place: str | AtAddress) -> dict[str, str | None]:
    if isinstance(place, AtAddress):
        if place.filename is not None:
            checked_filename(place.filename)
        return {"location": None, "url": kept_address(place.url).url, "filename": place.filename}
    return {"location": _checked_folder(place), "url": None, "filename": None}


def _not_found(name: str) -> NotFound:
    return NotFound(f"there is no schedule {name}", hints=[Hint(Action.LIST_SCHEDULES)])
