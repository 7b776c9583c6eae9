"""All that one look at an installation shows: what is wrong, the pools, the jobs at work, and those that ended last."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.states import JobState
from dataset_jobs.store.client_connection import ClientDatabase
from dataset_jobs.store.views import JobView, Status
from services.failures import read_failures
from services.figures import PoolHistory, lately
from services.filters import JobFilter
from services.job_pages import JobOrder
from services.jobs import Jobs
from services.pool_lines import Rates
from services.problems import LATELY, Problem, problems
from services.status import read_status
from services.waiting import Waiting
from services.waiting_jobs import why_waiting

PAST, STEP = timedelta(hours=3), "5m"
"""Of the queue of each pool."""

MOST_QUEUES = 50
"""The past of so many pools is read."""

Queues = Mapping[str, Sequence[int | None]]
"""How many jobs were queued, by the name of the pool; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Recent:
    """What is going on, and what was last.

    Args:
        running: the newest jobs at work.
        ended: the last one first.
        now: when that was so, by the database's clock.
    """

    running: Sequence[JobView]
    ended: Sequence[JobView]
    now: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """The first jobs of a filter in its natural order, and why each of those waits that do."""

    jobs: Sequence[JobView]
    waiting: Mapping[UUID, Waiting]


@dataclass(frozen=True, slots=True)
class Glance:
    """The installation at a moment.

    Args:
        as_of: when, by the database's clock.
        problems: the worst first.
        past: what came of each pool within the last hour, by its name.
        found: the jobs that were asked for besides; None if none were.
    """

    as_of: datetime
    status: Status
    problems: Sequence[Problem]
    past: Mapping[str, Rates]
    recent: Recent
    found: Found | None


def read_recent(database: ClientDatabase, limit: int, now: datetime | None = None) -> Recent:
    """The jobs at work and those that ended last, at most so many of each, by their indexes.

    Args:
        now: by the database's clock, if it is read already.
    """
    jobs = Jobs(database)
    running = jobs.page(JobFilter((JobState.RUNNING,)), limit, None).items
    ended = jobs.page(JobFilter(), limit, order=JobOrder.FINISHED).items
    return Recent(running, ended, now or database.now())


def past_queues(
    history: Callable[[str, datetime, datetime, str], PoolHistory], pools: Iterable[str], now: datetime
) -> Queues:
    """How long the queue of each pool was, the newest last; without pools that cannot be read.

    Args:
        history: reads the past of a pool.
        now: by the database's clock.
    """
    found = {}
    for name in islice(pools, MOST_QUEUES):
        try:
            found[name] = history(name, now - PAST, now, STEP).depth
        except (RunError, OverflowError):  # it is only an ornament
            continue
    return found


def glance(database: ClientDatabase, limit: int, which: JobFilter | None = None) -> Glance:
    """Looks once.

    Args:
        limit: of the jobs of each kind, at most so many.
        which: also the jobs of this filter.

    Raises:
        InvalidRequest: the filter names a country or a pool that is not there.
    """
    now = database.now()
    status = read_status(database)
    found = problems(status, now, read_failures(database, since=LATELY).groups)
    asked = None
    if which is not None:
        jobs = Jobs(database).page(which, limit).items
        asked = Found(jobs, why_waiting(database, jobs, now=now))
    return Glance(now, status, found, lately(database), read_recent(database, limit, now), asked)
