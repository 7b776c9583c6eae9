"""What is wrong with an installation, the worst first: since when, whose fault, whether it passes, what to do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import ClassVar

from dataset_jobs.model.causes import Cause, CountsAs, Reason, cause_of
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.sentences import Sentence, sentence
from dataset_jobs.store.views import Blocked, ControllerStatus, PoolStatus, ScheduleView, Status
from services.failures import FailureGroup
from services.obstacle_words import in_the_way
from services.pools import change_of
from services.status import Kind, Obstacle, Warned, obstacles

LATELY = timedelta(minutes=15)
"""Failures of so long are looked at together."""

MANY = 3
"""More jobs than these that failed alike lately are a problem."""


class Severity(IntEnum):
    """How bad it is, the worst first."""

    STOPPED = 1
    """No job of the installation can run."""
    HELD = 2
    """Some jobs cannot run."""
    FAILING = 3
    """Something fails, while other jobs run."""
    SLOW = 4
    """All goes on, later than it could."""
    NOTE = 5
    """Nothing is wrong yet, and somebody may want to know."""


class Health(StrEnum):
    """How the installation is, as a word; surfaces give each a mark and a colour besides."""

    WELL = "all is well"
    SLOW = "slow"
    TROUBLE = "trouble"
    STOPPED = "stopped"
    UNKNOWN = "not known"


_HEALTH = {
    Severity.STOPPED: Health.STOPPED,
    Severity.HELD: Health.TROUBLE,
    Severity.FAILING: Health.TROUBLE,
    Severity.SLOW: Health.SLOW,
    Severity.NOTE: Health.WELL,
}


class Fault(StrEnum):
    """Whose fault it is."""

    NOBODY_RUNS_IT = "nobody_runs_it"
    SOMEBODY_STOPPED_IT = "somebody_stopped_it"
    SETUP = "setup"
    CLUSTER = "cluster"
    DATABASE = "database"
    STORAGE = "storage"
    SOURCE = "source"
    FILES = "files"
    PROGRAM = "program"
    LOAD = "load"

    @property
    def words(self) -> str:
        """The same for people."""
        return _FAULTS[self]


_FAULTS = {
    Fault.NOBODY_RUNS_IT: "nobody runs a controller",
    Fault.SOMEBODY_STOPPED_IT: "somebody has stopped it",
    Fault.SETUP: "the setup of the installation",
    Fault.CLUSTER: "the cluster",
    Fault.DATABASE: "the database",
    Fault.STORAGE: "the storage",
    Fault.SOURCE: "where the files come from",
    Fault.FILES: "the files",
    Fault.PROGRAM: "the program or its machine",
    Fault.LOAD: "more jobs than slots",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong.

    Args:
        kind: of the obstacle, or `failures`.
        pool: that it is about; None if it is about none, or about several.
        text: what is wrong.
        since: None if nobody knows.
        jobs: how many it keeps from running, or how many failed; None if that is not known.
        by_itself: it passes without anybody doing anything.
        hints: actions against it.
        obstacle: what it is made of; None for failures.
    """

    kind: str
    severity: Severity
    pool: str | None
    text: Sentence
    since: datetime | None
    jobs: int | None
    fault: Fault
    by_itself: bool
    hints: tuple[Hint, ...] = ()
    obstacle: Obstacle | None = None
    not_in_json: ClassVar = ("hints", "obstacle")

    @property
    def outlook(self) -> str:
        """Whether it passes by itself, in words."""
        return "it passes by itself" if self.by_itself else "somebody has to do something"


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole installation at one time of the database's clock, and what is wrong with it."""

    status: Status
    now: datetime
    problems: Sequence[Problem]


def health_of(found: Iterable[Problem]) -> Health:
    """How an installation is that has these problems."""
    return _HEALTH[min((one.severity for one in found), default=Severity.NOTE)]


def problems(status: Status, now: datetime, lately: Iterable[FailureGroup] = ()) -> Sequence[Problem]:
    """The problems of an installation, the worst first.

    Args:
        status: of the whole installation.
        now: by the database's clock.
        lately: the failures of the last `LATELY`.
    """
    found = [*(_problem(one, status, now) for one in obstacles(status)), *_failures(lately)]
    return sorted(found, key=lambda one: (one.severity, -(one.jobs or 0), one.since or now))


def _failures(lately: Iterable[FailureGroup]) -> Iterator[Problem]:
    for group in lately:
        jobs, hints = group.jobs, group.advice.hints
        if jobs.jobs > MANY:
            text = sentence("{}; when that is fixed, retry them", group.text) if hints else group.text
            pool = jobs.pools[0] if len(jobs.pools) == 1 else None
            fault = _fault_of(jobs.cause, jobs.reason)
            yield Problem("failures", Severity.FAILING, pool, text, jobs.first_at, jobs.jobs, fault, False, hints)


