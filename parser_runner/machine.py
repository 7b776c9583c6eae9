"""A run's use of its machine: temporary files and helper processes.

If one of these fails, the machine is at fault. `LocalFile` turns its errors into errors of the model at once, because
zipfile and zlib take an OSError of the file below them for a damaged archive.
"""

import errno
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from subprocess import DEVNULL, PIPE, Popen
from typing import TYPE_CHECKING, BinaryIO, cast

from dataset_jobs.model.local_machine import machine_error

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

IN_MEMORY_BYTES = 8 * 1024 * 1024
"""Temporary files up to this size stay in memory."""


class Machine:
    """The machine as it is. Its errors are the operating system's own: OSError and MemoryError."""

    def temporary_file(self) -> BinaryIO:
        """A new file, deleted when it is closed."""
        return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))

    def start(self, command: Sequence[str]) -> "Popen[bytes]":
        """A new process with pipes for its standard input and output."""
        return Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)


class LocalFile(io.BufferedIOBase):
    """A file of this machine that raises errors of the model.

    Args:
        file: seekable; closed with this one.
        name: for messages.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__()
        self._file = file
        self._name = name

    def read(self, size: int | None = -1, /) -> bytes:
        with self._errors("read"):
            return self._file.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        with self._errors("read"):
            return self._file.readline(-1 if size is None else size)

    def write(self, content: "ReadableBuffer", /) -> int:
        with self._errors("write"):
            return self._file.write(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with self._errors("write"):  # seek flushes the buffer
            try:
                return self._file.seek(offset, whence)
            except OSError as error:
                if error.errno == errno.EINVAL and offset:
                    # An archive's directory may hold a wrong offset. BytesIO raises ValueError for one, too.
                    raise ValueError("there is no such offset in a file") from None
                raise

    def tell(self) -> int:
        with self._errors("read"):
            return self._file.tell()

    def flush(self) -> None:
        if not self.closed:
            with self._errors("write"):
                self._file.flush()

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        # Nobody needs the file any more, so a failed write does not matter.
        with suppress(OSError, MemoryError):
            self._file.close()
        with suppress(ValueError):
            super().close()

    @contextmanager
    def _errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (OSError, MemoryError) as error:
            raise machine_error(error, f"{verb} {self._what()}") from None

    def _what(self) -> str:
        return self._name


class _TemporaryFile(LocalFile):
    def _what(self) -> str:
        # Python takes the first writable folder of TMPDIR, TEMP, TMP, /tmp and others.
        return f"{self._name} in {tempfile.tempdir}" if tempfile.tempdir else self._name


def temporary_file(machine: Machine) -> BinaryIO:
    """A new temporary file. Raises the errors of `machine_error`."""
    try:
        return cast("BinaryIO", _TemporaryFile(machine.temporary_file(), "a temporary file"))
    except (OSError, MemoryError) as error:
        raise machine_error(error, "make a temporary file") from None


def local_file(file: BinaryIO, name: str) -> BinaryIO:
    """An open file, as a `LocalFile`."""
    return file if isinstance(file, LocalFile) else cast("BinaryIO", LocalFile(file, name))
