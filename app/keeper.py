"""A small process that stops the embedded Postgres when nobody uses it any more.

The last command that leaves stops the server itself. The keeper is for those that cannot: a closed terminal or SIGKILL
ends them at once. It waits for the lock that every user holds, which the kernel releases however a process ends. It
runs in a session of its own, where no terminal reaches it, and imports nothing but the standard library.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from app.postmaster import Postmaster, stop

IN_USE = "postgres.lock"
"""Held, shared, by everybody who uses the server."""

CHANGING = "postgres-stop.lock"
"""Held by who starts or stops it. Whoever waits for both takes `IN_USE` first, and waits for this one holding nothing
exclusively."""

KEPT = "postgres.kept"
"""Names the start of a server that stays when nobody uses it."""

_RETRY_SECONDS = 0.05
_APPEARS_SECONDS = 2.0


def is_kept(home: Path, server: Postmaster) -> bool:
    """Whether the server stays when nobody uses it. One that has been started since does not."""
    try:
        return (home / KEPT).read_text() == _name(server)
    except OSError:
        return False


def set_kept(home: Path, server: Postmaster | None) -> None:
    """Says which server stays; None for none."""
    # Root may have written it, which its owner can remove but not change.
    (home / KEPT).unlink(missing_ok=True)
    if server is not None:
        (home / KEPT).write_text(_name(server))


def _name(server: Postmaster) -> str:
    return f"{server.pid} {server.started}\n"


def keep(home: str) -> None:
    """The keeper's work: waits until nobody uses the server, and stops it unless it is to stay."""
    folder = Path(home)
    with suppress(OSError):
        if not _stop_when_unused(folder):
            # A command that was killed just after it started the server: the server does not say yet that it is there.
            time.sleep(_APPEARS_SECONDS)
            _stop_when_unused(folder)


def _stop_when_unused(folder: Path) -> bool:
    """Whether there was a server."""
    data = Path(os.path.realpath(folder)) / "postgres"
    with (folder / IN_USE).open("a") as in_use, (folder / CHANGING).open("a") as changing:
        while True:
            fcntl.flock(in_use, fcntl.LOCK_EX)
            with suppress(BlockingIOError):
                fcntl.flock(changing, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            # Who starts or stops it waits for the other lock, perhaps.
            fcntl.flock(in_use, fcntl.LOCK_UN)
            time.sleep(_RETRY_SECONDS)
        server = Postmaster.running(data)
        if server is not None and not is_kept(folder, server):
            stop(server)
        return server is not None
