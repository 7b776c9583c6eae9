"""Victoria, Births, Deaths and Marriages: "Top 100 baby names", a workbook a year.

https://www.bdm.vic.gov.au/births/naming-your-child/popular-baby-names
Boys and girls stand side by side. The sexes stand above the headings (Male, Female), later in them (Name - Male); the
year in a title, later only in the names of sheet and file.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import Value, label_of, text_of, years_in
from parser_runner.parsers.wide import Block, read_blocks
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import detect_sex, refuse_sex_hint, resolve_year

# One name has stood there twice, each time with a rank and a count of its own: both are children.
_RULES = Rules(falling=True, adds_up=AddUp(reason="lines of the same name", at_most=2, names_in_1000=10))
_TOP = re.compile(r"top[ -]([1-9]\d{0,8}) baby names", re.ASCII)


class _Found(NamedTuple):
    sheet: Sheet
    header: int
    columns: list[tuple[str, int, int]]


class Victoria:
    """The most frequent names of one year."""

    name = "au-vic"
    description = "a workbook with the headings Rank, Name - Male, Count, Rank, Name - Female and Count"

    def recognise(self, source: Source) -> _Found | None:
        return next(filter(None, map(_find, source.sheets())), None)

    def parse(self, source: Source, match: _Found) -> Parsed:
        refuse_sex_hint(source)
        sheet, header, columns = match
        titles = f"{sheet.name} | {' '.join(text_of(value) for row in sheet.head()[: header - 1] for value in row)}"
        years = years_in(titles)
        if len(years) > 1:
            message = f"the sheet speaks of {' and of '.join(map(str, years))}: expected one year"
            raise source.rejected(Reason.CONTRADICTORY, message, sheet.place(1, 0))
        year = resolve_year(source, years[0] if years else None, sheet.place(1, 0), named=True)
        top = _TOP.search(titles.casefold())
        blocks = [Block(year, sex, name, count) for sex, name, count in columns]
        rows = read_blocks(source, sheet, header, blocks, _RULES)
        return Parsed(self.name, "births", "AU-VIC", rows, int(top[1]) if top else 100)


def _find(sheet: Sheet) -> _Found | None:
    above: list[Value] = []
    for number, record in enumerate(sheet.head(), 1):
        columns = _columns([*map(label_of, record)], [*map(label_of, above)])
        if sorted(sex for sex, _, _ in columns) == ["F", "M"]:
            return _Found(sheet, number, columns)
        above = record
    return None


def _columns(labels: Sequence[str], above: Sequence[str]) -> list[tuple[str, int, int]]:
    """Sex, column of names and column of counts."""
    if not {"rank", "position"}.intersection(labels):
        return []
    found = []
    for column, (label, following) in enumerate(pairwise(labels)):
        if label.startswith("name") and following == "count":
            # The title of a pair begins over its rank.
            sex = detect_sex(label) or detect_sex(" ".join(above[max(0, column - 1) : column + 2]))
            if sex is not None:
                found.append((sex, column, column + 1))
    return found


PARSERS = [Victoria()]
