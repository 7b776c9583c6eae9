"""Queensland, Registry of Births, Deaths and Marriages: "Top 100 baby names".

https://www.data.qld.gov.au/dataset/top-100-baby-names
1960 to 2005 are one long list. Since 2006 there is a file a year, with girls and boys side by side and lists that are
not equally long; the year stands only in the file's name.
"""

from collections.abc import Iterator

from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.lists import Rules
from parser_runner.parsers.said import refuse_sex_hint, the_year
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, TextTable
from parser_runner.parsers.text_lists import TextList
from parser_runner.parsers.values import label_of
from parser_runner.parsers.wide import Block, read_blocks

_RULES = Rules(sexes={"Female": "F", "Male": "M"})
_PAIRS = {"F": ("girl names", "count of girl names"), "M": ("boy names", "count of boy names")}


class SideBySide:
    """One year, girls and boys side by side."""

    name = "au-qld-year"
    description = "lines of Girl Names,Count of Girl Names,Boy Names,Count of Boy Names (top-100-baby-names-2024.csv)"

    def recognises(self, source: Source) -> bool:
        return sorted(_labels(source)) == sorted(label for pair in _PAIRS.values() for label in pair)

    def parse(self, source: Source) -> Parsed:
        refuse_sex_hint(source)
        year = the_year(source, named=True)
        return Parsed(self.name, "births", "AU-QLD", self._rows(source, year), top=100)

    def _rows(self, source: Source, year: int) -> Iterator[Row]:
        labels = _labels(source)
        blocks = [Block(year, sex, labels.index(name), labels.index(count)) for sex, (name, count) in _PAIRS.items()]
        yield from read_blocks(source, _table(source), 1, blocks, _RULES)


def _table(source: Source) -> TextTable:
    return TextTable(source, ",", "cp1252")


def _labels(source: Source) -> list[str]:
    return [*map(label_of, next(iter(_table(source).head()), []))]


PARSERS = [
    SideBySide(),
    TextList(
        name="au-qld-years",
        description="lines of Name,Sex,Year,Count",
        columns=Columns(name=("name",), count=("count",), year=("year",), sex=("sex",)),
        rules=_RULES,
        charset="cp1252",
        region="AU-QLD",
        top=100,
    ),
]
