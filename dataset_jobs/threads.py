"""Threads that may fail to start."""

import threading

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable


def start_thread(thread: threading.Thread) -> None:
    """Starts a thread.

    Raises:
        Unavailable: the machine gives no thread: too many processes (ulimit -u, a limit of pids), or too little memory.
    """
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        raise Unavailable(
            "local machine: cannot start a thread: too many processes or threads, or too little memory",
            Reason.TEMPORARY_IO,
        ) from None
