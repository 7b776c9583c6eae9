"""`affirm-worker status`."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from cli import output
from cli.hints import with_commands
from cli.lazy import single
from cli.obstacles import cannot_work, in_the_way
from cli.options import AsJson, ShownColumns, Wide
from cli.session import session
from cli.table import Column, chosen
from cli.words import cell, duration
from dataset_jobs.store.views import ControllerStatus, Status
from services.status import Kind, obstacles

EPILOG = """
\b
Examples:
  affirm-worker status
  affirm-worker status --json
"""
POOLS = [
    Column("pool"),
    Column("state"),
    Column("queued", right=True),
    Column("running", right=True),
    Column("scheduled", right=True, spare=1),
    Column("failed", right=True, spare=1),
    Column("oldest wait", spare=2),
    Column("in use / max", right=True, spare=2),
    Column("desired", right=True, spare=3),
    Column("min", right=True, spare=5),
    Column("claimed", right=True, spare=6),
    Column("launched", right=True, spare=6),
    Column("working", right=True, spare=6),
    Column("ending", right=True, spare=6),
]
commands = single()


@commands.command(epilog=EPILOG)
def status(wide: Wide = False, columns: ShownColumns = None, as_json: AsJson = False) -> None:
    """Shows pools, queues, slots, controllers, and what goes wrong."""
    with session() as it:
        shown, now = it.client.status(), it.client.now()
    if as_json:
        output.print_json(shown)
        return
    _print_pools(shown, columns, wide=wide)
    output.say("", *remarks(shown, now))


def _print_pools(status: Status, columns: str | None, *, wide: bool) -> None:
    output.print_table(
        POOLS,
        [
            [
                pool.name, "paused" if pool.paused else "blocked" if pool.blocked_since else "open",
                pool.queued, pool.running, pool.scheduled, pool.failed,
                _in_words(pool.oldest_wait_seconds) if pool.queued else None, f"{pool.in_use:,} / {pool.max_running:,}",
                pool.desired, pool.min_running, pool.runs_claimed, pool.runs_launched, pool.runs_working,
                pool.runs_ending,
            ]
            for pool in status.pools
        ],
        "there are no pools",
        chosen(columns, wide),
        alone=True,
    )  # fmt: skip


def _in_words(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return duration(timedelta(seconds=seconds)) if math.isfinite(seconds) else "?"


def controller_line(one: ControllerStatus, now: datetime) -> str:
    """A controller: its last sign of life, its slots, and its trouble.

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
    """The lines below the table: controllers, decisions, obstacles.

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
            yield with_commands(in_the_way(obstacle), obstacle.hints)
    if not status.blocked:
        yield "nothing is blocked"
