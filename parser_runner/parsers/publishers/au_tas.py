"""Tasmania, Department of Justice: "Top baby names", names of at least five children.

https://data.gov.au/data/dataset/tasmanian-top-baby-names
2010 to 2015 are one workbook with a sheet a sex, whose name says it. Later there are workbooks of one year: titles
(MOST POPULAR female BABY NAMES FOR 2016 IN DESCENDING ORDER) with names and counts below them, in one sheet or two.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.places import Cell
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.long import BLANK, ZERO, Rules, read_list
from parser_runner.parsers.order import TWO_LISTS
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, find_header
from parser_runner.parsers.values import NO_LETTERS, Malformed, NoLetters, Value, count_of, is_year, name_of, text_of
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import detect_sex, refuse_sex_hint, resolve_year

_COLUMNS = Columns(name=("name",), count=("number",), year=("year",))
_RULES = Rules(falling=True)
_TITLE = re.compile(r"most popular (female|male) baby names for (\d{4})\b.*", re.ASCII)


class _List(NamedTuple):
    sheet: Sheet
    header: Header
    sex: str


class SheetsBySex:
    """Several years, a sheet a sex. Its headings are those that anybody may write."""

    name = "au-tas-years"
    description = "a workbook with sheets Female and Male of Year, Name and Number (tasmaniantopbabynames20102015.xlsx)"
    region = "AU-TAS"
    shared = True
    named = re.compile(r"tasmania", re.IGNORECASE)

    def recognise(self, source: Source) -> list[_List] | None:
        found = [(sheet, find_header(sheet, _COLUMNS), detect_sex(sheet.name)) for sheet in source.sheets()]
        return [_List(sheet, header, sex) for sheet, header, sex in found if header and sex] or None

    def parse(self, source: Source, match: list[_List]) -> Parsed:
        refuse_sex_hint(source)
        if {one.sex for one in match} != {"F", "M"}:
            message = "expected a list of each sex, in visible sheets Female and Male of Year, Name and Number"
            raise source.rejected(Reason.INVALID_FORMAT, message, match[0].sheet.place(match[0].header.record, 0))
        return Parsed(self.name, "births", "AU-TAS", self._rows(source, match))

    def _rows(self, source: Source, lists: list[_List]) -> Iterator[Row]:
        for sheet, header, sex in lists:
            yield from read_list(source, sheet, header, _RULES, None, sex)


class _Title(NamedTuple):
    year: int
    sex: str


class OneYear:
    """One year, the sexes below one another."""

    name = "au-tas-year"
    description = "a workbook with titles such as MOST POPULAR female BABY NAMES FOR 2016 over names and counts"

    def recognise(self, source: Source) -> Sequence[Sheet] | None:
        sheets = source.sheets()
        return sheets if any(_title(record) for sheet in sheets for record in sheet.head()[:1]) else None

    def parse(self, source: Source, match: Sequence[Sheet]) -> Parsed:
        refuse_sex_hint(source)
        return Parsed(self.name, "births", "AU-TAS", self._rows(source, match))

    def _rows(self, source: Source, sheets: Sequence[Sheet]) -> Iterator[Row]:
        titles: dict[_Title, Cell] = {}
        for sheet in sheets:
            title: _Title | None = None
            for number, record in sheet.records():
                if found := _title(record):
                    resolve_year(source, found.year, sheet.place(number, 0))
                    title = found
                    if first := titles.get(title):
                        source.problem(f"the title of {first} comes again: {TWO_LISTS}", sheet.place(number, 0))
                    titles.setdefault(title, sheet.place(number, 0))
                elif not any(map(text_of, record)):
                    source.skip(BLANK)
                elif title is None:
                    source.problem("expected a title with sex and year above the names", sheet.place(number, 0))
                else:
                    yield from _row(source, sheet, number, record, title)


def _title(record: Sequence[Value]) -> _Title | None:
    cells = [*filter(None, map(text_of, record))]
    found = _TITLE.fullmatch(cells[0].casefold()) if len(cells) == 1 else None
    return _Title(int(found[2]), {"female": "F", "male": "M"}[found[1]]) if found and is_year(found[2]) else None


def _row(source: Source, sheet: Sheet, number: int, record: Sequence[Value], title: _Title) -> Iterator[Row]:
    column, count = 1, 0
    try:
        count = count_of(record[1] if len(record) > 1 else "")
        column = 0
        name = name_of(record[0], source.limits.name_chars)
    except NoLetters:
        source.skip(NO_LETTERS, 1, sheet.place(number, 0), count)
        return
    except Malformed as error:
        source.problem(str(error), sheet.place(number, column))
        return
    if count:
        yield Row(title.year, title.sex, name, count, sheet.place(number, 0))
    else:
        source.skip(ZERO, place=sheet.place(number, 0))


PARSERS = [SheetsBySex(), OneYear()]
