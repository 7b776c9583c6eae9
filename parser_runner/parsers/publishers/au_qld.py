"""Queensland, Registry of Births, Deaths and Marriages: "Top 100 baby names".

https://www.data.qld.gov.au/dataset/top-100-baby-names
1960 to 2005 are one long list. Since 2006 there is a file a year, with girls and boys side by side and lists that are
not equally long; the year stands only in the file's name.
"""

import re

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, TextTable
from parser_runner.parsers.values import label_of
from parser_runner.parsers.wide import Block, read_blocks
from parser_runner.parsers.year_and_sex import refuse_sex_hint, resolve_year

_YEARS = Rules(sexes={"Female": "F", "Male": "M"}, falling=True)
# In 2018 the publisher's list of girls has one line twice.
_YEAR = Rules(falling=True, same_line="lines that repeat another one (the same name and count)")
_PAIRS = {"F": ("girl names", "count of girl names"), "M": ("boy names", "count of boy names")}


class SideBySide:
    """One year, girls and boys side by side."""

    name = "au-qld-year"
    description = "lines of Girl Names,Count of Girl Names,Boy Names,Count of Boy Names (top-100-baby-names-2024.csv)"

    def recognise(self, source: Source) -> tuple[TextTable, list[str]] | None:
        for table in TextTable.each(source, "cp1252"):
            labels = [*map(label_of, next(iter(table.head()), []))]
            if sorted(labels) == sorted(label for pair in _PAIRS.values() for label in pair):
                return table, labels
        return None

    def parse(self, source: Source, match: tuple[TextTable, list[str]]) -> Parsed:
        refuse_sex_hint(source)
        table, labels = match
        year = resolve_year(source, named=True)
        blocks = [Block(year, sex, labels.index(name), labels.index(count)) for sex, (name, count) in _PAIRS.items()]
        return Parsed(self.name, "births", "AU-QLD", read_blocks(source, table, 1, blocks, _YEAR), top=100)


PARSERS = [
    SideBySide(),
    TextList(
        name="au-qld-years",
        description="lines of Name,Sex,Year,Count",
        columns=Columns(name=("name",), count=("count",), year=("year",), sex=("sex",)),
        rules=_YEARS,
        charset="cp1252",
        region="AU-QLD",
        top=100,
        # Anybody may write these headings; the publisher's file is 20180718_BDM_Top-100-Baby-Names-1960-to-2005.csv.
        shared=True,
        named=re.compile(
            r"\d{8}_bdm_top-100-baby-names|top-100-baby-names-1960-to-2005|(?<![a-z])qld(?![a-z])|queensland",
            re.ASCII | re.IGNORECASE,
        ),
    ),
]
