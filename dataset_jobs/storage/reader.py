"""A reader that raises errors of the model."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

_BUFFER_BYTES = 256 * 1024


class RawReader(Protocol):
    """The source of a reader: a raw file, or a body that still arrives."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fills up to the whole buffer; returns how many bytes, 0 at the end."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


def guarded(source: RawReader, errors: Callable[[], AbstractContextManager[None]]) -> BinaryIO:
    """A buffered reader of `source`; every read happens inside `errors()`, which converts exceptions."""
    return io.BufferedReader(_Guarded(source, errors), _BUFFER_BYTES)


class _Guarded(io.RawIOBase):
    def __init__(self, source: RawReader, errors: Callable[[], AbstractContextManager[None]]) -> None:
        super().__init__()
        self._source = source
        self._errors = errors

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]  # what C hands us is one
        with self._errors():
            return self._source.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            try:
                self._source.close()
            finally:
                super().close()
