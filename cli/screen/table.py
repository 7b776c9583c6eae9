"""Tables for people: every value is whole, or its column is not there and a line says so.

Numbers, ids, dates and words of the model are never shortened. Text, such as a file's name, may be, with an ellipsis.
What does not fit goes by columns, the most dispensable first. If even the indispensable columns do not fit, each row is
printed as lines.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cli.screen.words import cell, short, zone_of
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.sentences import NOTHING

GAP = 2
ELLIPSIS = "…"
NOT_SHOWN = "not shown: "
_READABLE, _RECOGNISABLE = 24, 12
"""Text is not shortened below the first while a column can go instead, and never below the second."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        name: its heading.
        right: whether it is aligned to the right.
        text: whether its values may be shortened.
        keeps_end: whether the end of a shortened text stays: files of a publisher differ in the year there.
        spare: how dispensable it is; one of 0 is always there.
        below: of sentences, which a terminal shows below the table: the command that shows one of them.
    """

    name: str
    right: bool = False
    text: bool = False
    keeps_end: bool = False
    spare: int = 0
    below: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user wants to see of a table.

    Args:
        wide: everything, whatever the width.
        columns: only these headings, in this order; none for all that fit.
    """

    wide: bool = False
    columns: tuple[str, ...] = ()


FITTING = Choice()


def chosen(given: str | None, wide: bool) -> Choice:
    """The choice that a user's options say."""
    names = tuple(name.strip() for name in (given or "").split(",") if name.strip())
    return Choice(wide, names)


@dataclass(frozen=True, slots=True)
class _Cells:
    """A column with its values as text."""

    column: Column
    texts: tuple[str, ...]
    width: int

    @classmethod
    def of(cls, column: Column, texts: Sequence[str]) -> "_Cells":
        return cls(column, tuple(texts), max(map(width_of, (column.name, *texts))))

    def cut(self, width: int) -> "_Cells":
        """With its texts no wider than that."""
        if not self.column.text or self.width <= width:
            return self
        return _Cells.of(
            self.column, [self._shortened(text, max(width, width_of(self.column.name))) for text in self.texts]
        )

    def _shortened(self, text: str, width: int) -> str:
        if width_of(text) <= width:
            return text
        from rich.cells import set_cell_size

        tail = text if self.column.keeps_end else ""
        while width_of(tail) > width // 3:
            tail = tail[1:]
        return set_cell_size(text, width - 1 - width_of(tail)).rstrip() + ELLIPSIS + tail


def width_of(text: str) -> int:
    """Its columns on a terminal: Chinese characters take two, accents none."""
    from rich.cells import cell_len

    return cell_len(text)


def record_lines(columns: Sequence[Column], row: Sequence[Any]) -> Iterator[str]:
    """The lines of one row for a terminal: a heading and a value each."""
    yield from _as_records([_Cells.of(column, [short(value)]) for column, value in zip(columns, row, strict=True)], 1)


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[Any]], choice: Choice, width: int) -> Iterator[str]:
    """The lines of a table for a terminal.

    Args:
        columns, rows: headings and values.
        choice: what the user wants to see.
        width: of the terminal.

    Raises:
        InvalidRequest: the choice names a column that is not there.
    """
    all_cells = [
        _Cells.of(_named(column, [row[at] for row in rows]), [short(row[at], choice.wide) for row in rows])
        for at, column in enumerate(columns)
        if not column.below or choice.columns
    ]
    picked = _picked(columns, all_cells, choice.columns)
    if choice.wide or choice.columns:
        fitting, gone = picked, list[_Cells]()
    else:
        used = [one for one in picked if any(text != NOTHING for text in one.texts) or not one.column.spare]
        fitting, gone = _fitting(used, width)
    if _total(fitting) > width and not choice.wide:
        yield from _as_records(fitting, len(rows))
    else:
        yield from _as_table(fitting, len(rows))
    if gone:
        yield ""
        yield f"{NOT_SHOWN}{', '.join(one.column.name for one in gone)} (--wide, --columns or --json)"


def _named(column: Column, values: Sequence[Any]) -> Column:
    zone = zone_of(values)
    return replace(column, name=f"{column.name} {zone}") if zone else column


