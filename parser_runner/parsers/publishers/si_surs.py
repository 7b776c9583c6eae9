"""Slovenia, Statistical Office: tables of first names in SiStat, a line a name, a column a year. One sex a file.

https://pxweb.stat.si/SiStat/en/Podrocja/Index/100/population
Two kinds of tables differ in nothing but their titles. "Female first names" and "Male first names" count all residents
on 1 January of the year: population. "Baby girls' first names" and "Baby boys' first names" count the children born in
the year. "-" stands for fewer than five. The ranks beside the figures are not read.

Copies of these tables are about in which č, š and ž were lost. They are refused: names that differed are one there.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import TextTable
from parser_runner.parsers.values import Malformed, label_of, text_of, year_of
from parser_runner.parsers.wide import Wide, read_wide
from parser_runner.parsers.year_and_sex import resolve_sex

_RULES = Rules(suppressed={"-": "suppressed counts (-: fewer than 5)"})
_COLUMN = re.compile(r"(number|rank) ([0-9]{4})")


class _Found(NamedTuple):
    table: TextTable
    wide: Wide
    sex: str


class Table:
    """Tables with one of two titles, which say the sex.

    Args:
        name: of the format.
        measure: births or population.
        titles: in small letters, and the sex of each.
    """

    def __init__(self, name: str, measure: str, titles: Mapping[str, str]) -> None:
        self.name = name
        self.description = f"lines of FIRST NAME, Number 2019 and Rank 2019, titled {' or '.join(titles)}"
        self._measure = measure
        self._titles = titles

    def recognise(self, source: Source) -> _Found | None:
        for table in TextTable.each(source, "cp1250"):
            head = table.head()
            found = {self._titles[label] for record in head for label in map(label_of, record) if label in self._titles}
            wide = _years_in(head)
            if len(found) == 1 and wide is not None:
                return _Found(table, wide, found.pop())
        return None

    def parse(self, source: Source, match: _Found) -> Parsed:
        table, wide, sex = match
        sex = resolve_sex(source, sex, table.place(wide.record, 0))
        return Parsed(self.name, self._measure, None, read_wide(source, table, wide, _RULES, sex))


def _years_in(head: list[list[str]]) -> Wide | None:
    """The record with the headings, and its columns of figures."""
    for number, record in enumerate(head, 1):
        labels = [text_of(cell).casefold() for cell in record]
        if labels[:1] != ["first name"]:
            continue
        columns = [_COLUMN.fullmatch(label) for label in labels[1:]]
        figures, ranks = (
            {at: found[2] for at, found in enumerate(columns, 1) if found and found[1] == what}
            for what in ("number", "rank")
        )
        # A table has all ranks or none: a column that is missing was taken out.
        whole = sorted(ranks.values()) in (sorted(figures.values()), [])
        if all(columns) and whole and figures and len({*figures.values()}) == len(figures):
            return _wide(number, figures, len(labels))
    return None


def _wide(number: int, figures: Mapping[int, str], width: int) -> Wide | None:
    try:
        return Wide(number, 0, {at: year_of(year) for at, year in figures.items()}, width)
    except Malformed:
        return None


PARSERS = [
    Table(
        "si-surs-population",
        "population",
        {"female first names, slovenia, annually": "F", "male first names, slovenia, annually": "M"},
    ),
    Table(
        "si-surs-newborn",
        "births",
        {"baby girls' first names, slovenia, annually": "F", "baby boys' first names, slovenia, annually": "M"},
    ),
]
