"""The embedded Postgres: where no DATABASE_URL is set, it runs while somebody uses it.

Whoever uses it holds a shared lock on a file; who leaves and can have the lock alone was the last one, and stops it.
The kernel lets go of a lock however its process ends, so a crash leaves at worst a server running, which the next
command uses and stops.
"""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from cli import postgres_server
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured

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
        Unavailable: it did not start.
    """
    postgres_server.program("postgres")
    # The first one waits for one who is stopping it just now, the second for one who is starting it.
    with _locked(home, "postgres.lock", fcntl.LOCK_SH) as in_use, _locked(home, _CHANGING, fcntl.LOCK_EX) as changing:
        data = home.resolve() / "postgres"
        server = postgres_server.start(data)
        fcntl.flock(changing, fcntl.LOCK_UN)
        try:
            yield server.conninfo
        finally:
            fcntl.flock(changing, fcntl.LOCK_EX)
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


def _locked(home: Path, name: str, operation: int) -> TextIO:
    """A file of `home`, open and locked."""
    try:
        home.mkdir(mode=0o755, parents=True, exist_ok=True)
        file = (home / name).open("a")
        fcntl.flock(file, operation)
        return file
    except OSError as error:
        raise Misconfigured(
            f"AFFIRM_WORKER_HOME {home}: {error.strerror}; set it to a folder of your own, or set DATABASE_URL",
            Reason.CONFIG,
        ) from None
