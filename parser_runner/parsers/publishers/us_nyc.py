"""New York City, Department of Health and Mental Hygiene: popular baby names by sex and the mother's ethnicity.

https://data.cityofnewyork.us/Health/Popular-Baby-Names/25th-nujf
One figure a year, sex, group and name, of at least ten children. The four groups exclude one another: white, black, and
Asian and Pacific Islander are those who are not Hispanic. So their figures add up. The sum is a lower bound: it lacks
the groups with fewer than ten such children, and the children of other or unknown ethnicity.

2012 has the groups' names cut to 14 characters (WHITE NON HISP): that is the same group. No year has both spellings.
The publisher repeats the lines of 2011 to 2014 four or five times, word for word: an equal line is one line, and never
added. A group that stands twice with two counts is refused. So is a list without one of the groups: the sums would not
be the city's. 2011 and 2012 have names in capitals.
"""

from collections.abc import Iterator
from typing import NamedTuple

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.summed import CurrentTable, Figure, Repeated, summed
from parser_runner.parsers.tables import Columns, Header, find_header
from parser_runner.parsers.values import label_of
from parser_runner.parsers.year_and_sex import refuse_sex_hint

REGION = "US-NY-NYC"
"""ISO 3166-2 has no code: this is its code of the state, then the city's in UN/LOCODE."""

_GROUP = ("ethnicity", "ethcty")
_RANK = ("rank", "rnk")
_COLUMNS = Columns(
    year=("year of birth", "brth_yr"),
    sex=("gender", "gndr"),
    name=("child's first name", "nm"),
    count=("count", "cnt"),
    other=(*_GROUP, *_RANK),
)
_GROUPS = {
    "hispanic": "hispanic",
    **dict.fromkeys(("asian and pacific islander", "asian and paci"), "asian and pacific islander"),
    **dict.fromkeys(("black non hispanic", "black non hisp"), "black non hispanic"),
    **dict.fromkeys(("white non hispanic", "white non hisp"), "white non hispanic"),
}
_RULES = Rules(sexes={"FEMALE": "F", "MALE": "M"})

_REPEATED = Repeated(reason="lines that the publisher repeats (the same line twice is one line)", at_most=5)


class _Found(NamedTuple):
    table: CurrentTable
    header: Header
    group: int


class NewYorkCity:
    """Both sexes, all years."""

    name = "us-nyc"
    description = "lines of Year of Birth,Gender,Ethnicity,Child's First Name,Count,Rank (Popular_Baby_Names.csv)"

    def recognise(self, source: Source) -> _Found | None:
        for table in CurrentTable.each(source, None):
            header = find_header(table, _COLUMNS)
            if header is None:
                continue
            labels = [*map(label_of, table.head()[header.record - 1])]
            groups = [column for column, label in enumerate(labels) if label in _GROUP]
            if len(groups) == 1 and any(label in _RANK for label in labels):
                return _Found(table, header, groups[0])
        return None

    def parse(self, source: Source, match: _Found) -> Parsed:
        refuse_sex_hint(source)
        rows = summed(
            source,
            self._figures(source, match),
            "ethnicity",
            "ethnicities of the same name",
            repeated=_REPEATED,
            at_least=len({*_GROUPS.values()}),
        )
        return Parsed(self.name, "births", REGION, rows)

    def _figures(self, source: Source, match: _Found) -> Iterator[Figure]:
        table, header, at_group = match
        for row in read_list(source, table, header, _RULES, None, None):
            group = _GROUPS.get(label_of(table.current[at_group]))
            if group is None:
                assert isinstance(row.place, int)
                source.problem(f"expected an ethnicity of this publisher: {', '.join({*_GROUPS.values()})}", row.place)
            else:
                yield row, group


PARSERS = [NewYorkCity()]
