"""What commands print: tables for people, plain columns through a pipe, JSON for programs.

All that commands print goes through here; ruff forbids `print` elsewhere. Whatever a text holds, a line stays one line,
no terminal obeys it, and it can be encoded.
"""

import io
import os
import re
import sys
from collections.abc import Sequence
from typing import IO, Any

import typer

from cli.table import FITTING, Choice, Column, plain_lines, record_lines, table_lines, terminal_width
from cli.words import cell, short
from dataset_jobs.model.text import json_text, lines_of, one_line
from services.to_json import to_json


def say(*lines: str, to: IO[str] | None = None) -> None:
    """Prints each of these as one line, on stdout unless it says where."""
    print(*map(one_line, lines), sep="\n", file=to or sys.stdout, flush=to is not None)


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
        raise typer.BadParameter(f"there is no terminal to ask on: {one_line(question)}", param_hint="--yes")
    typer.confirm(one_line(question), abort=True, err=True)


def data_stream() -> IO[str]:
    """Stdout for data, which is UTF-8 whatever the surroundings are: other characters would be other data."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


def print_json(value: Any) -> None:
    """Prints a value as JSON: dataclasses as objects, times in UTC as ISO 8601 has them."""
    in_utf_8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json_text(to_json(value), ascii_only=not in_utf_8, indent=2))


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
    if not sys.stdout.isatty():
        say(*plain_lines(columns, rows, choice))
        return
    if not rows:
        say(nothing)
        return
    if alone and len(rows) == 1 and choice == FITTING:
        say(*record_lines(columns, rows[0]))
        return
    for number, line in enumerate(map(one_line, table_lines(columns, rows, choice, terminal_width()))):
        print(_in_colour(line, heading=number == 0))
    if not choice.columns:
        for at, column in enumerate(columns):
            for row in rows:
                if column.below and row[at]:
                    say("", f"{short(row[0])}: {cell(row[at])}")


def said_no(message: str) -> None:
    """One line on stderr about a failure or a refusal."""
    say(f"affirm-worker: {message}", to=sys.stderr)


_COLOURS = {
    "completed": 32, "created": 32, "failed": 31, "running": 36, "processing": 36, "reprocessing": 36, "scheduled": 33,
    "cancelled": 2,
}  # fmt: skip
_COLOURED = re.compile(rf"(?<!\S)({'|'.join(_COLOURS)})(?!\S)")


def _in_colour(line: str, *, heading: bool) -> str:
    """A line of a table with its states in colour, unless the terminal or the user wants none."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb":
        return line
    if heading:
        return f"\x1b[1m{line}\x1b[0m"
    return _COLOURED.sub(lambda found: f"\x1b[{_COLOURS[found[0]]}m{found[0]}\x1b[0m", line)
