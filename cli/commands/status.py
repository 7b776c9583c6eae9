"""`affirm-worker status`."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from cli import output
from cli.hints import with_commands
from cli.lazy import single
from cli.options import AsJson
from cli.output import cell
from cli.session import session
from cli.story import cannot_work, duration, pool_is_blocked
from dataset_jobs.store.views import Blocked, ControllerStatus, PoolStatus, ScheduleView, Status
from services.status import Kind, Obstacle, obstacles

EPILOG = """
\b
Examples:
  affirm-worker status
  affirm-worker status --json
"""
commands = single()


@commands.command(epilog=EPILOG)
def status(as_json: AsJson = False) -> None:
    """Shows pools, queues, slots, controllers, and what goes wrong."""
    with session() as it:
        shown, now = it.client.status(), it.client.now()
    if as_json:
        output.print_json(shown)
        return
    _print_pools(shown)
    output.say("", *remarks(shown, now))


def _print_pools(status: Status) -> None:
    output.print_table(
        ["pool", ">queued", ">scheduled", ">running", ">failed", "oldest wait", ">desired", ">min", ">max", ">in use",
         ">claimed", ">launched", ">working", ">ending", "state"],
        [
            [
                pool.name, pool.queued, pool.scheduled, pool.running, pool.failed,
                _in_words(pool.oldest_wait_seconds),
                pool.desired, pool.min_running, pool.max_running, pool.in_use, pool.runs_claimed, pool.runs_launched,
                pool.runs_working, pool.runs_ending,
                "paused" if pool.paused else "blocked" if pool.blocked_since else "open",
            ]
            for pool in status.pools
        ],
        "there are no pools",
    )  # fmt: skip


def _in_words(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return duration(timedelta(seconds=seconds)) if math.isfinite(seconds) else "?"


def controller_line(one: ControllerStatus, now: datetime) -> str:
    """Whether a controller is there, what it holds, and what keeps it from its work.

    Args:
        one: as the store has it.
        now: the time it is said at.
    """
    parts = []
    if one.seen_at is None:
        parts.append("has ended")
    elif not one.is_alive:
        parts.append(f"is gone: not heard of for {duration(now - one.seen_at)}")
    else:
        parts.append(f"last heard of {duration(now - one.seen_at)} ago")
    parts.append(f"last claim {duration(now - one.last_claim)} ago" if one.last_claim else "has claimed nothing yet")
    parts.append(f"holds {one.unreleased} slot{'' if one.unreleased == 1 else 's'}")
    if one.heard_of_until is not None and not one.is_alive and one.launcher == "process":
        left = one.heard_of_until - now
        parts.append(
            f"which are free in {duration(left)}" if left > timedelta(0) else "which the next controller frees"
        )
    if one.trouble is not None:
        parts.append(cannot_work(one))
    return f"controller {one.owner} ({one.launcher}, pool {', '.join(one.pools)}): {', '.join(parts)}"


def remarks(status: Status, now: datetime) -> Iterator[str]:
    """What there is to say beside the table: who works, and what is in the way.

    Args:
        status: as the store has it.
        now: the time it is said at.
    """
    yield from (controller_line(one, now) for one in status.controllers)
    yield f"{status.listening} listening for notifications now"
    for pool in status.pools:
        if pool.desired is not None:
            yield f"pool {pool.name}: {pool.desired} desired since {cell(pool.decided_at)}: {pool.reason}"
    for obstacle in obstacles(status):
        if obstacle.kind is not Kind.CONTROLLER_IN_TROUBLE:  # its own line says so
            yield with_commands(_in_the_way(obstacle), obstacle.hints)
    if not status.blocked:
        yield "nothing is blocked"


def _in_the_way(obstacle: Obstacle) -> str:
    match obstacle.about:
        case PoolStatus() as pool:
            return _pool(obstacle.kind, pool)
        case Blocked() as what:
            jobs = "1 job" if what.jobs == 1 else f"{what.jobs} jobs"
            return (
                f"blocked: {jobs} of pool {what.pool} cannot start since {cell(what.since)} ({what.cause}): "
                f"{cell(what.error)}; next try {cell(what.next_try)}"
            )
        case ScheduleView() as schedule:
            again = "it is paused" if schedule.again_at is None else f"next try {cell(schedule.again_at)}"
            times = "once" if schedule.failures == 1 else f"{schedule.failures} times"
            return f"schedule {schedule.name} fails, {times} by now: {cell(schedule.error)}; {again}"
        case _:
            return "no controller is running"


def _pool(kind: Kind, pool: PoolStatus) -> str:
    match kind:
        case Kind.POOL_BLOCKED:
            again = f"one run is tried at {cell(pool.probe_at)}, and it goes on by itself when one starts"
            return f"{pool_is_blocked(pool)}; {again}"
        case Kind.PODS_WAIT_FOR_ROOM:
            pods = "1 pod waits" if pool.runs_waiting == 1 else f"{pool.runs_waiting} pods wait"
            return f"pool {pool.name}: {pods} for room in the cluster: {cell(pool.waits_for_error)}"
        case Kind.LAUNCHES_UNANSWERED:
            launches = "1 launch has" if pool.runs_unanswered == 1 else f"{pool.runs_unanswered} launches have"
            return (
                f"pool {pool.name}: {launches} no answer since {cell(pool.unanswered_since)}, and the same "
                f"is asked again until there is one: {cell(pool.unanswered_error)}"
            )
        case Kind.POOL_UNSERVED:
            return f"no controller that is running claims from pool {pool.name}: {pool.queued} queued wait"
        case Kind.POOL_PAUSED:
            return f"pool {pool.name} is paused: {pool.queued} queued wait"
        case _:
            return f"pool {pool.name} has no free slot: {pool.queued} queued wait"