def _picked(columns: Sequence[Column], cells: Sequence[_Cells], names: Sequence[str]) -> list[_Cells]:
    if not names:
        return list(cells)
    by_name = {column.name.casefold(): one for column, one in zip(columns, cells, strict=True)}
    for name in names:
        if name.casefold() not in by_name:
            known = ", ".join(column.name for column in columns)
            raise InvalidRequest(f"column {name!r}: there is none of that name; there are {known}")
    return [by_name[name.casefold()] for name in names]


def _fitting(cells: list[_Cells], width: int) -> tuple[list[_Cells], list[_Cells]]:
    """The columns that fit, and those that had to go."""
    gone: list[_Cells] = []
    while (cut := _cut(cells, width, _READABLE)) is None:
        spare = [one for one in cells if one.column.spare]
        if not spare:
            return _cut(cells, width, _RECOGNISABLE) or cells, gone
        last = max(spare, key=lambda one: one.column.spare)
        cells = [one for one in cells if one is not last]
        gone.append(last)
    return cut, gone


def _cut(cells: list[_Cells], width: int, least: int) -> list[_Cells] | None:
    """The same columns, with texts as short as they must be; None if one would have to be too short."""
    texts = [one for one in cells if one.column.text]
    left = width - _total(cells) + sum(one.width for one in texts)
    most: dict[int, int] = {}
    for number, one in enumerate(sorted(texts, key=lambda one: one.width)):
        share = left // (len(texts) - number)
        most[id(one)] = min(one.width, share)
        if most[id(one)] < min(one.width, least):
            return None
        left -= most[id(one)]
    return None if left < 0 else [one.cut(most[id(one)]) if id(one) in most else one for one in cells]


def _total(cells: Sequence[_Cells]) -> int:
    return sum(one.width for one in cells) + GAP * (len(cells) - 1)


def _as_table(cells: Sequence[_Cells], rows: int) -> Iterator[str]:
    yield _line(cells, [one.column.name for one in cells])
    for number in range(rows):
        yield _line(cells, [one.texts[number] for one in cells])


def _line(cells: Sequence[_Cells], texts: Sequence[str]) -> str:
    padded = []
    for one, text in zip(cells, texts, strict=True):
        space = " " * (one.width - width_of(text))
        padded.append(space + text if one.column.right else text + space)
    return (" " * GAP).join(padded).rstrip()


def _as_records(cells: Sequence[_Cells], rows: int) -> Iterator[str]:
    widest = max(width_of(one.column.name) for one in cells)
    for number in range(rows):
        if number:
            yield ""
        for one in cells:
            if one.texts[number] != NOTHING:
                yield f"{one.column.name.ljust(widest)}  {one.texts[number]}"


def terminal_width() -> int:
    """The terminal's columns."""
    return shutil.get_terminal_size((80, 24)).columns


def plain_lines(columns: Sequence[Column], rows: Sequence[Sequence[Any]], choice: Choice) -> Iterator[str]:
    """The lines for a pipe: all columns, aligned, every value as it is."""
    cells = [_Cells.of(column, [cell(row[at]) for row in rows]) for at, column in enumerate(columns)]
    left = [
        _Cells(replace(one.column, right=False), one.texts, one.width)
        for one in _picked(columns, cells, choice.columns)
    ]
    yield from _as_table(left, len(rows))


class PlainRows:
    """Rows for a pipe that come one after the other: as `plain_lines`, with columns that grow when they must.

    Args:
        columns, choice: as of `plain_lines`.
    """

    def __init__(self, columns: Sequence[Column], choice: Choice) -> None:
        named = [_Cells.of(column, []) for column in columns]
        self._shown = [named.index(one) for one in _picked(columns, named, choice.columns)]
        self._columns = columns
        self._widths = [one.width for one in named]

    def heading(self, rows: Iterable[Sequence[Any]] = ()) -> str:
        """The line of headings, with room for these rows, which come after it."""
        for row in rows:
            self.line(row)
        return self._line([column.name for column in self._columns])

    def line(self, row: Sequence[Any]) -> str:
        """The line of a row."""
        return self._line([cell(value) for value in row])

    def _line(self, texts: Sequence[str]) -> str:
        self._widths = [max(width, width_of(text)) for width, text in zip(self._widths, texts, strict=True)]
        padded = [texts[at] + " " * (self._widths[at] - width_of(texts[at])) for at in self._shown]
        return (" " * GAP).join(padded).rstrip()
