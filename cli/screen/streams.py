"""Standard output and standard error, guarded against full disks and readers that go.

A pipe whose reader has gone and a full disk are errors of their own, and no OSError: that one could be taken for a
fault of a file that the command reads.
"""

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Stream = TypeVar("Stream")


class ReaderGone(Exception):
    """Nobody reads standard output any more, as after `| head`."""


class CannotPrint(Exception):
    """Standard output takes nothing more: its disk is full, for example."""


class _Stdout(io.FileIO):
    def write(self, content: "ReadableBuffer", /) -> int | None:  # type: ignore[override]
        try:
            return super().write(content)
        except OSError as error:
            _discard(self.fileno())  # what is still buffered, at the end of the process
            if isinstance(error, BrokenPipeError):
                raise ReaderGone from None
            name = errno.errorcode.get(error.errno or 0, "OSError")
            raise CannotPrint(f"standard output: {error.strerror} ({name})") from None


class _Stderr(io.FileIO):
    def write(self, content: "ReadableBuffer", /) -> int | None:  # type: ignore[override]
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes  # nobody is left to tell


def guard() -> None:
    """Makes stdout raise `ReaderGone` and `CannotPrint`, and stderr nothing.

    What they cannot encode is escaped: LANG and PYTHONIOENCODING may allow ASCII alone.
    """
    sys.stdout = _guarded(sys.stdout, _Stdout)
    sys.stderr = _guarded(sys.stderr, _Stderr)


def _guarded(stream: Stream, kind: type[io.FileIO]) -> Stream | io.TextIOWrapper:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    stream.flush()
    raw = kind(stream.fileno(), "w", closefd=False)
    # With PYTHONUNBUFFERED, as in the images, it is not line_buffering: each text goes out at once.
    at_once = stream.line_buffering or stream.write_through
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, "backslashreplace", line_buffering=at_once)


def _discard(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
