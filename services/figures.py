"""Figures of the whole installation for many who look: one sampler a process reads them, and says how old they are."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import DatasetStatus, JobState
from dataset_jobs.store.client_connection import ClientDatabase
from dataset_jobs.store.views import PoolState, Status
from services.failures import Failures, read_failures
from services.pools import PoolDetails, Pools
from services.problems import LATELY, Problem, problems
from services.refreshed import PATIENCE_SECONDS, Refreshed
from services.schema import usable_schema
from services.status import read_status
from services.waiting_jobs import pool_states

EVERY_SECONDS = 2.0
"""Between two reads of the status, at least."""

LATE_SECONDS = 10.0
"""Figures that should have been read so long ago are shown to nobody."""

COUNTS_SECONDS = 10.0
"""Between two counts of all jobs, if there are many."""

COUNTS_LATE_SECONDS = 60.0
"""Counts so old are shown to nobody."""

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
    """Reads the figures at most so often, however many ask, in a thread of its own. Many threads may ask at one time.

    Args:
        database: asked.
        every_seconds: between two reads of the status.
        counts_seconds: between two counts, if there are more than `many` jobs.
        many: see `MANY`.
        late_seconds: see `LATE_SECONDS`.
        patience_seconds: how long somebody waits for figures that are being read, before they get the last ones.
    """

    def __init__(
        self,
        database: ClientDatabase,
        every_seconds: float = EVERY_SECONDS,
        counts_seconds: float = COUNTS_SECONDS,
        many: int = MANY,
        late_seconds: float = LATE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._counts_seconds = counts_seconds
        self._many = many
        self._counted = 0.0
        self._figures = Refreshed(self._read, every_seconds, late_seconds, patience_seconds)

    def figures(self) -> Figures:
        """The last figures. If they are old, they are being read anew, and the next one gets those.

        Raises:
            RunError: there are none, or none but very old ones, and the database cannot be asked.
        """
        return self._figures.get()

    def _read(self, last: Figures | None, publish: Callable[[Figures], None]) -> Figures:
        now = self._database.now()
        status = read_status(self._database)
        found = problems(status, now, read_failures(self._database, since=LATELY).groups)
        past, schema = lately(self._database), usable_schema(self._database)
        if last is None or sum(last.states.values()) <= self._many or self._since_count() > COUNTS_LATE_SECONDS:
            return self._count(Figures(now, status, found, {}, Failures([], True), now, past, schema), now)
        figures = Figures(now, status, found, last.states, last.failures, last.counted_at, past, schema)
        if self._since_count() < self._counts_seconds:
            return figures
        publish(figures)  # a count of many jobs takes long
        return self._count(figures, self._database.now())

    def _since_count(self) -> float:
        return time.monotonic() - self._counted

    def _count(self, figures: Figures, now: datetime) -> Figures:
        states, failures = count_states(self._database), read_failures(self._database)
        self._counted = time.monotonic()
        return replace(figures, states=states, failures=failures, counted_at=now)


def count_states(database: ClientDatabase) -> dict[str, int]:
    """How many jobs there are in each state."""
    counted = {row["state"]: row["jobs"] for row in database.all("figures.states")}
    return {**{state.value: 0 for state in JobState}, **counted}


def count_datasets(database: ClientDatabase) -> dict[str, int]:
    """How many datasets there are of each status."""
    counted = {row["status"]: row["datasets"] for row in database.all("figures.datasets")}
    return {**{status.value: 0 for status in DatasetStatus}, **counted}


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
