"""Real conditions of a machine, for processes that are started in them: full and read-only disks, limits, deaths."""

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = os.geteuid() == 0
MAY_MOUNT = ROOT and subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0

needs_root = pytest.mark.skipif(not MAY_MOUNT, reason="mounts file systems: run it as root, outside of a container")

NOT_ROOT = 64_999
"""A user that has no other process: limits of processes count by user, and never for root."""

AS_NOBODY = (
    "setpriv", f"--reuid={NOT_ROOT}", "--clear-groups",
    "--inh-caps=-all,+dac_override,+dac_read_search", "--ambient-caps=-all,+dac_override,+dac_read_search",
)  # fmt: skip
"""Before a command: as that user, who may read and write every file all the same."""

LIMITS_HOLD = ("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource") if ROOT else ()
"""Before a command: root may not raise its own limits, as nobody else may."""


@contextlib.contextmanager
def small_disk(folder: Path, size: str, options: str = "") -> Iterator[Path]:
    """A file system of its own, mounted at a new folder.

    Args:
        folder: made, and removed in the end.
        size: as tmpfs has it, such as 1m.
        options: further ones, such as ro.
    """
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},{options}".rstrip(","), "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def read_only(*folders: str) -> tuple[str, ...]:
    """Before a command: these folders are read-only for it, in a mount namespace of its own."""
    binds = "; ".join(f"mount --bind {one} {one} && mount -o remount,bind,ro {one}" for one in folders)
    return ("unshare", "--mount", "sh", "-c", f'{binds}; exec "$@"', "sh")


@contextlib.contextmanager
def no_more_open_files(spare: int = 0) -> Iterator[None]:
    """This process can open nothing meanwhile, or only a few files: EMFILE. The ids that are free must be one run."""
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + spare, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def signalled(pid: int, words: str, number: signal.Signals) -> Iterator[list[int]]:
    """A child of a process is sent a signal as soon as it is there.

    Args:
        pid: the parent, or above it.
        words: in the child's command line.
        number: the signal.

    Yields:
        The children that were hit, by their ids.
    """
    hit: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set() and not hit:
            for child in descendants(pid):
                with contextlib.suppress(OSError):
                    if words in Path(f"/proc/{child}/cmdline").read_text(errors="replace"):
                        os.kill(child, number)
                        hit.append(child)
            time.sleep(0.001)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield hit
    finally:
        over.set()
        watching.join()


def descendants(pid: int) -> list[int]:
    """The children of a process, theirs and so on; none that has ended and only waits to be looked after."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [*([int(child)] if _lives(child) else ()), *descendants(int(child))]
    return found


def _lives(pid: str) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
