"""The control group below which all pods of the local cluster live, for cgroup v1 and v2."""

import os
import signal
import time
from pathlib import Path

from tests.cluster import processes
from tests.cluster.layout import CGROUP

_ROOT = Path("/sys/fs/cgroup")


def create() -> None:
    """Make the group in every hierarchy; kubelet wants it to be there."""
    for hierarchy in _hierarchies():
        folder = hierarchy / CGROUP
        folder.mkdir(exist_ok=True)
        # A new v1 cpuset is empty, and no process may enter an empty one.
        for file in ("cpuset.cpus", "cpuset.mems"):
            if (folder / file).exists() and not _is_unified(hierarchy):
                (folder / file).write_text((hierarchy / file).read_text())
        if _is_unified(hierarchy):
            _delegate(hierarchy)
            _delegate(folder)


def remove() -> None:
    """Kill whatever still runs in the group and remove it with all its children."""
    deadline = time.monotonic() + 100
    while True:
        folders = _folders()
        pids = {int(pid) for folder in folders for pid in _lines(folder / "cgroup.procs")}
        if pids:
            processes.kill(pids, signal.SIGKILL, seconds=5)
        for folder in folders:
            try:
                folder.rmdir()
            except OSError:
                continue
        if not _folders() or time.monotonic() > deadline:
            return
        time.sleep(0.1)


def _folders() -> list[Path]:
    """Our group's folders in all hierarchies, children before their parents."""
    found: list[Path] = []
    for hierarchy in _hierarchies():
        for folder, _, _ in os.walk(hierarchy / CGROUP, topdown=False):
            found.append(Path(folder))
    return found


def _hierarchies() -> list[Path]:
    """The mount points of all control group hierarchies: one for v2, one a controller for v1."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(mount[1]) for mount in mounts if mount[2] in ("cgroup", "cgroup2")]


def _is_unified(hierarchy: Path) -> bool:
    return (hierarchy / "cgroup.controllers").exists()


def _delegate(folder: Path) -> None:
    """Let children of a v2 group use every controller that it has itself."""
    for controller in (folder / "cgroup.controllers").read_text().split():
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            # A group that holds processes cannot hand a controller down; kubelet says so if it needs that one.
            continue


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
