"""The status of the installation, and the obstacles that keep jobs from running, as data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.client_connection import ClientDatabase
from dataset_jobs.store.views import Blocked, ControllerStatus, PoolState, PoolStatus, RunView, ScheduleView, Status
from services.pools import change_of


class Kind(StrEnum):
    """Kinds of obstacles."""

    NO_CONTROLLER = "no_controller"
    """None is running; of a job: none that claims from its pool."""
    CONTROLLER_IN_TROUBLE = "controller_in_trouble"
    CONTROLLER_WARNS = "controller_warns"
    """It has seen something in its cluster that keeps it from nothing, and others perhaps from their work."""
    POOL_UNSERVED = "pool_unserved"
    """Controllers are running, but none claims from the pool."""
    POOL_REFUSED = "pool_refused"
    """The newest generation of its ParserPool is refused, and the last good one is in force, or none."""
    POOL_PAUSED = "pool_paused"
    POOL_CLOSED = "pool_closed"
    """Its maximum is 0 runs."""
    POOL_BLOCKED = "pool_blocked"
    POOL_FULL = "pool_full"
    PODS_WAIT_FOR_ROOM = "pods_wait_for_room"
    LAUNCHES_UNANSWERED = "launches_unanswered"
    JOBS_BLOCKED = "jobs_blocked"
    SCHEDULE_FAILS = "schedule_fails"
    RUN_IS_SILENT = "run_is_silent"
    """Its lease must expire, unless it sends a heartbeat."""


@dataclass(frozen=True, slots=True)
class Warned:
    """What a controller warns of; `owner` is one of those that do."""

    owner: str
    text: str


About = PoolState | ControllerStatus | Warned | Blocked | ScheduleView | RunView | None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that keeps jobs from running.

    Args:
        about: its pool, controller, schedule, run or blocked jobs.
        hints: actions against it.
    """

    kind: Kind
    about: About = None
    hints: tuple[Hint, ...] = ()


NO_CONTROLLER = Obstacle(Kind.NO_CONTROLLER, hints=(Hint(Action.RUN_CONTROLLER),))


def read_status(database: ClientDatabase) -> Status:
    """The status of all pools, controllers, jobs and schedules."""
    return Status(
        pools=[PoolStatus(**row) for row in database.all("status.pools", pool=None)],
        controllers=[ControllerStatus(**row) for row in database.all("status.controllers")],
        listening=database.only("status.listening")["listening"],
        blocked=[Blocked(**row) for row in database.all("status.blocked_jobs")],
        failing=[ScheduleView(**row) for row in database.all("schedules.list", schedule=None) if row["failures"]],
    )


def unserved(controllers: Iterable[ControllerStatus], pool: str | None) -> Obstacle | None:
    """What keeps new jobs from being claimed: no controller is there, or none that claims from their pool, if given."""
    alive = [one for one in controllers if one.is_alive]
    if not alive:
        return NO_CONTROLLER
    if pool is None or any(pool in one.pools for one in alive):
        return None
    return Obstacle(Kind.POOL_UNSERVED, hints=(Hint(Action.RUN_CONTROLLER, name=pool),))


def obstacles(status: Status) -> Iterator[Obstacle]:
    """The obstacles of the whole installation."""
    if not status.any_alive:
        yield NO_CONTROLLER
    yield from (Obstacle(Kind.CONTROLLER_IN_TROUBLE, one) for one in status.controllers if one.trouble is not None)
    said = {text: one.owner for one in status.controllers if one.is_alive for text in one.warnings}
    yield from (Obstacle(Kind.CONTROLLER_WARNS, Warned(owner, text)) for text, owner in said.items())
    for pool in status.pools:
        for kind in _of_pool(pool, status.any_alive and not status.serving(pool.name)):
            yield of_pool(kind, pool)
    for blocked in status.blocked:
        yield Obstacle(Kind.JOBS_BLOCKED, blocked, (Hint(Action.EXPLAIN_JOB, blocked.job_id),))
    for schedule in status.failing:
        yield Obstacle(Kind.SCHEDULE_FAILS, schedule)


def of_pool(kind: Kind, pool: PoolState) -> Obstacle:
    """An obstacle of a pool, with the action against it if there is one."""
    match kind:
        case Kind.POOL_PAUSED:
            return Obstacle(kind, pool, (change_of(pool, {"paused": False}, Action.RESUME_POOL),))
        case Kind.POOL_BLOCKED if not pool.paused:
            return Obstacle(kind, pool, (Hint(Action.PROBE_POOL, name=pool.name),))
        case Kind.POOL_CLOSED:
            return Obstacle(kind, pool, (change_of(pool, {"maxParallelism": 10}, Action.SET_POOL_MAXIMUM),))
        case _:
            return Obstacle(kind, pool)


def _of_pool(pool: PoolStatus, unserved: bool) -> Iterator[Kind]:
    if pool.refusal is not None:
        yield Kind.POOL_REFUSED
    if pool.blocked_since is not None:
        yield Kind.POOL_BLOCKED
    if pool.runs_waiting:
        yield Kind.PODS_WAIT_FOR_ROOM
    if pool.runs_unanswered:
        yield Kind.LAUNCHES_UNANSWERED
    if pool.paused:  # said even if nothing waits: somebody may have forgotten it
        yield Kind.POOL_PAUSED
    if not pool.queued:
        return
    if unserved and pool.refusal is None:
        yield Kind.POOL_UNSERVED
    if pool.paused:
        return
    if pool.max_running == 0:
        yield Kind.POOL_CLOSED
    elif pool.in_use >= pool.max_running:
        yield Kind.POOL_FULL
