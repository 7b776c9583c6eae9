"""Northern Ireland, NISRA: "Baby names", all years in one workbook.

https://www.nisra.gov.uk/statistics/births/baby-names
The sheets titled "Full list of first forenames given to baby boys registered in Northern Ireland" have for each year
three columns side by side: "1997 Name", "Number of Babies" and "Rank". Until 2019 the heading was only "Name", and the
years stood in a row above the headings. A name of too few children has ".." as its number. Further sheets have the
ranks by themselves.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import Value, is_year, label_of
from parser_runner.parsers.wide import Block, read_blocks, years_over
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import check_year, detect_sex, refuse_sex_hint

_SUPPRESSED = "suppressed counts (..: one or two children)"
_RULES = Rules(falling=True, suppressed={"..": _SUPPRESSED, "-": "absent counts (-)"})
_NAME = re.compile(r"(\d{4}) name", re.ASCII)
_COUNT = "number of babies"
_TITLE = "names given to baby"


class _List(NamedTuple):
    sheet: Sheet
    header: int
    blocks: list[Block]


class FullLists:
    """Both sexes, all years."""

    name = "gb-nisra-full-lists"
    description = "a workbook with sheets of 1997 Name, Number of Babies and Rank, side by side for all years"

    def recognise(self, source: Source) -> list[_List] | None:
        return [*filter(None, map(_list_in, source.sheets()))] or None

    def parse(self, source: Source, match: list[_List]) -> Parsed:
        refuse_sex_hint(source)
        source.skip("other sheets", len(source.sheets()) - len(match))
        return Parsed(self.name, "births", "GB-NIR", self._rows(source, match))

    def _rows(self, source: Source, lists: list[_List]) -> Iterator[Row]:
        for sheet, header, blocks in lists:
            for block in blocks:
                check_year(source, block.year, sheet.place(header, block.name))
            yield from read_blocks(source, sheet, header, blocks, _RULES)


def _list_in(sheet: Sheet) -> _List | None:
    title = ""
    years: Mapping[int, int] = {}
    for number, record in enumerate(sheet.head(), 1):
        labels = [*map(label_of, record)]
        sex = detect_sex(title)
        blocks = [*_blocks_in(labels, sex, years if _TITLE in title else {})] if sex else []
        if blocks and len({block.year for block in blocks}) == labels.count(_COUNT):
            return _List(sheet, number, blocks)
        title = f"{title} {' '.join(labels)}"
        years = years_over(record) or years
    return None


def _blocks_in(labels: Sequence[Value], sex: str, years: Mapping[int, int]) -> Iterator[Block]:
    """The blocks under their headings.

    Args:
        labels: the headings.
        sex: of all blocks.
        years: those above the headings, by column; for headings without a year.
    """
    for column, (label, following) in enumerate(pairwise(labels)):
        if following != _COUNT:
            continue
        named = _NAME.fullmatch(str(label))
        if named and is_year(named[1]):
            yield Block(int(named[1]), sex, column, column + 1)
        elif label == "name" and column in years:
            yield Block(years[column], sex, column, column + 1)


PARSERS = [FullLists()]
