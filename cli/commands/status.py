"""`affirm-worker status`."""

import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from app.places import Places
from cli.lazy import single
from cli.options.common import AsJson, ShownColumns, Wide
from cli.screen import output
from cli.screen.listing import Utc
from cli.screen.prose import fitted
from cli.screen.table import Choice, Column, PlainRows, chosen, terminal_width
from cli.screen.watching import Watch
from cli.screen.watching import watch as watch_
from cli.screen.words import cell, in_words
from cli.session import Session, session
from cli.wording.hints import with_commands
from cli.wording.obstacles import in_the_way
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.sentences import counted, duration
from dataset_jobs.model.text import one_line
from dataset_jobs.store.views import ControllerStatus, PoolStatus, Status
from services.obstacle_words import cannot_work
from services.problems import Overview, Problem, problems
from services.status import NO_CONTROLLER, Kind
from services.to_json import to_json

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

    It begins with the database and the storage that it is about. Controllers that have ended are shown with --wide
    and --json, and if their runs still hold slots.

    With --watch and without a terminal a line is printed for each pool that has changed, and for whatever goes wrong
    now; with --json the whole status after each change. Ctrl-C ends it with exit code 130.
    """
    choice = chosen(columns, wide)
    with session() as it:
        if watch:
            watched(it, choice, as_json=as_json)
        seen = _look(it)
    shown, now, found = seen.status, seen.now, seen.problems
    if as_json:
        output.print_json(_document(it.places, shown, found))
    elif sys.stdout.isatty():
        output.print_lines(terminal_lines(it.places, seen, choice))
    else:
        output.say(*heading(it.places, shown), "")
        output.print_table(POOLS, _rows(shown), NO_POOLS, choice)
        output.say("", *remarks(shown, now, found, wide=wide))


def _look(it: Session) -> Overview:
    return it.client.overview()


def _document(places: Places, status: Status, found: Sequence[Problem]) -> dict[str, Any]:
    known = {**to_json(places), "controller_running": status.any_alive, **to_json(status)}
    return {**known, "problems": to_json(found)}


def heading(places: Places, status: Status) -> Iterator[str]:
    """The lines above the table: database, storage, controllers."""
    if places.context is not None:
        yield f"context      {places.context}"
    if places.api is not None:
        yield f"API          {places.api}"
    else:
        yield f"database     {places.database_in_words}"
        yield f"storage      {places.storage}"
    alive = sum(one.is_alive for one in status.controllers)
    if not alive:
        yield f"controllers  {with_commands(in_the_way(NO_CONTROLLER), NO_CONTROLLER.hints)}"
    elif status.listening >= alive:
        yield f"controllers  {alive} running"
    else:
        yield f"controllers  {alive} running; {status.listening} of them can be notified, the others look by themselves"


def terminal_lines(places: Places, seen: Overview, choice: Choice) -> list[str]:
    """The status as the lines of a terminal.

    Args:
        places: database and storage.
        seen: the status, and what is wrong.
        choice: the columns that the user wants.
    """
    status, width = seen.status, terminal_width()
    below = remarks(status, seen.now, seen.problems, wide=choice.wide)
    return [
        *(line for text in heading(places, status) for line in fitted(one_line(text), width)),
        "",
        *output.table(POOLS, _rows(status), NO_POOLS, choice, alone=True),
        "",
        *(line for text in below for line in fitted(one_line(text), width)),
    ]


def _rows(status: Status) -> list[list[Any]]:
    return [_row(pool, status) for pool in status.pools]


def _row(pool: PoolStatus, status: Status) -> list[Any]:
    # Nobody follows or renews a decision while no controller is there.
    desired = pool.desired if status.serving(pool.name) else None
    return [
        pool.name, "paused" if pool.paused else "blocked" if pool.blocked_since else "open",
        pool.queued, pool.running, pool.scheduled, pool.failed,
        _in_words(pool.oldest_wait_seconds) if pool.queued else None, f"{pool.in_use:,} / {pool.max_running:,}",
        desired, pool.min_running, pool.runs_claimed, pool.runs_launched, pool.runs_working,
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
        parts.append(in_words(cannot_work(one)))
    return f"controller {one.owner} ({one.launcher}, pool {', '.join(one.pools)}): {', '.join(parts)}"


def remarks(
    status: Status, now: datetime, found: Sequence[Problem] | None = None, *, wide: bool = False
) -> Iterator[str]:
    """The lines below the table: controllers, decisions, failures, and what is wrong, the worst first.

    Args:
        status: as the store has it.
        now: the time it is said at.
        found: what is wrong; by default what the status alone says.
        wide: also controllers that have ended.
    """
    over = [one for one in status.controllers if not one.is_alive and not one.unreleased]
    yield from (controller_line(one, now) for one in status.controllers if wide or one not in over)
    if not wide and (lost := sum(one.seen_at is not None for one in over)):
        yield f"{counted(lost, 'controller')} ended without a word in the last hour (--wide shows them)"
    for pool in status.pools:
        if pool.desired is not None and (wide or (status.serving(pool.name) and pool.has_work)):
            yield f"pool {pool.name}: {pool.desired} desired since {cell(pool.decided_at)}: {pool.reason}"
    if failed := sum(pool.failed for pool in status.pools):
        yield with_commands(f"{counted(failed, 'job')} failed", [Hint(Action.LIST_FAILED_JOBS)])
    found = problems(status, now) if found is None else found
    for problem in found:
        # The controller's own line says the first, the heading the second.
        if problem.kind not in (Kind.CONTROLLER_IN_TROUBLE, Kind.NO_CONTROLLER):
            yield with_commands(in_words(problem.text), problem.hints)
    waiting = any(pool.queued for pool in status.pools)
    if not found or ([one.kind for one in found] == [Kind.NO_CONTROLLER] and not waiting):
        yield "nothing is blocked"


def watched(it: Session, choice: Choice, *, as_json: bool) -> NoReturn:
    """The status again and again."""
    rows = PlainRows(POOLS, choice)

    def changes(before: Overview | None, seen: Overview) -> None:
        old, now = None if before is None else before.status, seen.status
        if as_json:
            if old is None or without_clocks(old) != without_clocks(now):
                output.print_json(_document(it.places, now, seen.problems), indent=None)
            return
        if old is None:
            output.print_lines([rows.heading(_row(pool, now) for pool in now.pools)])
        known = {} if old is None else {pool.name: _lasting(pool) for pool in old.pools}
        changed = [pool for pool in now.pools if known.get(pool.name) != _lasting(pool)]
        wrong, was_wrong = _wrong(seen.problems), {} if before is None else _wrong(before.problems)
        output.print_lines([rows.line(_row(pool, now)) for pool in changed])
        lines = [
            *(with_commands(in_words(one.text), one.hints) for text, one in wrong.items() if text not in was_wrong),
            *(f"over: {in_words(one.text)}" for text, one in was_wrong.items() if text not in wrong),
        ]
        if lines:
            output.say(*lines)

    watch_(lambda: _look(it), lambda seen: terminal_lines(it.places, seen, choice), changes, as_json=as_json)


def _wrong(found: Sequence[Problem]) -> dict[str, Problem]:
    """What goes wrong, by its text without the figures: those change all the time."""
    return {re.sub(r"\d+", "#", in_words(one.text)): one for one in found}


def _lasting(pool: PoolStatus) -> PoolStatus:
    return replace(pool, oldest_wait_seconds=None)


def without_clocks(status: Status) -> Status:
    """What stays the same while nothing happens."""
    return replace(
        status,
        pools=[_lasting(pool) for pool in status.pools],
        controllers=[
            replace(one, seen_at=None, silent_seconds=0.0 if one.is_alive else None, heard_of_until=None)
            for one in status.controllers
        ],
    )
