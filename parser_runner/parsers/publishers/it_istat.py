"""Italy, ISTAT: "I 30 nomi più frequenti", a workbook a year, boys and girls side by side.

https://www.istat.it/it/archivio/nomi
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import titles_of
from parser_runner.parsers.values import Value, label_of, years_in
from parser_runner.parsers.wide import Block, read_blocks
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import refuse_sex_hint, resolve_year

_RULES = Rules(falling=True)
_SEXES = {"nomi maschili": "M", "nomi femminili": "F"}
_COUNT = "nati con quel nome"
_TOP = re.compile(r"i ([1-9]\d{0,8}) nomi più frequenti", re.ASCII)


class _Found(NamedTuple):
    sheet: Sheet
    record: int
    columns: list[tuple[str, int, int]]
    top: int


class TopNames:
    """The most frequent names of one year."""

    name = "it-istat-top"
    description = "a workbook with the headings Nomi maschili, Nati con quel nome, Nomi femminili, Nati con quel nome"

    def recognise(self, source: Source) -> _Found | None:
        return next(filter(None, map(_find, source.sheets())), None)

    def parse(self, source: Source, match: _Found) -> Parsed:
        refuse_sex_hint(source)
        years = years_in(titles_of(match.sheet))
        year = resolve_year(source, years[0] if len(years) == 1 else None, match.sheet.place(1, 0), named=True)
        blocks = [Block(year, sex, name, count) for sex, name, count in match.columns]
        rows = read_blocks(source, match.sheet, match.record, blocks, _RULES)
        return Parsed(self.name, "births", None, rows, match.top)


def _find(sheet: Sheet) -> _Found | None:
    top = _TOP.search(titles_of(sheet).casefold())
    head = sheet.head()
    for number, record in enumerate(head, 1):
        columns = _columns(record)
        if top and sorted(sex for sex, _, _ in columns) == ["F", "M"]:
            # A second record of headings follows: absolute values (v.a.) and shares.
            sub = [*map(label_of, head[number])] if number < len(head) else []
            below = number + 1 if "v.a." in sub else number
            return _Found(sheet, below, columns, int(top[1]))
    return None


def _columns(record: Sequence[Value]) -> list[tuple[str, int, int]]:
    """Sex, column of names and column of counts."""
    labels = [*map(label_of, record)]
    return [
        (_SEXES[label], column, column + 1)
        for column, (label, following) in enumerate(pairwise(labels))
        if label in _SEXES and following == _COUNT
    ]


PARSERS = [TopNames()]
