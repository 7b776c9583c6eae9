"""South Australia, Consumer and Business Services: "Popular baby names", one list a year and sex.

https://data.sa.gov.au/data/dataset/popular-baby-names
Year and sex stand only in the file's name (female_cy1944_top.csv); the years 1944 to 2013 come as one archive. What
was registered beside the first name is cut off, so the same name can stand in several lines: they are added up.
"""

from parser_runner.parsers.lists import Rules, TextList
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, Table
from parser_runner.parsers.values import label_of, text_of

_NO_NAME = "children without a name (UNNAMED)"


def _top(source: Source, table: Table, header: Header) -> int | None:
    """100, where no position is beyond it: full lists have many hundreds."""
    labels = [label_of(value) for value in table.head()[header.record - 1]]
    column = labels.index("position")
    positions = [text_of(record[column]).lstrip("=") for _, record in table.records() if column < len(record)]
    source.rewind()
    return 100 if max((int(text) for text in positions if text.isdecimal()), default=0) <= 100 else None


PARSERS = [
    TextList(
        name="au-sa",
        description="lines of Given Name,Amount,Position (female_cy2013_top.csv), or the archive of them",
        columns=Columns(name=("given name",), count=("amount", "number"), other=("position",)),
        rules=Rules(no_names={"unnamed": _NO_NAME, "(not": _NO_NAME, "total": "totals"}),
        charset="cp1252",
        region="AU-SA",
        top=_top,
        named_year=True,
        named_sex=True,
        adds_up="lines of the same name (what follows the first name was cut off)",
    )
]
