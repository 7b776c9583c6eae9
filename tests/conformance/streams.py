"""Sources of bytes for the tests of storage."""

import hashlib
import io
from collections.abc import Callable
from typing import BinaryIO

from dataset_jobs.storage import Storage

MIB = 1024 * 1024


def read(storage: Storage, uri: str) -> bytes:
    """The whole file."""
    with storage.open(uri) as file:
        return file.read()


class Stream(io.RawIOBase):
    """Bytes made on the fly, given in blocks of an awkward size, without seek.

    Args:
        size: how many bytes.
        at_end: called where the source has ended.
    """

    def __init__(self, size: int, at_end: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._left = size
        self._at_end = at_end
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = bytes([self._left % 251]) * min(self._left, size if size >= 0 else self._left, 65_521)
        self._left -= len(block)
        if not block:
            self._at_end()
        self.sha256.update(block)
        return block


def stream(size: int, at_end: Callable[[], None] = lambda: None) -> BinaryIO:
    """A `Stream` as `put` takes it."""
    return Stream(size, at_end)  # type: ignore[return-value]  # IOBase is a BinaryIO in all but its stubs
