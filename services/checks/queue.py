"""Checks of controllers and queue: the obstacles that the status of the installation knows."""

from collections.abc import Iterable
from datetime import datetime

from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.store.views import Status
from services.checks.findings import Finding, Fix, Verdict, ok
from services.status import Kind, Obstacle, obstacles

_OF_CONTROLLERS = (Kind.NO_CONTROLLER, Kind.CONTROLLER_IN_TROUBLE, Kind.CONTROLLER_WARNS)


def check_controllers(status: Status, now: datetime) -> list[Finding]:
    """Whether a controller is at work.

    Args:
        status: of the installation.
        now: the time of the database's clock.
    """
    found = _of(obstacle for obstacle in obstacles(status) if obstacle.kind in _OF_CONTROLLERS)
    alive = [one for one in status.controllers if one.is_alive and one.trouble is None]
    for one in alive:
        seconds = 0.0 if one.seen_at is None else max(0.0, (now - one.seen_at).total_seconds())
        found.append(
            ok(f"controller {one.owner} ({one.launcher}, pool {', '.join(one.pools)}) reported {seconds:.0f} s ago")
        )
    return found


def check_queue(status: Status) -> list[Finding]:
    """Whether anything keeps jobs from running, apart from controllers."""
    found = _of(obstacle for obstacle in obstacles(status) if obstacle.kind not in _OF_CONTROLLERS)
    queued, running = (sum(getattr(pool, state) for pool in status.pools) for state in ("queued", "running"))
    return found or [ok(f"nothing is blocked; {queued:,} queued, {running:,} running")]


def _of(found: Iterable[Obstacle]) -> list[Finding]:
    return [Finding(Verdict.WARNING, fixes=tuple(map(Fix, _hints(one))), obstacle=one) for one in found]


def _hints(obstacle: Obstacle) -> tuple[Hint, ...]:
    """The actions against it; else where there is more about it."""
    look = Action.LIST_SCHEDULES if obstacle.kind is Kind.SCHEDULE_FAILS else Action.SHOW_STATUS
    return obstacle.hints or (Hint(look),)
