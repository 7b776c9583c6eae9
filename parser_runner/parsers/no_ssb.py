"""Norway, Statistics Norway: table 10467 of StatBank, first names of the newborn, as it is exported.

https://www.ssb.no/en/statbank/table/10467
A title, an empty line, the headings, and a line for each name and year. "." and ".." mean that there is no figure. An
export has one sex, which stands only in the file's name; without it, --sex is needed.
"""

from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

_NO_FIGURE = "years without a figure (. and ..)"

PARSERS = [
    TextList(
        name="no-ssb-10467",
        description='lines of "first name";"year";"Born persons" below the title of table 10467',
        columns=Columns(
            name=("first name", "fornavn"), count=("born persons", "fødte", "personer"), year=("year", "år")
        ),
        charset="cp1252",
        title="10467",
        rules=Rules(suppressed={".": _NO_FIGURE, "..": _NO_FIGURE}),
        named_sex=True,
    )
]
