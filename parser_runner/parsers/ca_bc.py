"""British Columbia, Vital Statistics Agency: "Baby names", a line a name and a column a year.

https://catalogue.data.gov.bc.ca/dataset/most-popular-girls-names-for-the-past-100-years
The sex stands only in the file's name. 0 means fewer than five. Some files have names with letters that were mangled
before they were published (CHLO…, ZOÀ); they are kept as they are.
"""

from collections.abc import Iterator

from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.lists import Rules
from parser_runner.parsers.said import the_sex
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import TextTable
from parser_runner.parsers.wide import Wide, find_wide, read_wide

_RULES = Rules(suppressed={"0": "suppressed counts (0: fewer than 5)"})


class BritishColumbia:
    """One sex, a hundred years."""

    name = "ca-bc"
    description = "lines of Name, a count for every year, and Total (bc-popular-girls-names.csv)"

    def recognises(self, source: Source) -> bool:
        return self._find(source) is not None

    def parse(self, source: Source) -> Parsed:
        wide = self._find(source)
        assert wide is not None
        sex = the_sex(source, named=True)
        return Parsed(self.name, "births", "CA-BC", self._rows(source, wide, sex))

    def _find(self, source: Source) -> Wide | None:
        wide = find_wide(_table(source), ("name",), ("total",))
        return wide if wide is not None and wide.record == 1 and len(wide.years) == wide.width - 2 else None

    def _rows(self, source: Source, wide: Wide, sex: str) -> Iterator[Row]:
        yield from read_wide(source, _table(source), wide, _RULES, sex)


def _table(source: Source) -> TextTable:
    return TextTable(source, ",", "cp1252")


PARSERS = [BritishColumbia()]
