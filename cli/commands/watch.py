"""`affirm-worker watch`."""

import shutil
import sys
from typing import Annotated, Any, NoReturn

import typer

from cli.commands.status import without_clocks
from cli.lazy import single
from cli.options.common import AsJson
from cli.screen import output
from cli.screen.watching import EVERY_SECONDS, has_screen, line_by_line
from cli.session import Session, session
from cli.watch.asking import FEW_JOBS, queues_at
from cli.watch.layout import picture
from cli.watch.loop import Watching
from cli.watch.marks import marks_for, plain
from cli.watch.state import State
from dataset_jobs.store.views import Status
from services.glance import Glance
from services.keys import Role
from services.pool_lines import PoolLine, pool_lines
from services.problems import Problem, health_of
from services.to_json import to_json

EPILOG = """
\b
Examples:
  affirm-worker watch
  affirm-worker watch --every 10
  affirm-worker watch --once
  affirm-worker watch --once --json
  affirm-worker watch --json | jq --unbuffered -r .health
"""
LEAST_SECONDS, MOST_SECONDS = 0.5, 3600.0
commands = single()


@commands.command(epilog=EPILOG)
def watch(
    every: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=LEAST_SECONDS,
            max=MOST_SECONDS,
            help="Look anew so often; more seldom if it is slow.",
        ),
    ] = EVERY_SECONDS,
    once: Annotated[bool, typer.Option("--once", help="Print one picture, and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Shows how the installation is, all the time, with keys to act.

    What is wrong comes first, the worst before the others, each with what to press; then the pools with the past three
    hours of their queues, the jobs at work, and those that ended last. It is what the pages of affirm-worker serve
    begin with. ? lists the keys; those for what you may not do are not there. q ends it, Ctrl-C with exit code 130.

    Without a terminal a picture is printed after each change, and with --json a line of JSON. A database or an API that
    is away is waited for; what was seen last stays, with its age.
    """
    with session(patient=False) as it:
        if once:
            _once(it, as_json=as_json)
        elif sys.stdout.isatty() and has_screen() and not as_json:
            Watching(it.client, State(place_of(it), Role.VIEWER), every).run()
        else:
            _changes(it, every, as_json=as_json)


def place_of(it: Session) -> str:
    """The installation in few words."""
    places = it.places
    if places.context is not None:
        return places.context
    if places.api is not None:
        return places.api.split("://")[-1]
    return "embedded database" if places.embedded else places.database


def _once(it: Session, *, as_json: bool) -> None:
    seen = it.client.glance(FEW_JOBS)
    if as_json:
        output.print_json(document(seen))
    else:
        output.print_lines(_picture(it, seen))


def _changes(it: Session, every: float, *, as_json: bool) -> NoReturn:
    """A picture, or a line of JSON, after each change."""

    def tell(before: Glance | None, now: Glance) -> None:
        if before is not None and _lasting(before) == _lasting(now):
            return
        if as_json:
            output.print_json(document(now), indent=None)
        else:
            output.print_lines([*([""] if before is not None else []), *_picture(it, now)])

    line_by_line(lambda: it.client.glance(FEW_JOBS), tell, every)


def _picture(it: Session, seen: Glance) -> list[str]:
    marks = marks_for(sys.stdout.encoding)
    state = State(place_of(it), Role.VIEWER, can_type=False, depths=queues_at(it.client, seen))
    state.see(seen)
    return [plain(line) for line in picture(state, shutil.get_terminal_size((80, 24)).columns, marks)]


def document(seen: Glance) -> dict[str, Any]:
    """What a look has found, for programs."""
    return {
        "as_of": to_json(seen.as_of),
        "health": health_of(seen.problems),
        "problems": [_problem(one) for one in seen.problems],
        "pools": [_pool(line) for line in pool_lines(seen.status.pools, seen.past)],
        "controllers": [{**to_json(one), "is_alive": one.is_alive} for one in seen.status.controllers],
        "running": to_json([*seen.recent.running]),
        "ended": to_json([*seen.recent.ended]),
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {**to_json(problem), "fault_in_words": problem.fault.words, "outlook": problem.outlook}


def _pool(line: PoolLine) -> dict[str, Any]:
    past = line.lately
    return {
        **to_json(line.pool),
        "in_use": line.pool.in_use,
        "held": line.held,
        "why_not_more": to_json(line.why_not_more),
        "success_ratio": None if past is None else past.success_ratio,
        "busy": None if past is None else past.busy,
    }


def _lasting(seen: Glance) -> tuple[Status, Any, Any]:
    """What stays the same while nothing happens."""
    return without_clocks(seen.status), [*seen.recent.running], [*seen.recent.ended]
