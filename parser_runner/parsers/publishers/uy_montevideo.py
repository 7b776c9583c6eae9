"""Uruguay, Intendencia de Montevideo: names of the children in the births of the civil registry of Montevideo.

https://catalogodatos.gub.uy/dataset/intendencia-montevideo-partidas-de-registro-civil-de-montevideo
It covers that department, half of the country's births, and not the country; 2012 is a part of the year. All names, of
one child too. There are no headings; later files have ANIO,SEXO,NOMBRE,NACIMIENTOS. Neither proves this publisher.

The publisher counted texts, so a name stands again if somebody typed another number of spaces ("MARIA  DEL"). Lines
that differ in spaces alone are added up. Lines that are equal, as the last four of 2012 are, are one line. Lines
without a name, or with N.N. or the like, are left out.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.summed import CurrentTable, Figure, Repeated, summed
from parser_runner.parsers.tables import Columns, Header, find_header
from parser_runner.parsers.values import Malformed, count_of, has_letter, is_year, text_of
from parser_runner.parsers.year_and_sex import refuse_sex_hint

_COLUMNS = Columns(year=("anio", "año"), sex=("sexo",), name=("nombre",), count=("nacimientos",))
_NAMELESS = "children without a name (N.N., SIN VIDA, XXXXXXXXX)"
_SEXES = {"F": "F", "M": "M"}
_RULES = Rules(
    sexes=_SEXES,
    no_names=dict.fromkeys(("nn", "n.n", "n.n.", "sin vida", "xxxxxxxxx"), _NAMELESS),
    nameless="records without a name",
)

_REPEATED = Repeated(reason="lines that the publisher repeats (the same line twice is one line)", at_most=2)


class _Found(NamedTuple):
    table: CurrentTable
    header: Header


class Montevideo:
    """Both sexes, all years."""

    name = "uy-montevideo"
    description = "lines of year, F or M, name and count, without headings (nombre_nacim_x_anio_sexo.csv)"
    shared = True
    region = "UY-MO"
    named = re.compile("nombre_nacim_x_anio_sexo", re.IGNORECASE)

    def recognise(self, source: Source) -> _Found | None:
        for table in CurrentTable.each(source, "cp1252"):
            if header := find_header(table, _COLUMNS) or _bare(table):
                return _Found(table, header)
        return None

    def parse(self, source: Source, match: _Found) -> Parsed:
        refuse_sex_hint(source)
        figures = self._figures(source, match)
        rows = summed(source, figures, "spelling", "lines of the same name with other spaces", repeated=_REPEATED)
        return Parsed(self.name, "births", self.region, rows)

    def _figures(self, source: Source, match: _Found) -> Iterator[Figure]:
        table, header = match
        for row in read_list(source, table, header, _RULES, None, None):
            yield row, str(table.current[header.name])


def _bare(table: CurrentTable) -> Header | None:
    """The columns, if the first record is a year, a sex, a text and a count."""
    first = next(iter(table.head()), [])
    if len(first) != 4 or not is_year(first[0]) or text_of(first[1]) not in _SEXES or not has_letter(first[2]):
        return None
    try:
        count_of(first[3])
    except Malformed:
        return None
    return Header(record=0, name=2, count=3, year=0, sex=1, width=4, text="")


PARSERS = [Montevideo()]
