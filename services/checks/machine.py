"""Checks of this machine: room on its disks, and its memory."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dataset_jobs.model.limits import MIB, Limits
from services.checks.findings import Finding, Fix, ok, warning, wrong

LEAST_MIB = 16
"""With less room than this nothing works."""

RUN_MIB = 128
"""What a run takes as a rule, without the process that reads workbooks."""

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Room:
    """The free room in a folder: MiB, and files."""

    mib: int
    files: int | None
    """None if the file system sets no limit."""


def check_space(folders: Mapping[str, Path], limits: Limits) -> list[Finding]:
    """Whether folders have room for the largest file that is taken.

    Args:
        folders: their paths, by their purposes.
        limits: on files.
    """
    return [_space(what, folder, limits.file_mib) for what, folder in folders.items()]


def _space(what: str, folder: Path, file_mib: int) -> Finding:
    room = room_in(folder)
    if room is None:
        return warning(f"{what} {folder}: it cannot be looked at")
    line = f"du -xh -d 1 {shlex.quote(str(existing(folder)))} | sort -h"
    fix = Fix(shell=line, by="to see what is large there and can go")
    if room.mib < LEAST_MIB:
        return wrong(f"{what} {folder}: the disk is full, {room.mib} MiB are free", fix)
    if room.files is not None and room.files < 100:
        return wrong(f"{what} {folder}: the file system has no room for more files, {room.files} are left", fix)
    if room.mib < file_mib:
        said = f"{what} {folder}: {room.mib} MiB are free, less than a file may have (LIMIT_FILE_MIB is {file_mib})"
        return warning(said, fix)
    return ok(f"{what} {folder}: {_size(room.mib)} are free")


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists() or one == one.parent)


def room_in(folder: Path) -> Room | None:
    """The free room in a folder, or in the one above it; None if nobody may look."""
    try:
        found = os.statvfs(existing(folder))
    except OSError:
        return None
    files = found.f_favail if found.f_files else None
    return Room(found.f_bavail * found.f_frsize // MIB, files)


def check_memory(runs: int, limits: Limits, memory_mib: int | None = None) -> list[Finding]:
    """Whether memory is enough for the runs of this machine.

    Args:
        runs: at once, as children of a controller; 0 if they have pods of their own.
        limits: on files.
        memory_mib: of the machine or its container; looked up without it.
    """
    memory = memory_limit() if memory_mib is None else memory_mib
    if memory is None:
        return [ok("the memory of this machine is not known")]
    if not runs:
        return [ok(f"{_size(memory)} of memory; runs have pods of their own")]
    workbook = limits.workbook_memory_mib
    if memory < workbook + RUN_MIB:
        said = f"there are {_size(memory)} of memory, and one workbook may take {_size(workbook)}"
        return [warning(said, Fix(shell=f"export LIMIT_WORKBOOK_MEMORY_MIB={max(1, memory - RUN_MIB)}"))]
    each = workbook + RUN_MIB
    if memory < runs * each:
        said = f"there are {_size(memory)} of memory, and {runs} runs at once may take {_size(runs * each)}"
        return [warning(said, Fix(shell=f"export WORKER_CONCURRENCY={max(1, memory // each)}"))]
    return [ok(f"{_size(memory)} of memory; {runs} runs at once take at most {_size(runs * each)}")]


def memory_limit() -> int | None:
    """MiB of this machine, or of its container if that has less; None if nothing says it."""
    found = [
        value
        for value in (_of_machine(), _of_cgroup("memory.max"), _of_cgroup("memory/memory.limit_in_bytes"))
        if value
    ]
    return min(found) // MIB if found else None


def _of_machine() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _of_cgroup(name: str) -> int | None:
    """A container sees its own group at the root of the file system."""
    try:
        return int((_CGROUP / name).read_text())
    except (OSError, ValueError):  # "max"
        return None


def _size(mib: int) -> str:
    return f"{mib:,} MiB" if mib < 10 * 1024 else f"{mib / 1024:,.0f} GiB"
