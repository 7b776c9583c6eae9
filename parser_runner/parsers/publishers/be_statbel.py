"""Belgium, Statbel: first names of the newborn, by province or for the country and its regions.

https://statbel.fgov.be/en/themes/population/names-and-first-names
By province: a sheet a year and sex (F_PROV2017). A name has one row for each province (and the Brussels region) with at
least five such children. The rows are added up to one for the country, which therefore lacks the children of provinces
with fewer.

Since 1995: a workbook a sex, which stands only in the file's name, and a sheet a year (1995), with a list of the
country and lists of the three regions side by side. Only the country's are rows. They include every child of the
regions' lists, and those of names with fewer than five in each region: no sum of the regions gives them, and one of
both would count twice. The sheet of all years together (1995-2025) is left out for the same reason. In 2015 one name
stands twice, with two ranks: both are children. Names of files that speak of women or men are of the whole
population, and refused; so are counts that no year's births reach.
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
from parser_runner.parsers.values import Value, is_year, label_of, text_of, years_in
from parser_runner.parsers.wide import Block, read_blocks
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import IN_WORDS, check_year, detect_sex, refuse_sex_hint, resolve_sex

_COLUMNS = Columns(
    name=("prénom", "voornaam"),
    count=("nombre", "aantal"),
    over=("province/région", "provincie/gewest"),
    rank=("rang",),
    other=("refnis", "nuts", "contenu", "inhoud"),
)
_RULES = Rules(falling=True, adds_up=AddUp(reason="provinces of the same name"))
_COUNTRY_RULES = Rules(
    falling=True, adds_up=AddUp(reason="lines of the same name", at_most=2, equal=True, ranks_differ=True)
)
_COUNTRY = frozenset({"belgique", "belgië", "belgium", "belgien"})
_REGIONS = frozenset(
    {
        "bruxelles", "région de bruxelles-capitale", "brussel", "brussels hoofdstedelijk gewest",
        "flandre", "région flamande", "vlaanderen", "vlaams gewest",
        "wallonie", "région wallonne", "wallonië", "waals gewest",
    }
)  # fmt: skip
_POPULATION = re.compile(r"femme|homme|vrouw|mannen|women|\bmen\b", re.IGNORECASE)
_MOST_BIRTHS = 5000
"""Of one name and year: the highest figure since 1995 is 1,484."""
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


class _Year(NamedTuple):
    sheet: Sheet
    header: int
    country: int
    regions: list[int]
    year: int


class Newborn:
    """One sex, several years."""

    name = "be-statbel-newborn"
    description = (
        "a workbook with a sheet a year (1995), of ranks, names and counts below Belgique and the three regions"
    )

    def recognise(self, source: Source) -> list[_Year] | None:
        return [*filter(None, map(_year_in, source.sheets()))] or None

    def parse(self, source: Source, match: list[_Year]) -> Parsed:
        if _POPULATION.search(source.own_name):
            message = "the file's name speaks of women or men: its figures are of the population, not of births"
            raise source.rejected(Reason.CONTRADICTORY, message)
        sex = resolve_sex(source, named=True)
        for found in match:
            check_year(source, found.year, found.sheet.place(found.header, 0))
        source.skip("other sheets", len(source.sheets()) - len(match))
        return Parsed(self.name, "births", None, self._rows(source, match, sex))

    def _rows(self, source: Source, years: list[_Year], sex: str) -> Iterator[Row]:
        for found in years:
            blocks = [Block(found.year, sex, found.country + 1, found.country + 2, found.country)]
            yield from read_blocks(source, _Country(source, found), found.header, blocks, _COUNTRY_RULES)


class _Country:
    """A sheet: counts the figures of its regions, and refuses counts that no year's births reach."""

    def __init__(self, source: Source, found: _Year) -> None:
        self._source = source
        self._found = found
        self.head, self.place = found.sheet.head, found.sheet.place

    def records(self) -> Iterator[tuple[int, list[Value]]]:
        found, regional = self._found, 0
        for number, record in found.sheet.records():
            if number > found.header:
                regional += sum(1 for at in found.regions if text_of(record[at + 2]))
                count = record[found.country + 2]
                if isinstance(count, int | float) and count > _MOST_BIRTHS:
                    message = f"more than {_MOST_BIRTHS} children of one name in a year: this is of the population"
                    self._source.problem(message, self.place(number, found.country + 2))
                    continue
            yield number, record
        self._source.skip("figures of regions, which those of the country include", regional)


def _year_in(sheet: Sheet) -> _Year | None:
    if not is_year(sheet.name):
        return None
    for number, record in enumerate(sheet.head(), 1):
        found = {label_of(value): column for column, value in enumerate(record) if label_of(value) not in ("", "#")}
        country = [column for label, column in found.items() if label in _COUNTRY]
        regions = [column for label, column in found.items() if label in _REGIONS]
        if len(country) == 1 and len(regions) == 3 and len(found) == 1 + len(regions):
            starts = sorted([*country, *regions])
            if [one - starts[0] for one in starts] == [0, 3, 6, 9] and len(record) >= starts[-1] + 3:
                return _Year(sheet, number, country[0], regions, int(text_of(sheet.name)))
    return None


PARSERS = [Provinces(), Newborn()]
