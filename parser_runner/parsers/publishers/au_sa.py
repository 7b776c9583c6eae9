"""South Australia, Consumer and Business Services: "Popular baby names", one list a year and sex.

https://data.sa.gov.au/data/dataset/popular-baby-names
Year and sex stand only in the file's name (female_cy1944_top.csv); the years 1944 to 2013 come as one archive. Each
line has only the first given name, so several lines can have the same name: they are added up. The heading of names is
Given Name or First Name, that of counts Amount, or in some years Number.
"""

import re
from dataclasses import replace

from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header

_POSITION = re.compile(rb'"?=?(\d{1,9})"?\r?$', re.MULTILINE)
"""The last column; =345 if several names share the position."""
_LIST_BYTES = 1024 * 1024
_NO_NAME = "children without a name (UNNAMED)"


def _top(source: Source, header: Header) -> int | None:
    """100 if no position is beyond it; full lists have many hundreds."""
    positions = [int(digits) for digits in _POSITION.findall(source.head(_LIST_BYTES))]
    return 100 if max(positions, default=0) <= 100 else None


_RULES = Rules(
    no_names={"unnamed": _NO_NAME, "(not": _NO_NAME},
    falling=True,
    adds_up=AddUp(
        reason="lines of the same name (what follows the first name was cut off)",
        at_most=2,
        names_in_1000=200,
        equal=True,
    ),
)
_NAMES = ("given name", "first name")

_AMOUNT = TextList(
    name="au-sa",
    description="lines of Given Name,Amount,Position (female_cy2013_top.csv), or the archive of them",
    columns=Columns(name=_NAMES, count=("amount",), rank=("position",)),
    title="position",
    rules=_RULES,
    charset="cp1252",
    region="AU-SA",
    top=_top,
    named_year=True,
    named_sex=True,
)
_NUMBER = replace(
    _AMOUNT,
    name="au-sa-number",
    description="lines of Given Name,Number,Position (femalecy2016top.csv)",
    columns=Columns(name=_NAMES, count=("number",), rank=("position",)),
    # Other registries have names, numbers and positions too.
    shared=True,
    named=re.compile(r"male_?cy\d{4}(?!\d)|south.?australia", re.ASCII | re.IGNORECASE),
)

PARSERS = [_AMOUNT, _NUMBER]
