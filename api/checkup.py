"""The checks that this process can make of what it works with, on demand: one checkup at a time for all who look.

They use connections of their own, so they say what is wrong also while the database is lost.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from app.file_storage import storage_config
from app.places import database_of
from app.settings import Settings
from dataset_jobs.host import temporary_folder
from dataset_jobs.migrations.rights import API
from dataset_jobs.model.listed_parser import ListedParser
from dataset_jobs.store.client_connection import ClientConnection
from services.checks.checkup import Check, Checked, check_up
from services.checks.database import PATIENCE, Expected, check_schema, check_server
from services.checks.descriptions import check_descriptions
from services.checks.findings import Finding, Verdict, ok, wrong
from services.checks.machine import check_space
from services.checks.queue import check_controllers, check_queue
from services.checks.rights import lacking
from services.checks.storage import check_storage
from services.figures import LATE_SECONDS, Sampler
from services.status import read_status


@dataclass(frozen=True, slots=True)
class Checkup:
    """What one round of checks has found so far.

    Args:
        begun_at, ended_at: by this machine's clock; `ended_at` is None while it goes on.
        checked: those that are over, in their order.
    """

    begun_at: datetime
    ended_at: datetime | None
    checked: Sequence[Checked]

    @property
    def wrong(self) -> int:
        """How many checks found something wrong."""
        return sum(one.verdict is Verdict.WRONG for one in self.checked)

    @property
    def warned(self) -> int:
        """How many have a warning, and nothing worse."""
        return sum(one.verdict is Verdict.WARNING for one in self.checked)


class Doctor:
    """Makes checks in a thread of its own. Any thread may ask.

    Args:
        checks: in their order.
    """

    def __init__(self, checks: Callable[[], Sequence[Check]]) -> None:
        self._checks = checks
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._last: Checkup | None = None

    def last(self) -> Checkup | None:
        """The last checkup, or the one at work; None if nobody has asked for one yet."""
        with self._lock:
            return self._last

    def look(self, patience_seconds: float) -> None:
        """Begins a checkup unless one is at work, and waits for its end, at most so long."""
        with self._lock:
            if self._last is None or self._last.ended_at is not None:
                self._last, self._over = Checkup(datetime.now(UTC), None, ()), threading.Event()
                # Nobody waits for it at the end: each check has its own time.
                threading.Thread(target=self._work, args=(self._last, self._over), name="doctor", daemon=True).start()
            over = self._over
        over.wait(patience_seconds)

    def _work(self, begun: Checkup, over: threading.Event) -> None:
        found: list[Checked] = []
        try:
            for one in check_up(self._checks()):
                found.append(one)
                self._tell(Checkup(begun.begun_at, None, tuple(found)))
        finally:
            self._tell(Checkup(begun.begun_at, datetime.now(UTC), tuple(found)))
            over.set()

    def _tell(self, checkup: Checkup) -> None:
        with self._lock:
            self._last = checkup


@dataclass(frozen=True, slots=True)
class OwnChecks:
    """The checks of an API.

    Args:
        settings: checked already.
        conninfo: of the database.
        sampler: reads the figures.
        parsers: lists the formats that can be read.
    """

    settings: Settings
    conninfo: str
    sampler: Sampler
    parsers: Callable[[], Sequence[ListedParser]]

    def all(self) -> list[Check]:
        """In their order."""
        return [
            Check("database", self._database),
            Check("schema", self._schema, ("database",)),
            Check("rights", self._rights, ("schema",)),
            Check("figures", self._figures, ("schema",)),
            Check("storage", lambda: check_storage(storage_config(self.settings))),
            Check("parsers", lambda: [ok(f"{len(self.parsers())} formats can be read")]),
            Check("descriptions", self._descriptions, ("schema",)),
            Check("space", self._space),
            Check("controllers", self._controllers, ("schema",)),
            Check("queue", self._queue, ("schema",)),
        ]

    @property
    def _expected(self) -> Expected:
        embedded = self.settings.database_url is None
        # What controllers and runs need of connections is theirs to check, and so is LISTEN.
        return Expected(self.settings.database_schema, embedded=embedded, listens_directly=True)

    @contextmanager
    def _connected(self) -> Iterator[ClientConnection]:
        with ClientConnection(self.conninfo, PATIENCE) as database:
            yield database

    def _database(self) -> list[Finding]:
        url = self.settings.database_url
        place = f"{self.settings.home / 'postgres'} (embedded)" if url is None else database_of(url)[0]
        with self._connected() as database:
            return check_server(database, self._expected, place)

    def _schema(self) -> list[Finding]:
        with self._connected() as database:
            return check_schema(database, self._expected)

    def _rights(self) -> list[Finding]:
        with self._connected() as database:
            role = database.only("doctor.session")["role"]
            found = [*lacking(database, role, self._expected.schema, API, "the API needs")]
            return found or [ok(f"the role {role} may do what the API does")]

    def _figures(self) -> list[Finding]:
        figures = self.sampler.figures()
        with self._connected() as database:
            seconds = max(0.0, (database.now() - figures.as_of).total_seconds())
        said = f"the figures of the pages are {seconds:.0f} s old"
        return [wrong(f"{said}: the database answers too slowly")] if seconds > LATE_SECONDS else [ok(said)]

    def _descriptions(self) -> list[Finding]:
        with self._connected() as database:
            return check_descriptions(database)

    def _space(self) -> list[Finding]:
        folders = {"uploads while they come in": self.settings.api_spool_dir or temporary_folder()}
        if (path := self.settings.storage.path) is not None:
            folders["stored files in"] = path
        return check_space(folders, self.settings.limits)

    def _controllers(self) -> list[Finding]:
        with self._connected() as database:
            return check_controllers(read_status(database), database.now())

    def _queue(self) -> list[Finding]:
        with self._connected() as database:
            return check_queue(read_status(database))