def _problem(obstacle: Obstacle, status: Status, now: datetime) -> Problem:
    text, hints, kind = in_the_way(obstacle), obstacle.hints, obstacle.kind
    match obstacle.about:
        case PoolStatus() as pool:
            if kind is Kind.POOL_BLOCKED and not pool.paused:
                text = sentence("{}; to try one now, probe it; to stop that, pause it", text)
                hints = (*hints, change_of(pool, {"paused": True}, Action.PAUSE_POOL))
            return Problem(
                kind, _severity_of_pool(kind, pool), pool.name, text, _since(kind, pool, now), pool.queued,
                _fault_of_pool(kind, pool), kind not in _FOR_PEOPLE, hints, obstacle,
            )  # fmt: skip
        case ControllerStatus() as one:
            others = any(other.is_alive and other.trouble is None for other in status.controllers)
            severity = Severity.SLOW if others else Severity.STOPPED
            pool_name = one.pools[0] if len(one.pools) == 1 else None
            fault = Fault.CLUSTER if one.launcher == "kubernetes" else Fault.PROGRAM
            return Problem(
                kind,
                severity,
                pool_name,
                text,
                one.trouble_since,
                None,
                fault,
                not one.trouble_permanent,
                hints,
                obstacle,
            )
        case Warned():
            return Problem(kind, Severity.NOTE, None, text, None, None, Fault.CLUSTER, False, hints, obstacle)
        case Blocked() as what:
            fault = _fault_of(what.cause, None)
            return Problem(kind, Severity.HELD, what.pool, text, what.since, what.jobs, fault, True, hints, obstacle)
        case ScheduleView() as schedule:
            goes_on = schedule.again_at is not None
            return Problem(
                kind, Severity.FAILING, schedule.pool, text, None, None, Fault.SOURCE, goes_on, hints, obstacle
            )
        case _:
            waiting = sum(pool.queued for pool in status.pools)
            gone = [one.seen_at for one in status.controllers if one.seen_at is not None]
            severity = Severity.STOPPED if waiting else Severity.NOTE
            since = max(gone, default=None)
            return Problem(kind, severity, None, text, since, waiting, Fault.NOBODY_RUNS_IT, False, hints, obstacle)


_FOR_PEOPLE = (Kind.POOL_UNSERVED, Kind.POOL_REFUSED, Kind.POOL_PAUSED, Kind.POOL_CLOSED)
"""What does not pass by itself."""


def _severity_of_pool(kind: Kind, pool: PoolStatus) -> Severity:
    match kind:
        case Kind.PODS_WAIT_FOR_ROOM | Kind.LAUNCHES_UNANSWERED:
            return Severity.SLOW
        case Kind.POOL_FULL:
            return Severity.NOTE
        case _:
            return Severity.HELD if pool.queued or pool.scheduled else Severity.NOTE


def _since(kind: Kind, pool: PoolStatus, now: datetime) -> datetime | None:
    match kind:
        case Kind.POOL_PAUSED:
            return pool.paused_since
        case Kind.POOL_BLOCKED:
            return pool.blocked_since
        case Kind.LAUNCHES_UNANSWERED:
            return pool.unanswered_since
        case Kind.POOL_FULL | Kind.POOL_CLOSED | Kind.POOL_UNSERVED if pool.oldest_wait_seconds is not None:
            try:
                return now - timedelta(seconds=pool.oldest_wait_seconds)
            except (OverflowError, ValueError):  # a time that somebody has set by hand
                return None
        case _:
            return None


def _fault_of_pool(kind: Kind, pool: PoolStatus) -> Fault:
    match kind:
        case Kind.POOL_PAUSED | Kind.POOL_CLOSED:
            return Fault.SOMEBODY_STOPPED_IT
        case Kind.POOL_UNSERVED:
            return Fault.NOBODY_RUNS_IT
        case Kind.POOL_REFUSED:
            return Fault.SETUP
        case Kind.POOL_FULL:
            return Fault.LOAD
        case Kind.POOL_BLOCKED:
            return _fault_of(pool.blocked_cause, pool.blocked_reason)
        case _:
            return Fault.CLUSTER


def _fault_of(word: str | None, reason: str | None) -> Fault:
    """Whose fault a run's end is, as far as cause and reason say it."""
    match reason:
        case Reason.DATABASE:
            return Fault.DATABASE
        case Reason.STORAGE | Reason.FILE_NOT_FOUND | Reason.FILE_CHANGED:
            return Fault.STORAGE
        case Reason.QUOTA | Reason.UNSCHEDULABLE | Reason.REFUSED:
            return Fault.CLUSTER
        case Reason.IMAGE | Reason.CONFIG | Reason.TOO_LARGE:
            return Fault.SETUP
    cause = cause_of(word)
    if cause is Cause.REJECTED:
        return Fault.FILES
    if cause in (Cause.CRASHED, Cause.LEFT_WITHOUT_COMMIT, None):
        return Fault.PROGRAM
    return Fault.CLUSTER if cause.counts_as is CountsAs.INTERRUPTION else Fault.SETUP
