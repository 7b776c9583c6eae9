"""Figures of the whole installation for many who look: one sampler a process reads them, and says how old they are."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import JobState
from dataset_jobs.store.client_connection import ClientDatabase
from dataset_jobs.store.views import PoolState, Status
from services.failures import Failures, read_failures
from services.pools import PoolDetails, Pools
from services.problems import LATELY, Problem, problems
from services.schema import usable_schema
from services.status import read_status
from services.waiting_jobs import pool_states

EVERY_SECONDS = 2.0
"""Between two reads of the status, at least."""

LATE_SECONDS = 10.0
"""Figures that should have been read so long ago are shown to nobody."""

COUNTS_SECONDS = 10.0
"""Between two counts of all jobs, if there are many."""

MANY = 100_000
"""So many jobs are not counted with every read of the status."""

MOST_STEPS = 2_000
"""Of a history."""

STEPS = {"1m": timedelta(minutes=1), "5m": timedelta(minutes=5), "1h": timedelta(hours=1)}


@dataclass(frozen=True, slots=True)
class Figures:
    """The installation at a moment.

    Args:
        as_of: of the status and the problems, by the database's clock.
        problems: the worst first.
        states: how many jobs there are in each.
        failures: in groups, the largest first.
        counted_at: of `states` and `failures`.
        past: what came of each pool within the last hour, by its name.
        schema: the version of the database's schema.
    """

    as_of: datetime
    status: Status
    problems: Sequence[Problem]
    states: dict[str, int]
    failures: Failures
    counted_at: datetime
    past: Mapping[str, "Lately"]
    schema: int


class Sampler:
    """Reads the figures at most so often, however many ask. Many threads may ask at one time.

    Args:
        database: asked.
        every_seconds: between two reads of the status.
        counts_seconds: between two counts, if there are more than `many` jobs.
        many: see `MANY`.
    """

    def __init__(
        self,
        database: ClientDatabase,
        every_seconds: float = EVERY_SECONDS,
        counts_seconds: float = COUNTS_SECONDS,
        many: int = MANY,
    ) -> None:
        self._database = database
        self._every_seconds = every_seconds
        self._counts_seconds = counts_seconds
        self._many = many
        self._last: Figures | None = None
        self._due = self._count_due = 0.0
        self._reading = threading.Lock()

    def figures(self) -> Figures:
        """The last figures, read anew if they are too old.

        While one thread reads, the others get the last ones, unless nobody has asked for long: then they wait for it.

        Raises:
            RunError: there are none yet, and the database cannot be asked; later on, whoever reads gets it.
        """
        last, late = self._last, time.monotonic() - self._due
        if last is not None and late < 0:
            return last
        wait = last is None or late > LATE_SECONDS
        if not self._reading.acquire(blocking=wait):
            assert last is not None
            return last
        try:
            if self._last is None or time.monotonic() >= self._due:
                self._last = self._read(self._last)
                self._due = time.monotonic() + self._every_seconds
            return self._last
        finally:
            self._reading.release()

    def _read(self, last: Figures | None) -> Figures:
        now = self._database.now()
        status = read_status(self._database)
        found = problems(status, now, read_failures(self._database, since=LATELY).groups)
        past, schema = lately(self._database), usable_schema(self._database)
        if last is not None and time.monotonic() < self._count_due:
            return Figures(now, status, found, last.states, last.failures, last.counted_at, past, schema)
        states = count_states(self._database)
        counted = Figures(now, status, found, states, read_failures(self._database), now, past, schema)
        many = sum(states.values()) > self._many
        self._count_due = time.monotonic() + (self._counts_seconds if many else 0.0)
        return counted


def count_states(database: ClientDatabase) -> dict[str, int]:
    """How many jobs there are in each state, also in those that only a newer version knows."""
    counted = {row["state"]: row["jobs"] for row in database.all("figures.states")}
    return {**{state.value: 0 for state in JobState}, **counted}


@dataclass(frozen=True, slots=True)
class PoolHistory:
    """A pool's past, as columns of the same length; None for a step of which nothing is known.

    Args:
        t: when each step begins.
        depth, oldest_wait, desired, maximum: the greatest within the step; the wait in seconds.
        running, pending: on average.
        finished, failed: jobs that ended within the step.
        busy: seconds that runs were at work within the step.
    """

    t: list[datetime]
    depth: list[int | None]
    oldest_wait: list[float | None]
    running: list[float | None]
    pending: list[float | None]
    desired: list[int | None]
    maximum: list[int | None]
    finished: list[int | None]
    failed: list[int | None]
    busy: list[float | None]


def pool_history(database: ClientDatabase, pool: str, since: datetime, until: datetime, step: str) -> PoolHistory:
    """A pool's past between two times; of a pool that is not there it is empty.

    Args:
        step: one of `STEPS`.

    Raises:
        InvalidRequest: there is no such step, or there are too many of them.
    """
    length = STEPS.get(step)
    if length is None:
        raise InvalidRequest(f"step {step!r}: there are {', '.join(STEPS)}")
    if since >= until:
        raise InvalidRequest("a history begins before it ends")
    if (until - since) / length > MOST_STEPS:
        raise InvalidRequest(f"more than {MOST_STEPS:,} steps of {step}: ask for a shorter time, or longer steps")
    parameters = {"pool": pool, "from": since, "to": until, "step": length}
    rows = database.all("figures.history", **parameters)
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in PoolHistory.__slots__ if name != "t"}
    return PoolHistory(t=[row["at"] for row in rows], **columns)


@dataclass(frozen=True, slots=True)
class Lately:
    """What came of a pool within the last hour.

    Args:
        finished, failed: jobs that ended, and those of them that failed.
        busy: the share of its slots in which a run was at work; None if nothing is known.
    """

    pool: str
    finished: int
    failed: int
    busy: float | None

    @property
    def success_ratio(self) -> float | None:
        """The share that did not fail; None if none has ended."""
        return None if not self.finished else round(1 - self.failed / self.finished, 4)


def lately(database: ClientDatabase) -> Mapping[str, Lately]:
    """What came of each pool within the last hour, by its name."""
    return {row["pool"]: Lately(**row) for row in database.all("figures.lately")}


def pool_now(database: ClientDatabase, figures: Figures, name: str) -> PoolDetails:
    """A pool as it stands now, so that whoever has changed it sees that; queue and controllers are of the figures.

    Raises:
        NotFound: there is no such pool.
    """
    states, pools = pool_states(database, [name]), Pools(database)
    queues = {pool.name: pool for pool in figures.status.pools}
    if not states or name not in queues:
        return pools.details(name)
    now = {field.name: getattr(states[0], field.name) for field in fields(PoolState)}
    return PoolDetails(replace(queues[name], **now), figures.status.serving(name), pools.recent_runs(name))
