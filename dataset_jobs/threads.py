"""Threads that may fail to start."""

import threading

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable

START_SECONDS = 10.0
"""A thread that has not begun by then has died without a word: it got no memory for its first steps."""


class _Begun(threading.Event):
    """`Thread.start` waits for it without end, also if the new thread has died before it could set it."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(START_SECONDS if timeout is None else timeout)


def start_thread(thread: threading.Thread) -> None:
    """Starts a thread.

    Raises:
        Unavailable: the machine gives no thread: too many processes (ulimit -u, a limit of pids), or too little memory.
    """
    begun = _Begun()
    thread._started = begun  # type: ignore[attr-defined]
    try:
        thread.start()
        if begun.is_set():
            return
    except (RuntimeError, MemoryError):
        pass
    raise Unavailable(
        "local machine: cannot start a thread: too many processes or threads, or too little memory",
        Reason.TEMPORARY_IO,
    )
