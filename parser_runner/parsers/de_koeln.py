"""Cologne: given names of children whose births were registered in the city in a year.

https://www.offenedaten-koeln.de/dataset/vornamen
The year stands only in the file's name. All given names of a child are counted, the second and third too. Later files
have one line for each position of a name among the given names. They are added up, so a row means the same in all
years: the children with that name in any position.
"""

from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

REGION = "DE-NW-05315"
"""ISO 3166-2 has no code: this is its code of the state and the city's official municipality key (AGS)."""

PARSERS = [
    TextList(
        name="de-koeln",
        description="lines of vorname,anzahl,geschlecht, or of anzahl;vorname;geschlecht;position",
        columns=Columns(name=("vorname",), count=("anzahl",), sex=("geschlecht",), over=("position",)),
        delimiters=",;",
        charset="cp1252",
        rules=Rules(
            sexes={"w": "F", "m": "M"},
            nameless="records without a name",
            falling=True,
            adds_up=AddUp(reason="positions of the same given name"),
        ),
        region=REGION,
        named_year=True,
    )
]
