"""Locks on files, waited for with a word about who holds them, and not for ever."""

import fcntl
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.text import one_line
from dataset_jobs.model.trouble import Quiet

SAY_SECONDS = 2.0
"""So long nobody needs to know."""

GIVE_UP_SECONDS = 120.0
"""Longer than a server may take to stop: by then somebody has to look."""

LOOK_SECONDS = 0.05


def take(file: IO[str], operation: int, what: str, give_up_seconds: float = GIVE_UP_SECONDS) -> None:
    """Locks a file as `fcntl.flock` does. After a moment it says on stderr who is in the way.

    Args:
        file: open.
        operation: LOCK_SH or LOCK_EX.
        what: the reason why somebody else holds it, such as "is stopping the server".
        give_up_seconds: how long to wait.

    Raises:
        Unavailable: somebody else held it all the time.
    """
    began = time.monotonic()
    quiet = Quiet()
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(file, operation | fcntl.LOCK_NB)
            return
        waited = time.monotonic() - began
        if waited >= give_up_seconds:
            raise Unavailable(f"{who(file)} {what}, for {waited:.0f} s by now; see what keeps it", Reason.TEMPORARY_IO)
        if waited >= SAY_SECONDS and quiet.is_due("", time.monotonic()):
            sys.stderr.write(one_line(f"waiting: {who(file)} {what} (for {waited:.0f} s)") + "\n")
        time.sleep(LOOK_SECONDS)


def who(file: IO[str]) -> str:
    """The processes that hold the lock on a file. Only Linux tells; elsewhere it is "another process"."""
    status = os.fstat(file.fileno())
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    pids = set()
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == place and fields[4].isdigit():
                pids.add(int(fields[4]))
    pids -= {os.getpid(), 0}
    return ", ".join(map(_name, sorted(pids))) or "another process"


def _name(pid: int) -> str:
    with suppress(OSError, IndexError):
        after_its_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2]
        if after_its_name[0] == "T":
            return f"process {pid} (which is stopped: kill -CONT {pid})"
    return f"process {pid}"
