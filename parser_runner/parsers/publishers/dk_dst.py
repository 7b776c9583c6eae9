"""Denmark, Statistics Denmark: first names of the newborn, a workbook a year and sex.

https://www.dst.dk/en/Statistik/emner/borgere/navne/navne-til-nyfoedte
Titled "Drenge født i 2019" (boys) or "Piger født i 2019" (girls). The first 100 have a rank and a share; the others
follow after an empty row. Children without a name are counted at the end, under the number 0.
"""

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, find_header
from parser_runner.parsers.values import text_of, years_in
from parser_runner.parsers.workbook import Sheet
from parser_runner.parsers.year_and_sex import detect_sex, resolve_sex, resolve_year

_COLUMNS = Columns(name=("navn",), count=("antal",), rank=("nr.",), other=("pr. 1000",))
_RULES = Rules(falling=True, no_names={"0": "children without a name (0)"})


class Newborn:
    """One sex, one year."""

    name = "dk-dst-newborn"
    description = "a workbook with the headings Nr., Navn, Antal and Pr. 1000, titled: Drenge født i 2019"

    def recognise(self, source: Source) -> tuple[Sheet, Header] | None:
        found = ((sheet, find_header(sheet, _COLUMNS)) for sheet in source.sheets())
        return next(((sheet, header) for sheet, header in found if header is not None), None)

    def parse(self, source: Source, match: tuple[Sheet, Header]) -> Parsed:
        sheet, header = match
        years = years_in(header.text)
        place = sheet.place(1, 0)
        year = resolve_year(source, years[0] if len(years) == 1 else None, place)
        sex = resolve_sex(source, detect_sex(header.text), place)
        last = max((number for number, record in sheet.records() if text_of(record[header.name])), default=0)
        ranked = max((number for number, record in sheet.records() if text_of(record[0])), default=0)
        top = 100 if ranked >= last else None
        return Parsed(self.name, "births", None, read_list(source, sheet, header, _RULES, year, sex), top)


PARSERS = [Newborn()]
