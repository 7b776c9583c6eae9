"""What `affirm-worker run` logs on a terminal: one line an event, with file, short id and reason."""

import os
import re
import sys
from itertools import pairwise

import pytest

from tests.integration.command_line import ROOT
from tests.integration.world import SubmittedFile, World
from tests.kit.terminal import run_on_terminal

TIME = re.compile(r"\d\d:\d\d:\d\d ")


def events(world: World, **settings: str) -> list[str]:
    """The log of a controller until it is idle, an event each, without its time."""
    environment = {**os.environ, **world.environment, "NO_COLOR": "1", "LOG_LEVEL": "INFO", **settings}
    environment.pop("COLUMNS", None)
    _, said = run_on_terminal([sys.executable, "-m", "cli", "run", "--until-idle"], environment, ROOT)
    lines = said.splitlines()
    # A path alone may be longer than the terminal is wide.
    assert all(len(line) <= 80 or len(line.split()) == 1 for line in lines), said
    assert "job_id=" not in said and "epoch" not in said
    found: list[str] = []
    for line in lines:
        if TIME.match(line):
            found.append(line[9:])
        else:
            assert line.startswith(" " * 9), said
            found[-1] += line[8:]
    return found


def of(one: SubmittedFile, name: str, said: list[str]) -> list[str]:
    """What was said of a file."""
    start = f"{name} ({str(one.job_id)[:8]}) "
    return [line.removeprefix(start) for line in said if line.startswith(start)]


def test_each_event_of_a_file_is_one_line(world: World) -> None:
    good = [world.submit_small(year) for year in (2001, 2002, 2003, 2004)]
    bad = world.submit_small(1999, "Mary,F,10\nJohn,X,3\n")
    said = events(world, WORKER_CONCURRENCY="4")
    for year, one in zip((2001, 2002, 2003, 2004), good, strict=True):
        assert of(one, f"yob{year}.txt", said) == ["claimed", "completed: 1 row"]
    claimed, rejected = of(bad, "yob1999.txt", said)
    assert claimed == "claimed"
    assert rejected.startswith("rejected: line 2: ")
    assert not any("ERROR" in line for line in said)
    assert said[-1] == "stopped"


def test_details_come_at_debug(world: World) -> None:
    one = world.submit_small(2001)
    said = of(one, "yob2001.txt", events(world, LOG_LEVEL="DEBUG"))
    beginnings = [line.split()[0] for line in said if not line.startswith("the process that parses is confined")]
    assert beginnings == ["claimed", "launched", "started", "committed", "completed:"]


def test_a_retry_and_its_wait_name_the_file(world: World) -> None:
    one = world.submit_small(2001)
    (world.folder / "storage").rename(world.folder / "unmounted")
    said = of(one, "yob2001.txt", events(world))
    assert said[0] == "claimed"
    assert re.match(r"retry in \d\d s: storage: the folder ", said[1])
    assert said[-1].startswith("still waiting: to be tried again at ")


@pytest.mark.parametrize("name", ["a\n12:00:00 b.txt", "a\x1b[2Kb.txt", f"{'long ' * 40}.txt", "a\u202eb.txt"])
def test_a_file_s_name_begins_no_event(world: World, name: str) -> None:
    world.submit_small(2001)
    world.query("update datasets set filename = %s", name)
    said = events(world)
    assert all(first != second for first, second in pairwise(said))
    assert not re.search("[\x1b\u202e]", "".join(said))
    assert sum(line.endswith("claimed") for line in said) == 1
