"""Mounts below the state folder: the one that we make, and those that kubelet and containerd make."""

import subprocess
from pathlib import Path

from tests.cluster.packages import program


def in_memory(folder: Path) -> None:
    """Make a folder whose files are kept in memory, at most half of it, and vanish with the mount.

    For containers' images: unpacking thousands of files is several times faster, and so is forgetting them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([program("mount"), "-t", "tmpfs", "-o", "mode=700", "affirm-cluster", folder], check=True)


def unmount_below(root: Path) -> None:
    """Unmount everything below a folder, the deepest first."""
    for _ in range(5):
        points = _below(root)
        if not points:
            return
        # Lazily: what still holds a file there is dead or dying.
        subprocess.run([program("umount"), "--lazy", *points], capture_output=True, check=False)


def _below(root: Path) -> list[Path]:
    points = [_unescaped(line.split()[4]) for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((point for point in points if root in point.parents), reverse=True)


def _unescaped(field: str) -> Path:
    """A mount point as the kernel writes it, with blanks as octal numbers."""
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        field = field.replace(code, character)
    return Path(field)
