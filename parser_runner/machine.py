"""What a run uses of the machine that it runs on: temporary files, and processes that help it.

Whatever goes wrong with these is the machine's fault. `LocalFile` says so in errors of the model, right where it
happens: zipfile and zlib take an OSError of the file below them for a damaged archive.
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
"""Temporary files up to this size are not written to the local disk."""


class Machine:
    """The machine as it is. Its errors are the operating system's own: OSError and MemoryError."""

    def temporary_file(self) -> BinaryIO:
        """A new file that goes away when it is closed."""
        return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))

    def start(self, command: Sequence[str]) -> "Popen[bytes]":
        """A new process that is spoken to over its standard input and output."""
        return Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL)


class LocalFile(io.BufferedIOBase):
    """A file of this machine, whose errors are those of the model.

    Args:
        file: seekable. It is closed with this one.
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
        with self._errors("write"):  # what is buffered
            try:
                return self._file.seek(offset, whence)
            except OSError as error:
                if error.errno == errno.EINVAL and offset:
                    # The offset is wrong, and it may come out of an archive's directory. BytesIO raises this too.
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
        # Nobody needs it any more: what could not be written of it does not matter.
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
        # Python takes the first folder of TMPDIR, TEMP, TMP, /tmp and others that it can write to.
        return f"{self._name} in {tempfile.tempdir}" if tempfile.tempdir else self._name


def temporary_file(machine: Machine) -> BinaryIO:
    """A new temporary file; raises what `machine_error` gives."""
    try:
        return cast("BinaryIO", _TemporaryFile(machine.temporary_file(), "a temporary file"))
    except (OSError, MemoryError) as error:
        raise machine_error(error, "make a temporary file") from None


def local_file(file: BinaryIO, name: str) -> BinaryIO:
    """A file that is open already, as a `LocalFile`."""
    return file if isinstance(file, LocalFile) else cast("BinaryIO", LocalFile(file, name))
