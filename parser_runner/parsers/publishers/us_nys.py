"""New York State, Department of Health: baby names by county of the mother's residence.

https://health.data.ny.gov/Health/Baby-Names-Beginning-2007/jxy9-yhdk
One figure a year, county, sex and name, of at least five children. The rows are the sums over the counties. They are
lower bounds: they lack the children of counties with fewer. The counties of New York City (Bronx, Kings, New York,
Queens, Richmond) are among them, so the figures of the city overlap them.

Headings and names of counties are those of other states too, so content alone does not prove this publisher. A county
that New York has not is a problem. So is a year of few counties: the sums would not be the state's. 2014 has a quarter
more children of the city's counties than the years beside it; that is as published.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.summed import CurrentTable, Figure, summed
from parser_runner.parsers.tables import Columns, Header, find_header
from parser_runner.parsers.values import label_of
from parser_runner.parsers.year_and_sex import refuse_sex_hint

_COLUMNS = Columns(year=("year",), name=("first name",), sex=("sex",), count=("count",), other=("county",))
_RULES = Rules(sexes={"F": "F", "M": "M"})
COUNTIES = frozenset(
    {
        "albany", "allegany", "bronx", "broome", "cattaraugus", "cayuga", "chautauqua", "chemung", "chenango",
        "clinton", "columbia", "cortland", "delaware", "dutchess", "erie", "essex", "franklin", "fulton", "genesee",
        "greene", "hamilton", "herkimer", "jefferson", "kings", "lewis", "livingston", "madison", "monroe",
        "montgomery", "nassau", "new york", "niagara", "oneida", "onondaga", "ontario", "orange", "orleans",
        "oswego", "otsego", "putnam", "queens", "rensselaer", "richmond", "rockland", "saratoga", "schenectady",
        "schoharie", "schuyler", "seneca", "st lawrence", "steuben", "suffolk", "sullivan", "tioga", "tompkins",
        "ulster", "warren", "washington", "wayne", "westchester", "wyoming", "yates",
    }
)  # fmt: skip
"""In small letters, without points: all counties of the state."""

_LEAST_COUNTIES = len(COUNTIES) // 2
"""Each year and sex has 47 or more: small counties have no name of five children."""


class _Found(NamedTuple):
    table: CurrentTable
    header: Header
    county: int


class NewYorkState:
    """Both sexes, all years."""

    name = "us-nys"
    description = "lines of Year,First Name,County,Sex,Count (Baby_Names__Beginning_2007.csv)"
    shared = True
    region = "US-NY"
    named = re.compile(r"baby[ _-]names[ _-]{1,3}beginning[ _-]2007", re.IGNORECASE)

    def recognise(self, source: Source) -> _Found | None:
        for table in CurrentTable.each(source, None):
            header = find_header(table, _COLUMNS)
            if header is None:
                continue
            labels = [*map(label_of, table.head()[header.record - 1])]
            if labels.count("county") == 1:
                return _Found(table, header, labels.index("county"))
        return None

    def parse(self, source: Source, match: _Found) -> Parsed:
        refuse_sex_hint(source)
        figures = self._figures(source, match)
        rows = summed(source, figures, "county", "counties of the same name", at_least=_LEAST_COUNTIES)
        return Parsed(self.name, "births", self.region, rows)

    def _figures(self, source: Source, match: _Found) -> Iterator[Figure]:
        table, header, at_county = match
        for row in read_list(source, table, header, _RULES, None, None):
            county = label_of(table.current[at_county]).replace(".", "")
            if county in COUNTIES:
                yield row, county
            else:
                assert isinstance(row.place, int)
                source.problem("expected a county of the state of New York", row.place)


PARSERS = [NewYorkState()]
