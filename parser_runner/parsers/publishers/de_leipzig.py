"""Leipzig: given names of children whose births were registered in the city in a year.

https://opendata.leipzig.de/dataset/vornamensstatistik
The year stands only in the file's name. Files of 2014 to 2018 have girls and boys side by side, under headings of the
city's own. Later files are lists of the registries' program: see `de_registries` for what such a list holds.
"""

from collections.abc import Iterator

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules
from parser_runner.parsers.publishers.de_registries import LEIPZIG, RegistryList, registry_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Header, Table, TextTable
from parser_runner.parsers.values import label_of, text_of
from parser_runner.parsers.views import View

_LABELS = ["rang", "anzahl", "vorname", "geschlecht"]
_SIDE = len(_LABELS)
_HEADINGS = [*_LABELS, "-", *_LABELS]


class _SideBySide(RegistryList):
    """Two lists beside one another, with an empty column between. The shorter one is filled up with empty fields."""

    def recognise(self, source: Source) -> tuple[Table, Header] | None:
        for table in TextTable.each(source, self.charset, self.delimiters):
            head = table.head()
            for number, record in enumerate(head, 1):
                if [*map(label_of, record)] == _HEADINGS:
                    texts = " | ".join(filter(None, (text_of(value) for above in head[:number] for value in above)))
                    return table, Header(number, 2, 1, -1, 3, _SIDE, texts, rank=0)
        return None

    def parse(self, source: Source, match: tuple[Table, Header]) -> Parsed:
        table, header = match

        def sides(number: int, record: list[str]) -> Iterator[list[str]]:
            if number <= header.record or not any(map(text_of, record)):
                yield record[:_SIDE]
            elif len(record) != len(_HEADINGS) or text_of(record[_SIDE]):
                source.problem(f"expected {_SIDE} fields, an empty one, and {_SIDE} fields", number)
            else:
                yield from (side for side in (record[:_SIDE], record[_SIDE + 1 :]) if any(map(text_of, side)))

        return super().parse(source, (View(table, sides), header))


PARSERS = [
    _SideBySide(
        name="de-leipzig-side-by-side",
        description="lines of Rang,Anzahl,Vorname,Geschlecht,-,Rang,Anzahl,Vorname,Geschlecht",
        charset="cp1252",
        rules=Rules(sexes={"w": "F", "m": "M"}, falling=True),
        region=LEIPZIG,
        named_year=True,
    ),
    registry_list("de-leipzig", LEIPZIG),
]
