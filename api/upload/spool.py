"""Where files are while they are received: temporary files without a name, hashed as they are written."""

import errno
import hashlib
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from api.problems import Problem
from dataset_jobs.model.local_machine import machine_error

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Spool:
    """A folder for files that are being received. Used by one event loop.

    Args:
        folder: must be there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: set[SpoolFile] = set()

    def open(self, expected: int) -> "SpoolFile":
        """A new file, which is gone when it is closed, and when this process ends.

        Args:
            expected: bytes at most; room for them is looked for, beside what the others still expect.

        Raises:
            Problem: there is no room.
            Unavailable: the folder cannot be used.
        """
        try:
            to_come = sum(max(0, one.expected - one.size) for one in self._files)
            found = os.statvfs(self._folder)
            if found.f_bavail * found.f_frsize < to_come + expected:
                raise _no_space()
            made = SpoolFile(self._folder, expected, self)
        except OSError as error:
            raise _in_words(error) from None
        self._files.add(made)
        return made

    def __len__(self) -> int:
        """How many files are being received."""
        return len(self._files)

    def size(self) -> int:
        """The bytes of the files that are being received; may be called from any thread."""
        return sum(one.size for one in tuple(self._files))

    def forget(self, file: "SpoolFile") -> None:
        """A file is gone."""
        self._files.discard(file)


class SpoolFile:
    """One file that is being received.

    Args:
        folder: where.
        expected: bytes at most.
        spool: which it is in.
    """

    def __init__(self, folder: Path, expected: int, spool: Spool) -> None:
        # Python asks the kernel for a file without a name, and removes the name at once where it cannot.
        self._file = tempfile.TemporaryFile(buffering=0, prefix="upload-", dir=folder)  # noqa: SIM115
        self._digest = hashlib.sha256()
        self._spool = spool
        self.expected = expected
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def sha256(self) -> str:
        """Of what was written so far, in lower-case hexadecimal."""
        return self._digest.hexdigest()

    def write(self, block: bytes) -> None:
        """Writes a block, and hashes it.

        Raises:
            Problem: there is no room.
            Unavailable: the folder cannot be used.
        """
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _in_words(error) from None
        self._digest.update(block)
        self.size += len(block)

    def reader(self) -> BinaryIO:
        """What was written, from its beginning; raises Unavailable. One reader at a time, and nobody writes then."""
        try:
            reader = os.fdopen(os.dup(self._file.fileno()), "rb")
            reader.seek(0)
        except OSError as error:
            raise _in_words(error) from None
        return reader

    def close(self) -> None:
        """Removes it."""
        self._file.close()
        self._spool.forget(self)


def _no_space() -> Problem:
    return Problem(
        "no-space",
        "there is no room for this file where files are received: send it again later, or give API_SPOOL_DIR more",
    )


def _in_words(error: OSError) -> Exception:
    return _no_space() if error.errno in _FULL else machine_error(error, "keep the file that is received")
