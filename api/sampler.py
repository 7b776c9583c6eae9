"""One look at the whole installation for all who want to know: it costs a big database as much as a hundred lists."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dataset_jobs.store.views import Status
from services.client import Client
from services.problems import Problem

EVERY_SECONDS = 2.0
"""How old a sample may be."""


@dataclass(frozen=True, slots=True)
class Sample:
    """How the installation was.

    Args:
        problems: the worst first.
        as_of: when, by the database's clock.
        taken_at: when, by the clock that never goes back, in seconds.
    """

    status: Status
    problems: Sequence[Problem]
    as_of: datetime
    taken_at: float


class Sampler:
    """Takes a sample when somebody asks and the last one is too old: never more often, however many ask, and none while
    nobody does. Any thread may ask.

    Args:
        client: the use cases.
        clock: seconds that never go back.
    """

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._last: Sample | None = None

    def latest(self, max_age_seconds: float = EVERY_SECONDS) -> Sample:
        """A sample that is at most so old. Whoever asks meanwhile waits for the same one.

        Raises:
            RunError: as the database has it.
        """
        with self._lock:
            last = self._last
            if last is None or self._clock() - last.taken_at >= max_age_seconds:
                last = self._last = self._taken()
            return last

    def _taken(self) -> Sample:
        status, now = self._client.status(), self._client.now()
        return Sample(status, self._client.problems(status, now), now, self._clock())
