"""British Columbia, Vital Statistics Agency: "Baby names", a line a name and a column a year.

https://catalogue.data.gov.bc.ca/dataset/most-popular-girls-names-for-the-past-100-years
The sex stands only in the file's name. 0 means fewer than five. Some files have names with letters that were mangled
before they were published (CHLO…, ZOÀ); they are kept as they are. The headings are those that any province may write,
so the publisher's name of the file, or the uploader's word, must say whose list it is.
"""

import re

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import TextTable
from parser_runner.parsers.wide import Wide, find_wide, read_wide
from parser_runner.parsers.year_and_sex import resolve_sex

_RULES = Rules(suppressed={"0": "suppressed counts (0: fewer than 5)"})


class BritishColumbia:
    """One sex, a hundred years."""

    name = "ca-bc"
    description = "lines of Name, a count for every year, and Total (bc-popular-girls-names.csv)"
    shared = True
    region = "CA-BC"
    named = re.compile(r"(?<![^\W_])bc(?![^\W_])|british[ _-]?columbia", re.IGNORECASE)

    def recognise(self, source: Source) -> tuple[TextTable, Wide] | None:
        for table in TextTable.each(source, "cp1252"):
            wide = find_wide(table, ("name",), ("total",))
            if wide is not None and wide.record == 1 and len(wide.years) == wide.width - 2:
                return table, wide
        return None

    def parse(self, source: Source, match: tuple[TextTable, Wide]) -> Parsed:
        table, wide = match
        sex = resolve_sex(source, named=True)
        return Parsed(self.name, "births", self.region, read_wide(source, table, wide, _RULES, sex))


PARSERS = [BritishColumbia()]
