"""What commands print: tables for people, plain columns through a pipe, JSON for programs.

All that commands print goes through here; ruff forbids `print` elsewhere. Whatever a text holds, a line stays one line,
no terminal obeys it, and it can be encoded.
"""

import io
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID

import typer

from dataset_jobs.model.text import json_text, lines_of, one_line
from dataset_jobs.model.times import local_time
from services.to_json import to_json

SHORT_ID = 8
"""Digits of an id in a table on a terminal: commands take them as well as the whole id."""

ERROR = "error"
"""The heading of the column that may hold whole sentences."""


def make_streams_safe() -> None:
    """What stdout or stderr cannot encode is escaped from now on: LANG and PYTHONIOENCODING may allow ASCII alone."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(*lines: str, to: IO[str] | None = None) -> None:
    """Prints each of these as one line, on stdout unless it says where."""
    print(*map(one_line, lines), sep="\n", file=to or sys.stdout, flush=to is not None)


def say_all(text: str, to: IO[str] | None = None) -> None:
    """Prints a text that has lines of its own."""
    print(lines_of(text), file=to or sys.stdout)


def confirm(question: str) -> None:
    """Asks on the terminal; ends the command unless the answer is yes."""
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


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], nothing: str) -> None:
    """Prints rows under their headings; a name that begins with `>` is aligned to the right.

    Args:
        columns: the headings; `ERROR` is printed below the table on a terminal.
        rows: values as they are; ids are shortened on a terminal only.
        nothing: the line on a terminal if there are no rows.
    """
    if not sys.stdout.isatty():
        _print_columns([name.lstrip(">") for name in columns], [[cell(value) for value in row] for row in rows])
        return
    if not rows:
        say(nothing)
        return
    # Only terminals need it, and it takes as long to import as all else that a help text needs.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # A terminal is narrow: what no row has is left out, and errors come below.
    used = [
        index
        for index, name in enumerate(columns)
        if name != ERROR and any(row[index] not in (None, "") for row in rows)
    ]
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name in (columns[index] for index in used):
        table.add_column(
            name.lstrip(">"),
            justify="right" if name.startswith(">") else "left",
            no_wrap=name != "file",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(_short(row[index]), style=_STYLES.get(str(row[index]), "")) for index in used))
    Console().print(table)
    if ERROR in columns:
        for row in rows:
            if error := row[columns.index(ERROR)]:
                say("", f"{_short(row[0])}: {cell(error)}")


def said_no(message: str) -> None:
    """One line on stderr about a failure or a refusal."""
    say(f"affirm-worker: {message}", to=sys.stderr)


_STYLES = {
    "completed": "green", "created": "green", "failed": "red", "running": "cyan", "processing": "cyan",
    "reprocessing": "cyan", "scheduled": "yellow", "cancelled": "dim",
}  # fmt: skip


def _print_columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = [list(names), *rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(names))]
    for row in table:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _short(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)[:SHORT_ID]
    if isinstance(value, datetime):
        today = local_time(value, "%Y-%m-%d") == datetime.now().strftime("%Y-%m-%d")
        return local_time(value, "%H:%M:%S" if today else "%Y-%m-%d %H:%M")
    return cell(value)


def cell(value: Any) -> str:
    """A value as it stands in a table."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if sys.stdout.isatty() else str(value)
    if isinstance(value, datetime):
        return local_time(value, "%Y-%m-%d %H:%M:%S")
    return one_line(" ".join(str(value).split()))


def duration(time: timedelta) -> str:
    """A span of time as people say it, to the second; a short one to the tenth."""
    seconds = max(0.0, time.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 72 else f"{round(seconds / 86400)} days"
