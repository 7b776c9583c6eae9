"""Values that are costly to read: one thread reads them anew, and meanwhile everybody gets the last one."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Value = TypeVar("Value")

PATIENCE_SECONDS = 0.02
"""How long somebody waits for what is being read, before they get the last value: a cheap one is always fresh."""


@dataclass(slots=True)
class _Reading(Generic[Value]):
    """A read that is under way; `wanted` is false if what it finds is out of date already."""

    first: "Future[Value]" = field(default_factory=Future)
    wanted: bool = True


class Refreshed(Generic[Value]):
    """A value that is read at most so often, in a thread of its own (stale-while-revalidate). Any thread may ask.

    Args:
        read: reads it. It gets the last value, if there is one, and `publish`, which gives everybody a value before it
            goes on to a better one.
        every_seconds: between the end of a read and the next one.
        late_seconds: a value that should have been read anew so long ago is given to nobody: they wait for the next.
        patience_seconds: see `PATIENCE_SECONDS`.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        read: Callable[[Value | None, Callable[[Value], None]], Value],
        every_seconds: float,
        late_seconds: float,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._every_seconds = every_seconds
        self._late_seconds = late_seconds
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._last: Value | None = None
        self._due = 0.0
        self._reading: _Reading[Value] | None = None

    def get(self) -> Value:
        """The value. Raises what `read` raises, if there is no last value, or only one that is too late."""
        with self._lock:
            last, late = self._last, self._clock() - self._due
            if last is not None and late < 0:
                return last
            first = (self._reading or self._begin()).first
        if last is None or late > self._late_seconds:
            return first.result()
        wait((first,), self._patience_seconds)
        return last if not first.done() or first.exception() else first.result()

    def forget(self) -> None:
        """Something has changed: whoever asks next waits for a value that was read after this."""
        with self._lock:
            self._last = None
            if self._reading is not None:
                self._reading.wanted = False
                self._reading = None

    def _begin(self) -> _Reading[Value]:
        made = self._reading = _Reading[Value]()
        # Nobody waits for it at the end of the process.
        threading.Thread(target=self._work, args=(made, self._last), name="refresh", daemon=True).start()
        return made

    def _work(self, reading: _Reading[Value], last: Value | None) -> None:
        def publish(value: Value) -> None:
            with self._lock:
                if reading.wanted:
                    self._last, self._due = value, self._clock() + self._every_seconds
            if not reading.first.done():
                reading.first.set_result(value)

        try:
            value = self._read(last, publish)
        except BaseException as error:
            self._over(reading)  # first: whoever asks after the error begins anew
            if not reading.first.done():
                reading.first.set_exception(error)
        else:
            publish(value)
            self._over(reading)

    def _over(self, reading: _Reading[Value]) -> None:
        with self._lock:
            if self._reading is reading:
                self._reading = None
