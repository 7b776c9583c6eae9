"""How a list is shown: as a table with the line below a part of it, as JSON, or watched."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from cli.screen import output
from cli.screen.listing import filters
from cli.screen.table import Choice, Column
from cli.screen.watching import Changes, View, watch
from services.listing import Order, Selection

MANY = 50
"""Without --limit so many are shown."""

REMOVED = "removed"
"""Stands in place of the state of what is no longer in the database."""


@dataclass(frozen=True, slots=True)
class Table(Generic[View]):
    """The table of a list.

    Args:
        columns: headings.
        row: an item's values.
        nothing: the line if there are none.
        removed: an item as one that is no longer in the database.
    """

    columns: Sequence[Column]
    row: Callable[[View], Sequence[Any]]
    nothing: str
    removed: Callable[[View], View]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for.

    Args:
        order: see `Selection.first`.
        limit: at most so many; 0 for all, None for `MANY`.
        choice: of the columns.
        watch: go on until Ctrl-C.
        as_json: instead of the table.
    """

    order: Order
    limit: int | None
    choice: Choice
    watch: bool
    as_json: bool

    @property
    def by_people(self) -> bool:
        """Whether a person looks at stdout."""
        return sys.stdout.isatty() and not self.as_json

    @property
    def counts(self) -> bool:
        """Whether the line below a part is wanted. For programs it is on stderr, unless they asked for that length."""
        return self.by_people or (self.limit is None and not self.watch)

    @property
    def most(self) -> int | None:
        """The limit as services take it."""
        return MANY if self.limit is None else self.limit or None


def show_list(selection: Selection[View], table: Table[View], wanted: Wanted) -> None:
    """Shows a list as the user asked for it."""
    if wanted.watch:
        changes = Changes(
            table.columns, table.row, selection.read, table.removed, as_json=wanted.as_json, choice=wanted.choice
        )
        watch(
            lambda: _look(selection, wanted),
            lambda seen: _lines(table, seen, wanted.choice),
            lambda before, now: changes.tell(None if before is None else before.items, now.items),
            as_json=wanted.as_json,
        )
    seen = _look(selection, wanted)
    if wanted.as_json:
        output.print_json(seen.items)
    else:
        output.print_table(table.columns, [*map(table.row, seen.items)], table.nothing, wanted.choice)
    if seen.part and wanted.by_people:
        output.say("", seen.part)
    elif seen.part:
        output.said_no(seen.part)


@dataclass(frozen=True, slots=True)
class _Seen(Generic[View]):
    """A list, and the line below it if it is a part and that is to be said."""

    items: Sequence[View]
    part: str


def _look(selection: Selection[View], wanted: Wanted) -> _Seen[View]:
    with filters():
        items, more = selection.first(wanted.most, wanted.order)
    if not more or not wanted.counts:
        return _Seen(items, "")
    count = selection.count()
    of = f"{count.at_least:,}" if count.exact else f"more than {count.at_least:,}"
    return _Seen(items, f"{len(items):,} of {of} shown; -n 0 shows all")


def _lines(table: Table[View], seen: _Seen[View], choice: Choice) -> Sequence[str]:
    lines = [*output.table(table.columns, [*map(table.row, seen.items)], table.nothing, choice)]
    return [*lines, "", seen.part] if seen.part else lines
