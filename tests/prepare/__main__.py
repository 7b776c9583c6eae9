"""`make prepare`, or `make prepare-PART`: builds, fetches and installs what tests need, before the first of them.

Prints each thing and how long it takes; a second is enough if all is there.
"""

import argparse
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import building, packages
from tests.cluster.paths import cache_dir
from tests.prepare import needs, parts
from tests.prepare.parts import Thing

_WIDTH = 80
_LAST_LINES = 25


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare one part, by default all; the exit code is 1 if something failed, or with CI set cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.prepare", description=__doc__)
    parser.add_argument("part", nargs="?", default="all", choices=parts.NAMES)
    parser.add_argument("--skipped", action="store_true", help="only say which tests cannot run here")
    given = parser.parse_args(arguments)
    if given.skipped:
        _say_what_is_skipped(given.part)
        return 0
    began = time.monotonic()
    try:
        made = _prepare(given.part)
    except _Failed as failed:
        print(failed, flush=True)
        return 1
    if made:
        print(f"prepared in {_duration(time.monotonic() - began)}", flush=True)
    return 0


class _Failed(Exception):
    """The step cannot go on; the message is for the person who started it."""


def _prepare(name: str) -> bool:
    """Returns whether there was something to do."""
    with _log() as (log, run):
        installed = needs.may_install(parts.part(name).needs)
        if installed:
            wanted = packages.missing({**packages.OF_THE_CLUSTER, **packages.OF_OTHER_TESTS})
            print(textwrap.fill(f"Debian packages: {' '.join(wanted)}", _WIDTH, subsequent_indent="  "))
            run(Thing("installing", f"{len(wanted)} Debian packages", packages.install))
            needs.lacking.cache_clear()
        must = _say_what_is_skipped(name)
        if must and needs.in_ci():
            raise _Failed("CI is set, so tests that cannot run are a failure")
        plan = _plan(parts.part(name).things)
        if plan:
            print(f"kept in {cache_dir()}; the tools' own words: {log}", flush=True)
        for thing in plan:
            run(thing)
        return installed or bool(plan)


def _plan(things: Sequence[Thing]) -> list[Thing]:
    missing = [thing for thing in things if not thing.is_there()]
    if any(thing.is_go for thing in missing) and not parts.GO.is_there():
        missing.insert(0, parts.GO)
    return missing


def _say_what_is_skipped(name: str) -> bool:
    """Returns whether one of these tests has to run with CI set."""
    lacking = {need: why for need in parts.part(name).needs if (why := needs.lacking(need))}
    by_command: dict[str, list[str]] = {}
    for why in lacking.values():
        reason, _, command = why.partition("\n")
        by_command.setdefault(command, []).append(textwrap.fill(reason, _WIDTH, break_on_hyphens=False))
    for command, reasons in by_command.items():
        print("\n".join([*reasons, *filter(None, [command])]), flush=True)
    return not all(needs.NEEDS[need].is_optional for need in lacking)


@contextmanager
def _log() -> Iterator[tuple[Path, Callable[[Thing], None]]]:
    """The file that takes what the tools say, and a function that makes a thing."""
    path = cache_dir() / "prepare.log"

    def run(thing: Thing) -> None:
        print(f"  {thing.how:<11}{thing.name:<38}", end="", flush=True)
        began = time.monotonic()
        try:
            with building.allowed(), _output_into(path):
                thing.make()
        except Exception as error:
            last = path.read_text(errors="replace").splitlines()[-_LAST_LINES:]
            raise _Failed("\n".join(["failed", *last, f"{thing.how} {thing.name}: {error}"])) from error
        print(f"{time.monotonic() - began:5.0f} s", flush=True)

    path.unlink(missing_ok=True)
    yield path, run


@contextmanager
def _output_into(path: Path) -> Iterator[None]:
    """All that this process and those that it starts write goes to the end of a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        for number in kept:
            os.dup2(file, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
        os.close(file)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    sys.exit(main())
