"""Finland, Digital and Population Data Services Agency: first names of all citizens alive. Population, not births.

https://www.avoindata.fi/data/fi/dataset/none
Three sheets a sex: all given names (kaikki), the first of each person (ens), the others (muut). Only the first names
are rows, because the three overlap. The year is that of the extraction date (Poimintapäivä) in the cover letter
(Saate).
"""

from collections.abc import Iterator
from datetime import date

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, find_header
from parser_runner.parsers.values import FIRST_YEAR, is_year, text_of
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import refuse_sex_hint, resolve_year

_COLUMNS = Columns(name=("etunimi",), count=("lukumäärä",))
_RULES = Rules(falling=True)
_SEXES = {"miehet ens": "M", "naiset ens": "F"}
_COVER = "saate"
_EXTRACTED = "poimintapäivä"

_Lists = dict[str, tuple[Sheet, Header]]
"""By sex."""


class FirstNames:
    """Both sexes, one date."""

    name = "fi-dvv-first-names"
    description = "a workbook with sheets Miehet ens and Naiset ens of Etunimi and Lukumäärä, and Saate with the date"

    def recognise(self, source: Source) -> _Lists | None:
        found = {}
        for sheet in source.sheets():
            sex = _SEXES.get(text_of(sheet.name).casefold())
            header = find_header(sheet, _COLUMNS) if sex is not None else None
            if sex is not None and header is not None:
                found[sex] = (sheet, header)
        return found or None

    def parse(self, source: Source, match: _Lists) -> Parsed:
        refuse_sex_hint(source)
        if len(match) != len(_SEXES):
            raise source.rejected(Reason.INVALID_FORMAT, f"expected both sheets {' and '.join(_SEXES)}, found one")
        source.skip("other sheets", len(source.sheets()) - len(match))
        return Parsed(self.name, "population", None, self._rows(source, match, _year(source)))

    def _rows(self, source: Source, lists: _Lists, year: int) -> Iterator[Row]:
        for sex, (sheet, header) in lists.items():
            yield from read_list(source, sheet, header, _RULES, year, sex)


def _year(source: Source) -> int:
    for sheet in source.sheets():
        if text_of(sheet.name).casefold() != _COVER:
            continue
        for number, record in enumerate(sheet.head(), 1):
            if record and text_of(record[0]).casefold().rstrip(":") == _EXTRACTED:
                dates = [value for value in record if isinstance(value, date)]
                if len(dates) == 1 and not is_year(dates[0].year):
                    message = f"the extraction date is of no year from {FIRST_YEAR} to now"
                    raise source.rejected(Reason.INVALID_FORMAT, message, sheet.place(number, 0))
                if len(dates) == 1:
                    return resolve_year(source, dates[0].year, sheet.place(number, 0))
    message = (
        "the cover letter (sheet Saate) has no extraction date (Poimintapäivä): expected it, or the year as a hint"
    )
    if source.year_hint is None:
        raise source.rejected(Reason.INVALID_FORMAT, message)
    return source.year_hint


PARSERS = [FirstNames()]
