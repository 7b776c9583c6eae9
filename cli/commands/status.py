"""`affirm-worker status`."""

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from cli import output
from cli.hints import with_commands
from cli.lazy import single
from cli.listing import Utc
from cli.obstacles import cannot_work, in_the_way
from cli.options import AsJson, ShownColumns, Wide
from cli.prose import fitted
from cli.session import session
from cli.table import Choice, Column, PlainRows, chosen, terminal_width
from cli.watching import Watch
from cli.watching import watch as watch_
from cli.words import cell, duration
from dataset_jobs.model.text import one_line
from dataset_jobs.store.views import ControllerStatus, PoolStatus, Status
from services.client import Client
from services.status import Kind, obstacles

EPILOG = """
\b
Examples:
  affirm-worker status
  affirm-worker status --watch
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
NO_POOLS = "there are no pools"
commands = single()


@commands.command(epilog=EPILOG)
def status(
    wide: Wide = False, columns: ShownColumns = None, watch: Watch = False, utc: Utc = False, as_json: AsJson = False
) -> None:
    """Shows pools, queues, slots, controllers, and what goes wrong.

    With --watch and without a terminal a line is printed for each pool that has changed, and for whatever goes wrong
    now; with --json the whole status after each change. Ctrl-C ends it with exit code 130.
    """
    choice = chosen(columns, wide)
    with session() as it:
        if watch:
            watched(it.client, choice, as_json=as_json)
        shown, now = it.client.status(), it.client.now()
    if as_json:
        output.print_json(shown)
    elif sys.stdout.isatty():
        output.print_lines(terminal_lines(shown, now, choice))
    else:
        output.print_table(POOLS, [*map(_row, shown.pools)], NO_POOLS, choice)
        output.say("", *remarks(shown, now))


def terminal_lines(status: Status, now: datetime, choice: Choice) -> list[str]:
    """The status as the lines of a terminal.

    Args:
        status: as the store has it.
        now: the time it is said at.
        choice: the columns that the user wants.
    """
    width = terminal_width()
    return [
        *output.table(POOLS, [*map(_row, status.pools)], NO_POOLS, choice, alone=True),
        "",
        *(line for remark in remarks(status, now) for line in fitted(one_line(remark), width)),
    ]


def _row(pool: PoolStatus) -> list[Any]:
    return [
        pool.name, "paused" if pool.paused else "blocked" if pool.blocked_since else "open",
        pool.queued, pool.running, pool.scheduled, pool.failed,
        _in_words(pool.oldest_wait_seconds) if pool.queued else None, f"{pool.in_use:,} / {pool.max_running:,}",
        pool.desired, pool.min_running, pool.runs_claimed, pool.runs_launched, pool.runs_working,
        pool.runs_ending,
    ]  # fmt: skip


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


def watched(client: Client, choice: Choice, *, as_json: bool) -> NoReturn:
    """The status again and again."""
    rows = PlainRows(POOLS, choice)

    def changes(before: tuple[Status, datetime] | None, now: tuple[Status, datetime]) -> None:
        old = None if before is None else before[0]
        if as_json:
            if old is None or _without_clocks(old) != _without_clocks(now[0]):
                output.print_json(now[0], indent=None)
            return
        if old is None:
            output.say(*rows.heading())
        known = {} if old is None else {pool.name: _lasting(pool) for pool in old.pools}
        output_lines = [rows.line(_row(pool)) for pool in now[0].pools if known.get(pool.name) != _lasting(pool)]
        wrong = set() if old is None else set(_wrong(old))
        for line in (*output_lines, *(one for one in _wrong(now[0]) if one not in wrong)):
            output.say(line)

    watch_(
        lambda: (client.status(), client.now()),
        lambda seen: terminal_lines(*seen, choice),
        changes,
        as_json=as_json,
    )


def _wrong(status: Status) -> Iterator[str]:
    for obstacle in obstacles(status):
        yield with_commands(in_the_way(obstacle), obstacle.hints)


def _lasting(pool: PoolStatus) -> PoolStatus:
    return replace(pool, oldest_wait_seconds=None)


def _without_clocks(status: Status) -> Status:
    """What stays the same while nothing happens."""
    return replace(
        status,
        pools=[_lasting(pool) for pool in status.pools],
        controllers=[
            replace(one, seen_at=None, silent_seconds=0.0 if one.is_alive else None, heard_of_until=None)
            for one in status.controllers
        ],
    )
