"""What commands print: tables for people, plain columns through a pipe, JSON for programs."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

SHORT_ID = 8
"""Digits of an id in a table on a terminal: commands take them as well as the whole id."""

ERROR = "error"
"""The heading of the column that may hold whole sentences."""


def print_json(value: Any) -> None:
    """Prints a value as JSON: dataclasses as objects, times in UTC as ISO 8601 has them."""
    print(json.dumps(value, default=_plain, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], nothing: str) -> None:
    """Prints rows under their headings; a name that begins with `>` is aligned to the right.

    Args:
        columns: the headings; `ERROR` is printed below the table on a terminal.
        rows: values as they are; ids are shortened on a terminal only.
        nothing: what to say on a terminal where there are no rows.
    """
    if not sys.stdout.isatty():
        _print_columns([name.lstrip(">") for name in columns], [[cell(value) for value in row] for row in rows])
        return
    if not rows:
        print(nothing)
        return
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
                print(f"\n{_short(row[0])}: {cell(error)}", end="")
        print()


def said_no(message: str) -> None:
    """One line on stderr about what was not done."""
    print(f"affirm-worker: {message}", file=sys.stderr)


_STYLES = {
    "completed": "green", "created": "green", "failed": "red", "running": "cyan", "processing": "cyan",
    "reprocessing": "cyan", "scheduled": "yellow", "cancelled": "dim",
}  # fmt: skip


def _print_columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = [list(names), *rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(names))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _short(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)[:SHORT_ID]
    if isinstance(value, datetime):
        local = value.astimezone()
        today = local.date() == datetime.now().astimezone().date()
        return local.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M")
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
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return " ".join(str(value).split())


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Not asdict: it copies, and does not know slots of other types.
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON")
