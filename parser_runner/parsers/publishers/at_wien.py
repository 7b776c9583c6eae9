"""Vienna: given names of newborns, all years since 2010, by the spelling that was registered.

https://www.data.gv.at/katalog/dataset/vornamen-der-wiener-neugeborenen
The publisher's name of the file has "top500", but it has all names, from 1 child on. `SEX` is 1 for boys and 2 for
girls. A child whose name was not known has a point for a name.
"""

from collections.abc import Iterator

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, Table
from parser_runner.parsers.values import label_of, text_of
from parser_runner.parsers.views import View

_PLACE = {"nuts": "AT13", "district_code": "90000", "sub_district_code": "90000"}
"""The columns that say which part of the city, and the codes of the whole."""


class _Newborns(TextList):
    """The city's list. A record of a district is a problem: its children are in the city's figures too."""

    def recognise(self, source: Source) -> tuple[Table, Header] | None:
        match = super().recognise(source)
        return match if match and set(_PLACE) <= set(_labels(*match)) else None

    def parse(self, source: Source, match: tuple[Table, Header]) -> Parsed:
        table, header = match
        labels = _labels(table, header)
        codes = [(labels.index(label), label.upper(), code) for label, code in _PLACE.items()]

        def checked(number: int, record: list[str]) -> Iterator[list[str]]:
            if number > header.record and len(record) == header.width:
                for column, label, code in codes:
                    if text_of(record[column]) != code:
                        source.problem(f"expected {code} as {label}, which is the whole city", number)
                        return
            yield record

        return super().parse(source, (View(table, checked), header))


def _labels(table: Table, header: Header) -> list[str]:
    return [*map(label_of, table.head()[header.record - 1])]


PARSERS = [
    _Newborns(
        name="at-wien-newborns",
        description="the title Vornamen Neugeborene Wien, then lines of NUTS;DISTRICT_CODE;…;SEX;RANK;NAME;N;PERC_SEX",
        title="vornamen neugeborene wien",
        columns=Columns(
            name=("name",),
            count=("n",),
            year=("ref_year",),
            sex=("sex",),
            rank=("rank",),
            other=(*_PLACE, "ref_date", "perc_sex"),
        ),
        charset="cp1252",
        rules=Rules(sexes={"1": "M", "2": "F"}, falling=True),
        region="AT-9",
    )
]
