"""New Zealand, Department of Internal Affairs: "Top 100 girls' and boys' names since 1954".

https://www.govt.nz/browse/family-and-whanau/births/registering-your-babys-birth/baby-names/
A sheet a sex. The years stand over pairs of columns; which column each heading stands in varies, but a count (No.) is
below its heading, the name directly to its left, and the year over them or to their left.
"""

import re
from collections.abc import Iterator

from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.lists import Rules, added_up
from parser_runner.parsers.said import check_year, refuse_sex_hint, sex_in
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import titles_of
from parser_runner.parsers.values import is_year, label_of, year_of
from parser_runner.parsers.wide import Block, read_blocks
from parser_runner.parsers.workbook import Sheet

_RULES = Rules()
_TITLE = re.compile(r"top ([1-9]\d{0,8}) baby (?:girls|boys)['’] names in new zealand", re.ASCII)


class TopNames:
    """Both sexes, all years."""

    name = "nz-dia"
    description = (
        "a workbook with sheets titled Top 100 Baby Girls' Names in New Zealand, with Name and No. below years"
    )

    def recognises(self, source: Source) -> bool:
        workbook = source.workbook()
        return workbook is not None and any(_blocks(sheet) for sheet in workbook.sheets)

    def parse(self, source: Source) -> Parsed:
        refuse_sex_hint(source)
        workbook = source.workbook()
        assert workbook is not None
        tops = {int(found[1]) for sheet in workbook.sheets if (found := _title(sheet))}
        return Parsed(self.name, "births", None, self._rows(source), max(tops))

    def _rows(self, source: Source) -> Iterator[Row]:
        workbook = source.workbook()
        assert workbook is not None
        for sheet in workbook.sheets:
            if found := _blocks(sheet):
                header, blocks = found
                for block in blocks:
                    check_year(source, block.year, sheet.place(header, block.number))
                # One name has stood there twice in a year, each time with a count of its own: both are children.
                rows = read_blocks(source, sheet, header, blocks, _RULES)
                yield from added_up(source, rows, "lines of the same name")
            else:
                source.skip("other sheets")


def _title(sheet: Sheet) -> "re.Match[str] | None":
    return _TITLE.search(titles_of(sheet).casefold())


def _blocks(sheet: Sheet) -> tuple[int, list[Block]] | None:
    title = _title(sheet)
    sex = sex_in(title[0]) if title else None
    if sex is None:
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
            return (number, blocks) if len({block.year for block in blocks}) == len(blocks) else None
    return None


PARSERS = [TopNames()]
