"""Schedules, as clients and controllers ask for them: synchronous, one connection."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

from psycopg import errors
from psycopg.rows import DictRow

from dataset_jobs.model.errors import RunError
from dataset_jobs.postgres.patience import PATIENCE, PatientConnection
from dataset_jobs.storage import Storage
from dataset_jobs.store.client_connection import ClientConnection, Transaction
from dataset_jobs.store.looking import LEASE, STILL_SECONDS, Begun, Look, Looked, Stopped
from dataset_jobs.store.refusals import Conflict, NotFound, Refused, unknown_pool
from dataset_jobs.store.submitting import find_country
from dataset_jobs.store.views import ScheduleView

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OF_DATASETS = re.compile(r"[A-Z]{2}(/.*)?")
"""Where storage keeps the files of datasets: by the country's code."""


class ScheduleStore:
    """Schedules in the database. Connects at the first use; to be used by one thread at a time.

    Args:
        conninfo, patience, connection_class: as of `ClientStore`.
        next_tick: the first tick after a time, by cron expression and time zone; raises ValueError.
    """

    def __init__(
        self,
        conninfo: str,
        next_tick: Callable[[str, str, datetime], datetime],
        patience: timedelta = PATIENCE,
        connection_class: type[PatientConnection[DictRow]] = PatientConnection[DictRow],
    ) -> None:
        self._database = ClientConnection(conninfo, patience, connection_class)
        self._next_tick = next_tick

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(
        self, name: str, cron: str, timezone: str, location: str, country: str, pool: str, priority: int = 0
    ) -> ScheduleView:
        """Adds a schedule, whose first tick is the next one from now.

        Args:
            location: a folder of storage, as `Storage.location` has it.
            country, pool, priority: of what is found there.

        Raises:
            Refused: one of them cannot be.
            Conflict: there is one of the name.
        """
        if not _NAME.fullmatch(name):
            raise Refused(f"schedule {name!r}: expected lower-case letters, digits and hyphens, at most 63")
        if _OF_DATASETS.fullmatch(location):
            raise Refused(f"{location}: the files of datasets are kept there; expected a folder of your own")
        country_id, _ = find_country(self._database, country)
        [clock] = self._database.all("session.database_time")
        try:
            next_at = self._next_tick(cron, timezone, clock["now"])
        except ValueError as error:
            raise Refused(str(error)) from None

        def work(transaction: Transaction) -> None:
            try:
                row = transaction.one(
                    "schedules.add", schedule=name, cron=cron, timezone=timezone, location=location,
                    country_id=country_id, pool=pool, priority=priority, next_at=next_at,
                )  # fmt: skip
            except errors.ForeignKeyViolation:
                raise unknown_pool(pool) from None
            if row is None:
                raise Conflict(
                    f"there is a schedule {name} already; remove it first: affirm-worker schedules remove {name}"
                )

        self._database.transaction(work)
        return self.get(name)

    def list(self) -> list[ScheduleView]:
        """All of them, by name."""
        return [ScheduleView(**row) for row in self._database.all("schedules.list", schedule=None)]

    def get(self, name: str) -> ScheduleView:
        """One of them; raises NotFound."""
        rows = self._database.all("schedules.list", schedule=name)
        if not rows:
            raise _not_found(name)
        return ScheduleView(**rows[0])

    def remove(self, name: str) -> None:
        """Removes one; a look that is under way submits nothing more. Raises NotFound."""
        self._change(name, "schedules.remove")

    def pause(self, name: str, paused: bool) -> ScheduleView:
        """Pauses one, or lets it go on: then a tick that it missed is made up for, once. Raises NotFound."""
        self._change(name, "schedules.pause", paused=paused)
        return self.get(name)

    def run(self, name: str, storage: Storage, still_seconds: float = STILL_SECONDS) -> Looked:
        """Looks now, whatever the time, and if it is paused; its ticks stay as they are.

        Raises:
            NotFound: there is no such schedule.
            Conflict: somebody is at it.
            RunError: the look was broken off.
        """
        begun = self._begin("schedules.begin_by_hand", schedule=name)
        if begun is None:
            self.get(name)
            raise Conflict(f"schedule {name} is being done just now: affirm-worker schedules list")
        try:
            return self._look(begun, None, storage, lambda: False, still_seconds)
        except Stopped:
            raise _not_found(name) from None

    def begin(self) -> Begun | None:
        """Takes up a tick that is due; None where there is none, or others are at them."""
        return self._begin("schedules.begin")

    def do(
        self, begun: Begun, storage: Storage, stopping: Callable[[], bool], still_seconds: float = STILL_SECONDS
    ) -> Looked:
        """Does a tick that was taken up. Raises as `Look.look`; then the tick stays due."""
        try:
            next_at = self._next_tick(begun.cron, begun.timezone, begun.begun_at)
        except ValueError as error:
            self._fail(begun, str(error))
            raise Refused(str(error)) from None
        return self._look(begun, next_at, storage, stopping, still_seconds)

    def _begin(self, query: str, **parameters: str) -> Begun | None:
        holder = uuid4()
        row = self._database.transaction(lambda it: it.one(query, holder=holder, lease=LEASE, **parameters))
        return None if row is None else Begun(holder, **row)

    def _look(
        self,
        begun: Begun,
        next_at: datetime | None,
        storage: Storage,
        stopping: Callable[[], bool],
        still_seconds: float,
    ) -> Looked:
        try:
            looked = Look(self._database, storage, begun, stopping, still_seconds).look()
        except Stopped:
            self._end(begun, "schedules.give_back")
            raise
        except RunError as error:
            self._fail(begun, str(error))
            raise
        except Exception as error:
            # A fault of ours must show on the schedule, and not hold it until its lease is over.
            self._fail(begun, f"unforeseen {type(error).__name__}")
            raise
        if looked.unavailable:
            self._fail(begun, str(looked.error))
        else:
            self._end(
                begun, "schedules.finish", tick=begun.tick, next_at=next_at, files=looked.files,
                submitted=len(looked.submitted), error=looked.error,
            )  # fmt: skip
        return looked

    def _fail(self, begun: Begun, error: str) -> None:
        self._end(begun, "schedules.fail", error=error)

    def _end(self, begun: Begun, query: str, **parameters: object) -> None:
        self._database.transaction(lambda it: it.execute(query, schedule=begun.name, holder=begun.holder, **parameters))

    def _change(self, name: str, query: str, **parameters: object) -> None:
        if self._database.transaction(lambda it: it.one(query, schedule=name, **parameters)) is None:
            raise _not_found(name)


def _not_found(name: str) -> NotFound:
    return NotFound(f"there is no schedule {name}: affirm-worker schedules list")
