"""Renews the lease, and reports progress and log, on its own thread and connection."""

import contextlib
import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from dataset_jobs.model.errors import LostLease, RunError
from dataset_jobs.model.run_log import RunLog
from dataset_jobs.store.runner import RunnerStore
from dataset_jobs.threads import start_thread

INTERVAL_SECONDS = 15.0
FIRST_SECONDS = 1.0
"""The first beats come after 1, 2, 4 and 8 seconds, so that progress shows early; then one every 15 seconds."""

_log = logging.getLogger(__name__)


class Heartbeat:
    """Beats while it is entered. A run that ends before the first beat opens no second connection.

    Args:
        connect: opens the connection for the beats.
        log: the log so far; a beat sends it if it has grown since.

    Raises:
        Unavailable: when it is entered, if the machine gives no thread.
    """

    def __init__(self, connect: Callable[[], RunnerStore], log: Callable[[], RunLog] = RunLog) -> None:
        self.bytes_done = 0
        self.rows_done = 0
        self._connect = connect
        self._log = log
        self._sent = RunLog()
        self._store: RunnerStore | None = None
        self._over = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        start_thread(self._thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(timeout=5)

    def rows(self, rows_done: int) -> None:
        """Notes progress.

        Raises:
            LostLease: the last beat found that the run is over.
        """
        self.rows_done = rows_done
        self.check()

    def check(self) -> None:
        """Raises `LostLease` if the last beat found that the run is over."""
        if self._lost:
            raise LostLease("the lease was lost while the file was being read")

    def _beat(self) -> None:
        wait = FIRST_SECONDS
        while not self._over.wait(wait):
            wait = min(wait * 2, INTERVAL_SECONDS)
            try:
                self._lost = not self._beat_once()
            except (RunError, OSError, MemoryError) as error:
                # The lease outlasts three more missed beats. If the database stays away, the load fails.
                _log.warning("heartbeat missed: %s", error)
                self._close()
        self._close()

    def _beat_once(self) -> bool:
        if self._store is None:
            self._store = self._connect()
        log = self._log()
        held = self._store.heartbeat(self.bytes_done, self.rows_done, None if log == self._sent else log)
        self._sent = log
        return held

    def _close(self) -> None:
        if self._store is not None:
            with contextlib.suppress(Exception):
                self._store.close()
            self._store = None
