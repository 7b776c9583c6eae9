"""Sweden, Statistics Sweden: first names of the newborn, a workbook a sex, a row a name and a column a year.

https://www.scb.se/en/finding-statistics/statistics-by-subject-area/population/general-statistics/name-statistics/
Figures are stored as text; "-" stands for fewer than ten.
"""

from collections.abc import Iterator
from typing import NamedTuple

from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Table, TextTable, titles_of
from parser_runner.parsers.wide import Wide, find_wide, read_wide
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import detect_sex, refuse_sex_hint, resolve_sex

_RULES = Rules(suppressed={"-": "suppressed counts (-: fewer than 10)"})
_EXPORT_RULES = Rules(sexes={"flickor": "F", "pojkar": "M"}, suppressed={"..": "years without a figure (..)"})
_CHARSET = "cp1252"


class _Found(NamedTuple):
    sheet: Sheet
    wide: Wide
    sex: str | None


class Newborn:
    """One sex a sheet, all years."""

    name = "se-scb-newborn"
    description = "a workbook with the headings Namn / Name and years, titled Pojkars or Flickors tilltalsnamn"

    def recognise(self, source: Source) -> list[_Found] | None:
        found = [*filter(None, map(_find, source.sheets()))]
        return found if len(found) == 1 or (found and all(one.sex for one in found)) else None

    def parse(self, source: Source, match: list[_Found]) -> Parsed:
        if len(match) == 1:
            ((sheet, wide, sex),) = match
            match = [_Found(sheet, wide, resolve_sex(source, sex, sheet.place(wide.record, 0)))]
        return Parsed(self.name, "births", None, self._rows(source, match))

    def _rows(self, source: Source, found: list[_Found]) -> Iterator[Row]:
        for sheet, wide, sex in found:
            assert sex is not None
            yield from read_wide(source, sheet, wide, _RULES, sex)


def _find(sheet: Sheet) -> _Found | None:
    wide = find_wide(sheet, ("namn / name", "namn", "name"))
    titles = titles_of(sheet).casefold()
    if wide is None or not ("tilltalsnamn" in titles or "first names" in titles):
        return None
    return _Found(sheet, wide, detect_sex(f"{sheet.name} {titles}"))


class Export:
    """Both sexes or one, any years."""

    name = "se-scb-statbank"
    description = 'lines of "tilltalsnamn", "kön" (flickor or pojkar) and years: an export of the Statistical Database'

    def recognise(self, source: Source) -> tuple[Table, Wide] | None:
        for table in TextTable.each(source, _CHARSET):
            if wide := find_wide(table, ("tilltalsnamn",), sexes=("kön",)):
                return table, wide
        return None

    def parse(self, source: Source, match: tuple[Table, Wide]) -> Parsed:
        refuse_sex_hint(source)
        return Parsed(self.name, "births", None, read_wide(source, *match, _EXPORT_RULES, None))


PARSERS = [Newborn(), Export()]
