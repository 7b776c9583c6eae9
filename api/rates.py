"""How often somebody may ask: a token bucket for each key, user or address, in this process alone."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

MOST_NAMES = 10_000
"""Buckets that are kept; the one that was used longest ago goes first."""


class Left(NamedTuple):
    """What is left of a bucket.

    Args:
        allowed: this request was within it.
        limit: requests a minute, and at once.
        remaining: whole requests that may follow at once.
        wait_seconds: until there is one more.
    """

    allowed: bool
    limit: int
    remaining: int
    wait_seconds: int

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer, and `Retry-After` if it was refused."""
        found = {
            "RateLimit-Policy": f'"requests";q={self.limit};w=60',
            "RateLimit": f'"requests";r={self.remaining};t={self.wait_seconds}',
        }
        return found if self.allowed else {**found, "Retry-After": str(max(1, self.wait_seconds))}


class Rates:
    """The buckets. Any thread may take from them.

    Args:
        per_minute: what each holds, and gets back within a minute.
        clock: seconds that never go back.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, cost: int = 1) -> Left:
        """Takes from a bucket if it has so much.

        Args:
            name: whose.
            cost: 0 looks only.
        """
        with self._lock:
            now = self._clock()
            tokens, at = self._buckets.pop(name, (float(self._limit), now))
            tokens = min(float(self._limit), tokens + (now - at) * self._limit / 60)
            allowed = tokens >= max(cost, 1)
            if allowed:
                tokens -= cost
            self._buckets[name] = (tokens, now)
            if len(self._buckets) > MOST_NAMES:
                self._buckets.popitem(last=False)
        missing = max(0.0, 1 - tokens)
        return Left(allowed, self._limit, math.floor(tokens), math.ceil(missing * 60 / self._limit))
