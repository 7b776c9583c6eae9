"""New Zealand, Department of Internal Affairs: "Top 100 girls' and boys' names since 1954".

https://www.govt.nz/browse/family-and-whanau/births/registering-your-babys-birth/baby-names/
The workbook has a sheet a sex. The years stand over pairs of columns; which column each heading stands in varies, but
a count (No.) is below its heading, the name directly to its left, and the year over them or to their left.

https://figure.nz has the same lists as CSV, a line a name, year and rank. Every rank stands there once for each year
and sex, so a file that says one twice was put together from two.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Header, TextTable, titles_of
from parser_runner.parsers.values import is_year, label_of, text_of, year_of
from parser_runner.parsers.wide import Block, read_blocks
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import check_year, detect_sex, refuse_sex_hint

# One name has stood there twice in a year, each time with a count of its own: both are children.
_ADDS_UP = AddUp(reason="lines of the same name", at_most=2, names_in_1000=10)
_RULES = Rules(falling=True, adds_up=_ADDS_UP)
_LABELS = ("year", "sex", "rank", "name", "value", "value unit", "value label", "null reason")
_FIGURE_RULES = Rules(
    sexes={"Girls": "F", "Boys": "M"}, suppressed={"": "lines without a figure"}, falling=True, adds_up=_ADDS_UP
)
_TITLE = re.compile(r"top ([1-9]\d{0,8}) baby (?:girls|boys)['’] names in new zealand", re.ASCII)


class _List(NamedTuple):
    sheet: Sheet
    header: int
    blocks: list[Block]
    top: int


class TopNames:
    """Both sexes, all years."""

    name = "nz-dia"
    description = (
        "a workbook with sheets titled Top 100 Baby Girls' Names in New Zealand, with Name and No. below years"
    )

    def recognise(self, source: Source) -> list[_List] | None:
        return [*filter(None, map(_list_in, source.sheets()))] or None

    def parse(self, source: Source, match: list[_List]) -> Parsed:
        refuse_sex_hint(source)
        source.skip("other sheets", len(source.sheets()) - len(match))
        return Parsed(self.name, "births", None, self._rows(source, match), max(one.top for one in match))

    def _rows(self, source: Source, lists: list[_List]) -> Iterator[Row]:
        for sheet, header, blocks, _ in lists:
            for block in blocks:
                check_year(source, block.year, sheet.place(header, block.count))
            yield from read_blocks(source, sheet, header, blocks, _RULES)


def _list_in(sheet: Sheet) -> _List | None:
    title = _TITLE.search(titles_of(sheet).casefold())
    sex = detect_sex(title[0]) if title else None
    if title is None or sex is None:
        return None
    head = sheet.head()
    for number in range(2, len(head) + 1):
        years, labels = head[number - 2], [*map(label_of, head[number - 1])]
        counts = [column for column, label in enumerate(labels) if label.rstrip(".") == "no"]
        blocks = []
        for before, column in zip([-1, *counts], counts, strict=False):
            over = [year_of(value) for value in years[before + 1 : column + 1] if is_year(value)]
            if len({*over}) != 1 or "name" not in labels[before + 1 : column]:
                return None
            blocks.append(Block(over[0], sex, column - 1, column))
        if blocks:
            once = len({block.year for block in blocks}) == len(blocks)
            return _List(sheet, number, blocks, int(title[1])) if once else None
    return None


class FigureNz:
    """Both sexes, all years, as Figure.NZ publishes them."""

    name = "nz-figure-nz"
    description = "lines of Year,Sex,Rank,Name,Value,Value Unit,Value Label,Null Reason, of the number of babies"

    def recognise(self, source: Source) -> tuple[TextTable, Header] | None:
        for table in _Babies.each(source, None):
            labels = tuple(map(label_of, next(iter(table.head()), [])))
            if labels == _LABELS:
                return table, Header(1, name=3, count=4, year=0, sex=1, width=len(labels), text=" | ".join(labels))
        return None

    def parse(self, source: Source, match: tuple[TextTable, Header]) -> Parsed:
        refuse_sex_hint(source)
        table, header = match
        rows = read_list(source, table, header, _FIGURE_RULES, None, None)
        return Parsed(self.name, "births", None, rows, 100)


class _Babies(TextTable):
    """The lines that count babies, each rank once."""

    def records(self) -> Iterator[tuple[int, list[str]]]:
        ranks: dict[tuple[str, ...], int] = {}
        for number, record in super().records():
            if number > 1 and len(record) == len(_LABELS):
                if (label_of(record[5]), label_of(record[6])) != ("number", "number of babies"):
                    self._source.problem("expected number and Number of babies in fields 6 and 7", number)
                    continue
                first = ranks.setdefault((*map(text_of, record[:3]),), number)
                if first != number:
                    message = f"the same year, sex and rank as in line {first}: this file has two lists in one"
                    self._source.problem(message, number)
                    continue
            yield number, record


PARSERS = [TopNames(), FigureNz()]
