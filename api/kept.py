"""Values that are kept for some seconds, so that many viewers cost what one does."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """A value and when it was made. Any thread may ask; one makes it, and the others wait for that.

    Args:
        seconds: how long it is kept.
        clock: seconds that never go back.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[Value, datetime, float] | None = None

    def get(self, make: Callable[[], Value]) -> tuple[Value, datetime]:
        """The value and its time; `make` makes it if it is too old. What that raises is not kept."""
        with self._lock:
            if self._kept is None or self._clock() - self._kept[2] > self._seconds:
                at, began = datetime.now(UTC), self._clock()
                self._kept = (make(), at, began)
            return self._kept[:2]

    def forget(self) -> None:
        """Makes it anew at the next time."""
        with self._lock:
            self._kept = None
