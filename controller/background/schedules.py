"""Schedules: ticks that are due are done, each in a thread, so that no folder of storage holds up the loop.

Which controller does a tick, and that it is done, is for the database: see `services.folder_scan`.
"""

import logging
import threading
import time
from dataclasses import dataclass, field

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Quiet, Repeated
from dataset_jobs.storage import StorageConfig, open_storage
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.threads import start_thread
from services.client import Client
from services.folder_scan import MIN_UNCHANGED_SECONDS, Stopped

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
    """

    store: ControllerStore
    conninfo: str
    storage: StorageConfig
    every_seconds: float = 1.0
    min_unchanged_seconds: float = MIN_UNCHANGED_SECONDS
    _threads: list[threading.Thread] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _looks: Repeated = field(default_factory=Repeated)
    _quiet: Quiet = field(default_factory=Quiet)
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

    def _work(self) -> None:
        try:
            storage = open_storage(self.storage)
            with Client.connect(self.conninfo) as client:
                while not self._stop.is_set() and (tick := client.schedules.claim()) is not None:
                    try:
                        result = client.schedules.do(tick, storage, self._stop.is_set, self.min_unchanged_seconds)
                    except Stopped:
                        continue
                    except RunError as error:
                        self._warn(f"schedule {tick.name}: broken off, to be repeated: {error}")
                        continue
                    except Exception as error:  # it is on the schedule; the others go on
                        _log.error("schedule %s: unforeseen", tick.name, exc_info=error)
                        continue
                    _log.info("schedule %s: %d files, %d new", tick.name, result.files, len(result.submitted))
                    if result.error:
                        self._warn(f"schedule {tick.name}: {result.error}")
        except (RunError, OSError, MemoryError) as error:
            self._warn(f"schedules: broken off, to be repeated: {error}")
        except Exception as error:  # nobody waits for a thread; who held what is forgotten with its lease
            _log.error("schedules: %s", type(error).__name__, exc_info=error)
