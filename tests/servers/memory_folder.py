"""A temporary folder in memory, if the machine has plenty: Postgres makes 300 files for each database."""

import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

from tests.servers.locks import locked

MEMORY = Path("/dev/shm")
NEEDED = 8 << 30
"""Bytes that must be available. A server of the tests takes up to two gigabytes, and two run at a time."""


class MemoryFolder:
    """A folder in memory, or on disk if there is too little of it.

    Nobody removes what a killed process left in memory, so the next one does: each holds a lock while it lives.

    Args:
        prefix: of its name.
        memory: where memory is a file system.
        needed: bytes that must be available there, and on the whole machine.
    """

    def __init__(self, prefix: str, memory: Path = MEMORY, needed: int = NEEDED) -> None:
        self._lock: int | None = None
        if _available(memory) < needed:
            self.path = Path(tempfile.mkdtemp(prefix=prefix))
            return
        _remove_orphans(memory, prefix)
        made = Path(tempfile.mkdtemp(prefix=f".{prefix}", dir=memory))
        self._lock = locked(made / "lock", os.O_CREAT)
        # Only now it has the name that others look for.
        self.path = made.rename(memory / made.name[1:])

    def remove(self) -> None:
        """Removes it with all its contents."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _available(memory: Path) -> int:
    """Bytes that are free in this file system and in memory; 0 if it is no file system of its own."""
    try:
        if not memory.is_mount() or not os.access(memory, os.W_OK):
            return 0
        found = os.statvfs(memory)
        words = Path("/proc/meminfo").read_text().split()
        return min(found.f_bavail * found.f_frsize, int(words[words.index("MemAvailable:") + 1]) << 10)
    except (OSError, ValueError):
        return 0


def _remove_orphans(memory: Path, prefix: str) -> None:
    for folder in memory.glob(f"{prefix}*"):
        try:
            lock = locked(folder / "lock")
        except OSError:  # it is gone, or somebody else's
            continue
        if lock is None:
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            # A server that outlived its tests.
            os.kill(int((folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
