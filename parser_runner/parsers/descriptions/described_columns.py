"""Finds the columns of a description in the head of a table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dataset_jobs.model.description import Description
from dataset_jobs.model.description_parts import YEAR, Shape, SheetWanted, Texts
from parser_runner.parsers.tables import Table
from parser_runner.parsers.values import Malformed, Value, count_of, is_year, label_of, text_of, year_of

_BY_NUMBER = re.compile(r"#([1-9]\d{0,3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """The columns of a description in a table.

    Args:
        table: the list.
        record: the number of the record with the headings; 0 if there are none.
        width: the number of its cells.
        columns: the column of each key, from 0.
        blocks: the columns of names and of counts of each block.
        years: the columns of a wide table, and their years.
        labels: the headings.
        titles: all texts above the list, and the headings.
        sheet: what the description says of this sheet.
    """

    table: Table
    record: int
    width: int
    columns: Mapping[str, int]
    blocks: Sequence[tuple[int, int]]
    years: Mapping[int, int]
    labels: Sequence[str]
    titles: str
    sheet: SheetWanted | None = None

    def text_over(self, columns: Sequence[int]) -> str:
        """The titles and headings of the list, or of these columns and those between them."""
        if not columns:
            return self.titles
        between = range(min(columns), max(columns) + 1)
        above = [row[column] for row in self.table.head()[: self.record] for column in between if column < len(row)]
        return " | ".join(filter(None, map(text_of, above)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns that have the same headings.

    Args:
        headings: any of them; `#3` is the third column.
        keys: of the description; of a block, with its number. They get the columns from left to right.
    """

    headings: Texts
    keys: tuple[tuple[str, int], ...]

    def among(self, labels: Sequence[str]) -> list[int]:
        """The columns with these headings."""
        numbers = {int(found[1]) - 1 for text in self.headings if (found := _BY_NUMBER.fullmatch(text))}
        texts = {label_of(text) for text in self.headings if not _BY_NUMBER.fullmatch(text)}
        return [column for column, label in enumerate(labels) if column in numbers or label in texts]


def wanted_columns(description: Description) -> list[Wanted]:
    """All columns of a description but those of years in a wide table."""
    keys: dict[Texts, list[tuple[str, int]]] = {}
    for key in ("name", "count", "year", "sex", "sum_over"):
        headings = getattr(description, key)
        if headings and not (key == "count" and description.shape is Shape.WIDE):
            keys.setdefault(headings, []).append((key, 0))
    for number, block in enumerate(description.blocks):
        keys.setdefault(block.name, []).append(("name", number))
        keys.setdefault(block.count, []).append(("count", number))
    return [Wanted(headings, tuple(found)) for headings, found in keys.items()]


def find_columns(table: Table, description: Description) -> Found | None:
    """The first record of the head with all columns of a description; without headings, if the first record fits."""
    titles: list[str] = []
    wanted = wanted_columns(description)
    bare = not any(map(has_heading, wanted)) and description.shape is not Shape.WIDE
    for number, record in enumerate(table.head(), 1):
        titles += filter(None, map(text_of, record))
        if description.heading_row not in (None, number):
            continue
        labels = [*map(label_of, record)]
        without_headings = bare and description.heading_row is None
        if without_headings and not any(labels):
            continue
        years = _years(record, description)
        if years is None or any(len(one.among(labels)) != len(one.keys) for one in wanted):
            continue
        places = {key: column for one in wanted for key, column in zip(one.keys, one.among(labels), strict=True)}
        if len({*places.values(), *years}) < len(places) + len(years):
            continue
        if without_headings and not _may_be_a_row(record, [places[key] for key in places if key[0] == "count"]):
            return None
        return Found(
            table,
            0 if without_headings else number,
            len(record),
            {key: column for (key, _), column in places.items()},
            [(places["name", index], places["count", index]) for index in range(len(description.blocks))],
            years,
            [] if without_headings else labels,
            "" if without_headings else " | ".join(titles),
        )
    return None


def has_heading(wanted: Wanted) -> bool:
    """Whether a heading has to stand there: columns may be given by their numbers alone."""
    return not all(map(_BY_NUMBER.fullmatch, wanted.headings))


def _may_be_a_row(record: Sequence[Value], counts: Iterable[int]) -> bool:
    try:
        return all(count_of(record[column]) > 0 for column in counts)
    except Malformed:
        return False


def _years(record: Sequence[Value], description: Description) -> dict[int, int] | None:
    """The columns of a wide table; empty for other shapes, None if there are none or a year comes twice."""
    if description.shape is not Shape.WIDE:
        return {}
    found: dict[int, int] = {}
    for heading in description.count:
        before, _, after = _compared(heading).partition(YEAR)
        for column, value in enumerate(record):
            text = _compared(value)
            year = text[len(before) : len(text) - len(after)]
            if text.startswith(before) and text.endswith(after) and is_year(year):
                found[column] = year_of(year)
    return found if found and len({*found.values()}) == len(found) else None


def _compared(value: Value) -> str:
    """A text for comparisons; unlike in labels, figures at its end are no marks of notes."""
    return text_of(value).replace("’", "'").casefold()
