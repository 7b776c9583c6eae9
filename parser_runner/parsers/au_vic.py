"""Victoria, Births, Deaths and Marriages: "Top 100 baby names", a workbook a year.

https://www.bdm.vic.gov.au/births/naming-your-child/popular-baby-names
Boys and girls stand side by side. The sexes stand above the headings (Male, Female), later in them (Name - Male); the
year in a title, later only in the names of sheet and file.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.lists import Rules, added_up
from parser_runner.parsers.said import refuse_sex_hint, sex_in, the_year
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import Value, label_of, text_of, years_in
from parser_runner.parsers.wide import Block, read_blocks
from parser_runner.parsers.workbook import Sheet

_RULES = Rules()
_TOP = re.compile(r"top[ -]([1-9]\d{0,8}) baby names", re.ASCII)


class Victoria:
    """The most frequent names of one year."""

    name = "au-vic"
    description = "a workbook with the headings Rank, Name - Male, Count, Rank, Name - Female and Count"

    def recognises(self, source: Source) -> bool:
        return _find(source) is not None

    def parse(self, source: Source) -> Parsed:
        refuse_sex_hint(source)
        found = _find(source)
        assert found is not None
        sheet, header, columns = found
        titles = f"{sheet.name} | {' '.join(text_of(value) for row in sheet.head()[: header - 1] for value in row)}"
        years = years_in(titles)
        if len(years) > 1:
            message = f"the sheet speaks of {' and of '.join(map(str, years))}: expected one year"
            raise source.rejected(Reason.CONTRADICTORY, message, sheet.place(1, 0))
        year = the_year(source, years[0] if years else None, sheet.place(1, 0), named=True)
        top = _TOP.search(titles.casefold())
        blocks = [Block(year, sex, name, number) for sex, name, number in columns]
        return Parsed(
            self.name, "births", "AU-VIC", self._rows(source, sheet, header, blocks), int(top[1]) if top else 100
        )

    def _rows(self, source: Source, sheet: Sheet, header: int, blocks: Sequence[Block]) -> Iterator[Row]:
        # One name has stood there twice, each time with a rank and a count of its own: both are children.
        yield from added_up(source, read_blocks(source, sheet, header, blocks, _RULES), "lines of the same name")


_Columns = list[tuple[str, int, int]]


def _find(source: Source) -> tuple[Sheet, int, _Columns] | None:
    workbook = source.workbook()
    for sheet in workbook.sheets if workbook is not None else ():
        above: list[Value] = []
        for number, record in enumerate(sheet.head(), 1):
            columns = _columns([*map(label_of, record)], [*map(label_of, above)])
            if sorted(sex for sex, _, _ in columns) == ["F", "M"]:
                return sheet, number, columns
            above = record
    return None


def _columns(labels: Sequence[str], above: Sequence[str]) -> _Columns:
    """Sex, column of names and column of counts."""
    if not {"rank", "position"}.intersection(labels):
        return []
    found = []
    for column, (label, following) in enumerate(pairwise(labels)):
        if label.startswith("name") and following == "count":
            # The title of a pair begins over its rank.
            sex = sex_in(label) or sex_in(" ".join(above[max(0, column - 1) : column + 2]))
            if sex is not None:
                found.append((sex, column, column + 1))
    return found


PARSERS = [Victoria()]
