"""Belgium, Statbel: first names of the newborn by province, a sheet a year and sex (F_PROV2017).

https://statbel.fgov.be/en/themes/population/names-and-first-names
A name has one row for each province (and the Brussels region) with at least five such children. The rows are added up
to one for the country, which therefore lacks the children of provinces with fewer.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, find_header
from parser_runner.parsers.values import is_year, years_in
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import IN_WORDS, check_year, detect_sex, refuse_sex_hint

_COLUMNS = Columns(
    name=("prénom", "voornaam"),
    count=("nombre", "aantal"),
    over=("province/région", "provincie/gewest"),
    rank=("rang",),
    other=("refnis", "nuts", "contenu", "inhoud"),
)
_RULES = Rules(falling=True, adds_up=AddUp(reason="provinces of the same name"))
_SHEET = re.compile(r"([FM])_PROV(\d{4})", re.ASCII)


class _List(NamedTuple):
    sheet: Sheet
    header: Header
    year: int
    sex: str


class Provinces:
    """Both sexes, several years."""

    name = "be-statbel-provinces"
    description = "a workbook with sheets such as F_PROV2017 of Rang, Refnis, NUTS2, Province/région, Prénom and Nombre"

    def recognise(self, source: Source) -> list[_List] | None:
        return [*filter(None, map(_list_in, source.sheets()))] or None

    def parse(self, source: Source, match: list[_List]) -> Parsed:
        refuse_sex_hint(source)
        for found in match:
            check_year(source, found.year, found.sheet.place(1, 0))
            _check_title(source, found)
        source.skip("other sheets", len(source.sheets()) - len(match))
        return Parsed(self.name, "births", None, self._rows(source, match))

    def _rows(self, source: Source, lists: list[_List]) -> Iterator[Row]:
        for sheet, header, year, sex in lists:
            yield from read_list(source, sheet, header, _RULES, year, sex)


def _list_in(sheet: Sheet) -> _List | None:
    header = find_header(sheet, _COLUMNS)
    named = _SHEET.fullmatch(sheet.name)
    if header is None or named is None or not is_year(named[2]):
        return None
    return _List(sheet, header, int(named[2]), named[1])


def _check_title(source: Source, found: _List) -> None:
    """Refuses a sheet whose title contradicts its name."""
    years, sex = years_in(found.header.text), detect_sex(found.header.text)
    place = found.sheet.place(1, 0)
    if years and found.year not in years:
        message = f"the sheet's name says {found.year}, but its title {years[0]}"
        raise source.rejected(Reason.CONTRADICTORY, message, place)
    if sex not in (None, found.sex):
        message = f"the sheet's name speaks of {IN_WORDS[found.sex]}, but its title of {IN_WORDS[sex]}"
        raise source.rejected(Reason.CONTRADICTORY, message, place)


PARSERS = [Provinces()]
