"""The embedded Postgres: without a DATABASE_URL it runs while somebody uses it.

Each user holds a shared lock on a file. A user that leaves and gets the exclusive lock was the last one, and stops the
server. The kernel releases a lock however its process ends, so a crash leaves at worst a running server, which the next
command uses and stops.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from app import locks, postgres_server
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.local_machine import is_about_the_path, machine_error

_log = logging.getLogger(__name__)

_CHANGING = "postgres-stop.lock"
"""Held by who starts or stops it."""


@contextmanager
def embedded_postgres(home: Path) -> Iterator[str]:
    """A running Postgres whose data is in `home`, and its connection string.

    As root it runs as the OS user `pgserver`, and every folder above the data lets everybody pass then: `home` should
    not be below a private folder.

    Raises:
        Misconfigured: the package is not installed, or it cannot start here.
        Unavailable: it did not start, or somebody else is starting or stopping it and does not get on.
    """
    postgres_server.program("postgres")
    with _opened(home, "postgres.lock") as in_use, _opened(home, _CHANGING) as changing:
        # Waits for one who is stopping it just now.
        locks.take(in_use, fcntl.LOCK_SH, f"is stopping the embedded Postgres in {home}")
        # And for one who is starting it.
        locks.take(changing, fcntl.LOCK_EX, f"is starting the embedded Postgres in {home}")
        data = home.resolve() / "postgres"
        server = postgres_server.start(data)
        fcntl.flock(changing, fcntl.LOCK_UN)
        try:
            yield server.conninfo
        finally:
            locks.take(changing, fcntl.LOCK_EX, f"is about to leave the embedded Postgres in {home}")
            try:
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fcntl.flock(in_use, fcntl.LOCK_UN)
            else:
                if not postgres_server.stop(server, data):
                    _log.warning("the embedded Postgres does not stop: process %d", server.pid)


def psql_program() -> Path | None:
    """The `psql` that comes with the embedded Postgres, if that is installed."""
    try:
        return postgres_server.program("psql")
    except Misconfigured:
        return None


def _opened(home: Path, name: str) -> TextIO:
    """A file of `home` to lock."""
    try:
        home.mkdir(mode=0o755, parents=True, exist_ok=True)
        return (home / name).open("a")
    except OSError as error:
        if not is_about_the_path(error):
            raise machine_error(error, f"keep data in AFFIRM_WORKER_HOME {home}") from None
        raise Misconfigured(
            f"AFFIRM_WORKER_HOME {home}: {error.strerror}; set it to a folder of your own, or set DATABASE_URL",
            Reason.CONFIG,
        ) from None
