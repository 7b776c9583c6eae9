"""What commands print: tables for people, plain columns through a pipe, JSON for programs.

All that commands print goes through here; ruff forbids `print` elsewhere. Whatever a text holds, a line stays one line,
no terminal obeys it, and it can be encoded.
"""

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import typer

from cli.screen.prose import fitted
from cli.screen.table import FITTING, NOT_SHOWN, Choice, Column, plain_lines, record_lines, table_lines, terminal_width
from cli.screen.words import cell, short
from dataset_jobs.model.text import json_text, lines_of, one_line
from services.to_json import to_json

SENTENCES = 5
"""Shown below a table at most, which they would push off the screen."""


def say(*lines: str, to: IO[str] | None = None) -> None:
    """Prints each of these as one line, on stdout unless it says where; on a terminal it breaks between words."""
    stream = to or sys.stdout
    shown: Iterable[str] = map(one_line, lines)
    if stream.isatty():
        width = terminal_width()
        shown = (part for line in shown for part in fitted(line, width))
    print(*shown, sep="\n", file=stream, flush=to is not None)


def say_states(*lines: str) -> None:
    """Prints lines on stdout that may begin with a state or a verdict, which has a colour on a terminal."""
    for line in map(one_line, lines):
        word, space, rest = line.partition(" ")
        print(f"{_in_colour(word, heading=False)}{space}{rest}" if sys.stdout.isatty() else line)


def say_all(text: str, to: IO[str] | None = None) -> None:
    """Prints a text that has lines of its own."""
    print(lines_of(text), file=to or sys.stdout)


def agree(question: str, *, yes: bool) -> None:
    """Asks on the terminal before what cannot be undone; ends the command unless the answer is yes.

    Args:
        question: what is to be done.
        yes: the user has said so already.

    Raises:
        BadParameter: nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"add --yes: there is no terminal to ask on: {one_line(question)}")
    typer.confirm(one_line(question), abort=True, err=True)


def data_stream() -> IO[str]:
    """Stdout for data, which is UTF-8 whatever the surroundings are: other characters would be other data."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


def print_json(value: Any, indent: int | None = 2) -> None:
    """Prints a value as JSON: dataclasses as objects, times in UTC as ISO 8601 has them.

    Args:
        value: as `to_json` takes it.
        indent: of the lines; None for one line, which is written at once: somebody may read it as it comes.
    """
    in_utf_8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json_text(to_json(value), ascii_only=not in_utf_8, indent=indent), flush=indent is None)


def print_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    nothing: str,
    choice: Choice = FITTING,
    *,
    alone: bool = False,
) -> None:
    """Prints rows under their headings: on a terminal what fits, through a pipe everything.

    Args:
        columns: the headings; sentences are printed below the table on a terminal.
        rows: values as they are; ids are shortened on a terminal only.
        nothing: the line on a terminal if there are no rows.
        choice: what the user wants to see.
        alone: whether a single row is printed as lines, a value each.
    """
    if sys.stdout.isatty():
        print_lines([*table(columns, rows, nothing, choice, alone=alone)])
    else:
        say(*plain_lines(columns, rows, choice))


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    nothing: str,
    choice: Choice = FITTING,
    *,
    alone: bool = False,
) -> Iterator[str]:
    """The lines that `print_table` prints on a terminal."""
    width = terminal_width()
    if not rows:
        yield nothing
        return
    if alone and len(rows) == 1 and choice == FITTING:
        for line in record_lines(columns, rows[0]):
            yield from fitted(one_line(line), width)
        return
    for number, line in enumerate(map(one_line, table_lines(columns, rows, choice, width))):
        if line.startswith(NOT_SHOWN):
            yield from fitted(line, width)
        else:
            yield _in_colour(line, heading=number == 0)
    if not choice.columns:
        for at, column in enumerate(columns):
            said = [row for row in rows if column.below and row[at]]
            for row in said[:SENTENCES]:
                yield ""
                yield from fitted(one_line(f"{short(row[0])}: {cell(row[at])}"), width)
            if len(said) > SENTENCES:
                yield ""
                yield f"{len(said) - SENTENCES:,} more: {column.below}"


def print_lines(lines: Sequence[str]) -> None:
    """Prints lines as they are: those that tables and `fitted` have made."""
    for line in lines:
        print(line)


def said_no(message: str) -> None:
    """One line on stderr about a failure or a refusal."""
    say(f"affirm-worker: {message}", to=sys.stderr)


_COLOURS = {
    "completed": 32, "created": 32, "failed": 31, "running": 36, "processing": 36, "reprocessing": 36, "scheduled": 33,
    "cancelled": 2, "ok": 32, "warning": 33, "wrong": 31, "skipped": 2,
}  # fmt: skip
_COLOURED = re.compile(rf"(?<!\S)({'|'.join(_COLOURS)})(?!\S)")


def _in_colour(line: str, *, heading: bool) -> str:
    """A line of a table with its states in colour, unless the terminal or the user wants none."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb":
        return line
    if heading:
        return f"\x1b[1m{line}\x1b[0m"
    return _COLOURED.sub(lambda found: f"\x1b[{_COLOURS[found[0]]}m{found[0]}\x1b[0m", line)
