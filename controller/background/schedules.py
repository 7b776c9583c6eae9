"""Schedules: ticks that are due are done, each in a thread, so that no folder and no server holds up the loop.

Which controller does a tick, and that it is done, is for the database: see `services.folder_scan` and
`services.address_look`.
"""

import logging
import re
import threading
import time
from dataclasses import dataclass, field, replace
from functools import partial

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Quiet, Repeated
from dataset_jobs.storage import StorageConfig, open_storage
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.threads import start_thread
from services.address_look import LookLimits
from services.client import Client
from services.folder_scan import MIN_UNCHANGED_SECONDS
from services.schedules import How
from services.ticks import ClaimedTick, NewDataset, Stopped

THREADS = 4
"""Threads of one controller: this many folders without an answer hold up the others."""

STOP_SECONDS = 5.0
"""How long the threads may take to stop; then they are left behind, and end with the process."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Schedules:
    """The schedules as one controller does them.

    Args:
        store: asked whether there is anything to do.
        conninfo: of the same database, for the threads.
        storage: where the folders are.
        every_seconds: the shortest time between two questions.
        min_unchanged_seconds: how long a file must have stayed the same.
        limits: on files at addresses.
    """

    store: ControllerStore
    conninfo: str
    storage: StorageConfig
    every_seconds: float = 1.0
    min_unchanged_seconds: float = MIN_UNCHANGED_SECONDS
    limits: LookLimits = field(default_factory=LookLimits)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _looks: Repeated = field(default_factory=Repeated)
    _quiet: Quiet = field(default_factory=Quiet)
    _wrong: dict[str, str] = field(default_factory=dict)
    _asked: float = field(default_factory=lambda: time.monotonic() - 3600)

    async def look(self) -> None:
        """Starts the ticks that are due; does not wait for them."""
        if time.monotonic() < self._asked + self.every_seconds:
            return
        self._asked = time.monotonic()
        try:
            due = await self.store.schedules_due()
        except RunError as error:
            if self._looks.failed(error, time.monotonic()):
                _log.warning("schedules are not looked at: %s", error)
            return
        self._looks.passed()
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        for _ in range(min(due, THREADS - len(self._threads))):
            thread = threading.Thread(target=self._work, name="schedules", daemon=True)
            try:
                start_thread(thread)
            except RunError as error:
                _log.warning("schedules are not looked at: %s", error)
                return
            self._threads.append(thread)

    def close(self) -> None:
        """Breaks off running ticks; another controller begins them again."""
        self._stop.set()
        until = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _warn(self, text: str) -> None:
        if self._quiet.is_due(text, time.monotonic()):
            _log.warning("%s", text)

    def _went_wrong(self, schedule: str, text: str) -> None:
        """Says so once, however many looks meet the same."""
        same = re.sub(r"\d+", "#", text)
        if self._wrong.get(schedule) != same:
            self._wrong[schedule] = same
            _log.warning("schedule %s: %s", schedule, text)

    def _work(self) -> None:
        try:
            how = How(
                open_storage(self.storage), self.limits, stopping=self._stop.is_set,
                min_unchanged_seconds=self.min_unchanged_seconds,
            )  # fmt: skip
            with Client.connect(self.conninfo) as client:
                while not self._stop.is_set() and (tick := client.schedules.claim()) is not None:
                    self._do(client, tick, replace(how, told=partial(_log_new, tick.name)))
        except (RunError, OSError, MemoryError) as error:
            self._warn(f"schedules: broken off, to be repeated: {error}")
        except Exception as error:  # nobody waits for a thread; who held what is forgotten with its lease
            _log.error("schedules: %s", type(error).__name__, exc_info=error)

    def _do(self, client: Client, tick: ClaimedTick, how: How) -> None:
        try:
            result = client.schedules.do(tick, how)
        except Stopped:
            return
        except RunError as error:
            self._went_wrong(tick.name, f"broken off, to be repeated: {error}")
            return
        except Exception as error:  # it is on the schedule; the others go on
            _log.error("schedule %s: unforeseen", tick.name, exc_info=error)
            return
        if result.error:
            self._went_wrong(tick.name, result.error)
        elif self._wrong.pop(tick.name, None):
            _log.info("schedule %s: all is well again", tick.name)
        _log.info("schedule %s: %s", tick.name, result.note or f"{result.files} files, {len(result.submitted)} new")


def _log_new(schedule: str, new: NewDataset) -> None:
    ids = {"dataset_id": str(new.dataset_id), "job_id": str(new.job_id)}
    _log.info("submitted by schedule %s", schedule, extra={"file": new.file, **ids})
