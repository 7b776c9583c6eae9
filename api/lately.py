"""Callers whose sessions were good a moment ago: while the database is lost, nobody can be asked who they are.

They count then for what declares that it helps without a database, and for nothing else.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from api.access import Caller

LASTS_SECONDS = 900.0
"""After so long somebody is not known any more."""

MOST = 1_000
"""Sessions that are kept; the ones that were not seen for longest go first."""


class Lately:
    """What one process keeps. Any thread may ask.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    def note(self, token: str, caller: Caller | None) -> None:
        """What the database says of a session; None if it is over."""
        name = _hash(token)
        with self._lock:
            self._known.pop(name, None)
            if caller is not None:
                self._known[name] = self._clock(), caller
            while len(self._known) > MOST:
                self._known.popitem(last=False)

    def forget(self, key_id: str) -> None:
        """All sessions of a key that is revoked."""
        with self._lock:
            for name in [name for name, (_, caller) in self._known.items() if caller.key_id == key_id]:
                del self._known[name]

    def caller(self, token: str) -> Caller | None:
        """Who had this session a moment ago."""
        with self._lock:
            seen, caller = self._known.get(_hash(token), (0.0, None))
            return caller if caller is not None and self._clock() - seen < LASTS_SECONDS else None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
