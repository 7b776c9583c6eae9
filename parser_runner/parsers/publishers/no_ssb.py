"""Norway, Statistics Norway: table 10467 of StatBank, first names of the newborn, as it is exported.

https://www.ssb.no/en/statbank/table/10467
A title, an empty line, the headings, and a line for each name and year; or, pivoted, a line for each name and a column
for each year ("Born persons 2019"). "." and ".." mean that there is no figure. An export has one sex, which stands only
in the file's name; without it, --sex is needed.
"""

import re

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, TextTable, titles_of
from parser_runner.parsers.wide import Wide, find_wide, read_wide
from parser_runner.parsers.year_and_sex import resolve_sex

_NO_FIGURE = "years without a figure (. and ..)"
_RULES = Rules(suppressed={".": _NO_FIGURE, "..": _NO_FIGURE})
_NAMES = ("first name", "fornavn")
_COUNTS = ("born persons", "fødte", "personer")
_TITLE = "10467"
_CHARSET = "cp1252"
_COUNT_OF_YEAR = re.compile(rf"(?:{'|'.join(_COUNTS)}) (\d{{4}})", re.ASCII)


class _Years(TextTable):
    """A pivoted export, its headings without the words before the years."""

    def head(self) -> list[list[str]]:
        return [[self._year(text) for text in record] for record in super().head()]

    @staticmethod
    def _year(text: str) -> str:
        found = _COUNT_OF_YEAR.fullmatch(" ".join(text.casefold().split()))
        return found[1] if found else text


class Pivoted:
    """One sex, a column a year."""

    name = "no-ssb-10467-years"
    description = 'lines of "first name";"Born persons 2019";"Born persons 2020" below the title of table 10467'

    def recognise(self, source: Source) -> tuple[TextTable, Wide] | None:
        for table in _Years.each(source, _CHARSET):
            if (wide := find_wide(table, _NAMES)) and _TITLE in titles_of(table):
                return table, wide
        return None

    def parse(self, source: Source, match: tuple[TextTable, Wide]) -> Parsed:
        table, wide = match
        sex = resolve_sex(source, named=True)
        return Parsed(self.name, "births", None, read_wide(source, table, wide, _RULES, sex))


PARSERS = [
    TextList(
        name="no-ssb-10467",
        description='lines of "first name";"year";"Born persons" below the title of table 10467',
        columns=Columns(name=_NAMES, count=_COUNTS, year=("year", "år")),
        charset=_CHARSET,
        title=_TITLE,
        rules=_RULES,
        named_sex=True,
    ),
    Pivoted(),
]
