"""Catalonia, Idescat: "Noms més freqüents dels nadons", all names of four or more newborns of a year.

https://www.idescat.cat/nadons/
Spellings that differ in their accents only are one name, as published: JÚLIA/JULIA. The last column, the share per
thousand, has a decimal comma without quotes around it, so most lines have one field more than the headings.
"""

import re
from collections.abc import Iterator

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, Table
from parser_runner.parsers.views import View


class _Newborns(TextList):
    """A list of one year. Its place stands below the title: a municipality or a county is another region."""

    def recognise(self, source: Source) -> tuple[Table, Header] | None:
        match = super().recognise(source)
        return match if match and _PLACE in match[1].text.casefold() else None

    def parse(self, source: Source, match: tuple[Table, Header]) -> Parsed:
        table, header = match

        def joined(number: int, record: list[str]) -> Iterator[list[str]]:
            share = ",".join(record[header.width - 1 :])
            if number > header.record and _SHARE.fullmatch(share):
                record = [*record[: header.width - 1], share]
            yield record

        return super().parse(source, (View(table, joined), header))


_SHARE = re.compile(r"\d{1,2},\d{1,2}", re.ASCII)
_PLACE = " | catalunya | "
PARSERS = [
    _Newborns(
        name="es-idescat-newborns",
        description="the titles Noms més freqüents dels nadons and Catalunya, then lines of Pos.,Sexe,Nom,Freqüència,‰",
        title="noms més freqüents dels nadons",
        columns=Columns(
            name=("nom",), count=("rànquing. freqüència",), sex=("sexe",), rank=("pos.",), other=("rànquing. ‰",)
        ),
        charset="cp1252",
        rules=Rules(sexes={"D": "F", "H": "M"}, falling=True),
        region="ES-CT",
    )
]
