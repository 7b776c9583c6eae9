"""The embedded Postgres: without a DATABASE_URL it runs while somebody uses it.

Each user holds a shared lock on a file. A user that leaves and gets the exclusive lock was the last one, and stops the
server. The kernel releases a lock however its process ends: if none of them can stop the server, `app/keeper.py` does.
A server that is kept up (`app/kept_postgres.py`) stays.
"""

import fcntl
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from app import keeper, locks, postgres_server
from app.postmaster import Postmaster, stop
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Unavailable
from dataset_jobs.model.local_machine import is_about_the_path, machine_error

_log = logging.getLogger(__name__)

_KEEPER = "import sys; sys.path.insert(0, sys.argv[1]); from app.keeper import keep; keep(sys.argv[2])"

BUSY_SECONDS = 30.0
"""How long to wait for those who use a server that has to be started anew."""


@contextmanager
def embedded_postgres(home: Path) -> Iterator[str]:
    """A running Postgres whose data is in `home`, and its connection string.

    As root it runs as the OS user `pgserver`, and every folder above the data lets everybody pass then: `home` should
    not be below a private folder.

    Raises:
        Misconfigured: the package is not installed, or it cannot start here.
        Unavailable: it did not start, or somebody else is starting or stopping it and does not get on.
    """
    with using(home) as server:
        yield postgres_server.conninfo(server)


@contextmanager
def using(home: Path, tcp_port: int | None = None) -> Iterator[Postmaster]:
    """The same, as a server.

    Args:
        home: of the data.
        tcp_port: it listens there, on 127.0.0.1; one that does not is started anew as soon as nobody uses it.

    Raises:
        Misconfigured, Unavailable: as for `embedded_postgres`; or others go on using one that has to be started anew.
    """
    postgres_server.program("postgres")
    with opened(home, keeper.IN_USE) as in_use, opened(home, keeper.CHANGING) as changing:
        # Waits for one who is stopping it just now.
        locks.take(in_use, fcntl.LOCK_SH, f"is stopping the embedded Postgres in {home}")
        # And for one who is starting it.
        locks.take(changing, fcntl.LOCK_EX, f"is starting the embedded Postgres in {home}")
        data = home.resolve() / "postgres"
        running = Postmaster.running(data)
        if running is not None and not _listens(running, tcp_port):
            _stop_when_unused(data, tcp_port, in_use, changing)
            running = Postmaster.running(data)
        # Before the server: it must not be left alone, even if this process dies now.
        waits = spawn_keeper(home) if running is None else None
        server = postgres_server.start(data, tcp_port)
        fcntl.flock(changing, fcntl.LOCK_UN)
        try:
            yield server
        finally:
            locks.take(changing, fcntl.LOCK_EX, f"is about to leave the embedded Postgres in {home}")
            if not keeper.is_kept(home, server) and _is_last(in_use):
                if not stop(server):
                    _log.warning("the embedded Postgres does not stop: process %d", server.pid)
                if waits is not None:
                    waits.kill()


def _listens(server: Postmaster, tcp_port: int | None) -> bool:
    return tcp_port is None or (server.listens and server.port == tcp_port)


def _stop_when_unused(data: Path, tcp_port: int | None, in_use: TextIO, changing: TextIO) -> None:
    """Stops a server that listens elsewhere, as soon as nobody uses it. Has both locks before and after."""
    for file in (changing, in_use):
        fcntl.flock(file, fcntl.LOCK_UN)
    try:
        locks.take(in_use, fcntl.LOCK_EX, "uses the embedded Postgres, which has to be started anew", BUSY_SECONDS)
    except Unavailable:
        raise Unavailable(
            f"{locks.who(in_use)} uses the embedded Postgres, which has to be started anew for port {tcp_port}:"
            " end that first",
            Reason.DATABASE,
        ) from None
    locks.take(changing, fcntl.LOCK_EX, "is starting or stopping the embedded Postgres")
    server = Postmaster.running(data)
    if server is not None and not _listens(server, tcp_port) and not stop(server):
        raise Unavailable(f"the embedded Postgres does not stop: process {server.pid}", Reason.DATABASE)
    locks.take(in_use, fcntl.LOCK_SH, "is stopping the embedded Postgres")


def _is_last(in_use: TextIO) -> bool:
    """Whether nobody else uses it. Then nobody comes before the file is closed; otherwise this user has left."""
    try:
        fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(in_use, fcntl.LOCK_UN)
        return False
    return True


def spawn_keeper(home: Path) -> "subprocess.Popen[bytes]":
    """Starts a keeper."""
    here = str(Path(__file__).resolve().parents[1])
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _KEEPER, here, str(home)],
        cwd="/", start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    threading.Thread(target=process.wait, name="keeper", daemon=True).start()
    return process


def psql_program() -> Path | None:
    """The `psql` that comes with the embedded Postgres, if that is installed."""
    try:
        return postgres_server.program("psql")
    except Misconfigured:
        return None


def opened(home: Path, name: str) -> TextIO:
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
