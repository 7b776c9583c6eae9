"""England and Wales, Office for National Statistics: "Baby names", a workbook a year and sex, since 1996.

https://www.ons.gov.uk/peoplepopulationandcommunity/birthsdeathsandmarriages/livebirths/datasets/babynamesenglandandwalesbabynamesstatisticsboys
One of its tables lists all names of at least three children. Its headings are Rank, Name and Count and no others; its
title has "names for baby", boys or girls, and a year. The sheet's name varies: Table 3, Table 6, 6, Table_6. The other
tables are extracts by place, month and age of mother.
"""

from collections.abc import Sequence
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, find_header, titles_of
from parser_runner.parsers.values import years_in
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import detect_sex, resolve_sex, resolve_year

_COLUMNS = Columns(name=("name",), count=("count",), rank=("rank",), other=("contents",))
_RULES = Rules(falling=True)


class _List(NamedTuple):
    sheet: Sheet
    header: Header
    year: int
    sex: str


class BabyNames:
    """The list of all names."""

    name = "gb-ons-baby-names"
    description = (
        "a workbook with a sheet of Rank, Name and Count, titled: Top names for baby boys, England and Wales, 2024"
    )

    def recognise(self, source: Source) -> Sequence[Sheet] | None:
        sheets = source.sheets()
        return sheets if any(_is_title(titles_of(sheet)) for sheet in sheets) else None

    def parse(self, source: Source, match: Sequence[Sheet]) -> Parsed:
        lists = [*filter(None, map(_list_in, match))]
        if len(lists) != 1:
            message = (
                f"expected one sheet with all names and their counts, {self.description[len('a workbook with ') :]}"
            )
            found = (
                f"found {len(lists)}" if lists else "found none: ranks without counts, and extracts, cannot be loaded"
            )
            raise source.rejected(Reason.INVALID_FORMAT, f"{message}; {found}")
        ((sheet, header, within, sex_within),) = lists
        place = sheet.place(header.record, 0)
        year = resolve_year(source, within, place)
        sex = resolve_sex(source, sex_within, place)
        return Parsed(self.name, "births", "GB-EAW", read_list(source, sheet, header, _RULES, year, sex))


def _is_title(text: str) -> bool:
    text = text.casefold()
    return "names for baby" in text and ("boys" in text or "girls" in text)


def _list_in(sheet: Sheet) -> _List | None:
    header = find_header(sheet, _COLUMNS)
    if header is None or not _is_title(header.text) or "top 100" in header.text.casefold():
        return None
    sex, years = detect_sex(header.text), years_in(header.text)
    if sex is None or len(years) != 1:
        return None
    return _List(sheet, header, years[0], sex)


PARSERS = [BabyNames()]
