"""Locks of files, by which processes of tests know what another one has."""

import fcntl
import os
from pathlib import Path


def locked(path: Path, flags: int = 0) -> int | None:
    """The descriptor of a file, locked; None if it is locked already. A program that is started does not inherit it.

    Args:
        path: of the file.
        flags: further ones, such as `os.O_CREAT`.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
