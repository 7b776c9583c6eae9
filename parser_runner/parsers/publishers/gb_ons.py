"""England and Wales, Office for National Statistics: "Baby names", a workbook a year and sex, and one of all years.

https://www.ons.gov.uk/peoplepopulationandcommunity/birthsdeathsandmarriages/livebirths/datasets/babynamesenglandandwalesbabynamesstatisticsboys
One of the tables of a year lists all names of at least three children. Its headings are Rank, Name and Count and no
others; its title has "names for baby", boys or girls, and a year, with the mark of a note glued to it in some years
(20081). The sheet's name varies: Table 3, Table 6, 6, Table_6. The other tables are extracts by place, month and age of
mother. Lists of the first years have names of dashes, and figures that were left over beside and below them.

https://www.ons.gov.uk/peoplepopulationandcommunity/birthsdeathsandmarriages/livebirths/datasets/babynamesinenglandandwalesfrom1996
All years since 1996 are one workbook with a sheet a sex: Name, then a rank and a count for each year. The year stands
in the headings (2025 Count), until 2020 in a row above them. A year without the name has [x], until 2020 a colon.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.list_area import ListArea
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, find_header, titles_of
from parser_runner.parsers.values import Value, label_of, marked_year, noted_year, text_of, years_in
from parser_runner.parsers.wide import Wide, read_wide, years_over
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import detect_sex, refuse_sex_hint, resolve_sex, resolve_year

_COLUMNS = Columns(name=("name",), count=("count",), rank=("rank",), other=("contents",))
_RULES = Rules(falling=True)
_ABSENT = "years without a figure ([x] and :)"
_SUPPRESSED = "suppressed counts ([c])"
_WIDE_RULES = Rules(suppressed={"[x]": _ABSENT, ":": _ABSENT, "[c]": _SUPPRESSED})
_PART = re.compile(r"\[[^\[\]]*\]|[^\s\[\]]+")
_PLACE = "england and wales"
_OTHER_PLACES = ("england", "wales", "scotland", "ireland")


class _List(NamedTuple):
    sheet: Sheet
    header: Header
    titles: str


class BabyNames:
    """The list of all names of a year and a sex."""

    name = "gb-ons-baby-names"
    description = (
        "a workbook with a sheet of Rank, Name and Count, titled: Top names for baby boys, England and Wales, 2024"
    )

    def recognise(self, source: Source) -> Sequence[Sheet] | None:
        sheets = source.sheets()
        titled = any(_is_title(titles_of(sheet)) for sheet in sheets)
        return sheets if titled and not _all_years_in(sheets) else None

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
        ((sheet, header, titles),) = lists
        place = sheet.place(header.record, 0)
        years = years_in(titles) or [year for year in [noted_year(titles)] if year is not None]
        if len(years) > 1:
            message = f"the list's title speaks of {' and of '.join(map(str, years))}: expected one year"
            raise source.rejected(Reason.CONTRADICTORY, message, place)
        year = resolve_year(source, years[0] if years else None, place)
        sex = resolve_sex(source, detect_sex(titles), place)
        area = ListArea(source, sheet, header)
        return Parsed(self.name, "births", "GB-EAW", read_list(source, area, header, _RULES, year, sex))


def _is_title(text: str) -> bool:
    text = text.casefold()
    return "names for baby" in text and ("boys" in text or "girls" in text)


def _is_of_another_place(titles: str) -> bool:
    """Whether the titles are of England, of Wales or of another part of the country: not of England and Wales."""
    titles = titles.casefold()
    return _PLACE not in titles and any(place in titles for place in _OTHER_PLACES)


def _list_in(sheet: Sheet) -> _List | None:
    header = find_header(sheet, _COLUMNS)
    if header is None or not _is_title(header.text) or "top 100" in header.text.casefold():
        return None
    if _is_of_another_place(header.text):
        return None
    titles = [text for text in _texts(sheet.head()[: header.record]) if _is_title(text)]
    return _List(sheet, header, titles[0] if len(titles) == 1 else header.text)


class _Years(NamedTuple):
    sheet: Sheet
    wide: Wide
    sex: str


class AllYears:
    """The lists of all years, a sheet a sex."""

    name = "gb-ons-all-years"
    description = (
        "a workbook with sheets of Name, 2025 Rank, 2025 Count, 2024 Rank and so on, titled: Names for baby girls,"
        " England and Wales, 1996 to 2025"
    )

    def recognise(self, source: Source) -> list[_Years] | None:
        return _all_years_in(source.sheets()) or None

    def parse(self, source: Source, match: list[_Years]) -> Parsed:
        refuse_sex_hint(source)
        source.skip("other sheets", len(source.sheets()) - len(match))
        return Parsed(self.name, "births", "GB-EAW", self._rows(source, match))

    def _rows(self, source: Source, lists: list[_Years]) -> Iterator[Row]:
        for sheet, wide, sex in lists:
            yield from read_wide(source, sheet, wide, _WIDE_RULES, sex)


def _all_years_in(sheets: Sequence[Sheet]) -> list[_Years]:
    """The sheets of all years, if the workbook is of England and Wales."""
    if not any(_PLACE in titles_of(sheet).casefold() for sheet in sheets):
        return []
    return [*filter(None, map(_years_in, sheets))]


def _years_in(sheet: Sheet) -> _Years | None:
    above: Mapping[int, int] = {}
    head = sheet.head()
    for number, record in enumerate(head, 1):
        labels = [*map(label_of, record)]
        counts = [column for column, label in enumerate(labels) if "count" in _PART.findall(label)]
        years = {column: year for column in counts if (year := _year_of(labels[column], above.get(column)))}
        if labels.count("name") == 1 and counts and len({*years.values()}) == len(counts):
            titles = " | ".join(_texts(head[: number - 1]))
            sex = detect_sex(titles) or detect_sex(sheet.name)
            if sex is None or _is_of_another_place(titles):
                return None
            return _Years(sheet, Wide(number, labels.index("name"), years, len(record)), sex)
        above = years_over(record) or above
    return None


def _year_of(label: str, above: int | None) -> int | None:
    """The year of a column of counts: in its heading (2025 count, 2025 [r] count), else above it."""
    years = [year for part in _PART.findall(label) if (year := marked_year(part)) is not None]
    if years:
        return years[0] if len(years) == 1 else None
    return above


def _texts(records: Sequence[Sequence[Value]]) -> list[str]:
    return [text for record in records for text in map(text_of, record) if text]


PARSERS = [BabyNames(), AllYears()]
