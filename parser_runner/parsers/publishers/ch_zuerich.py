"""Zurich, the city: given names of newborns whose parents live there, all years since 1993.

https://data.stadt-zuerich.ch/dataset/bev_vornamen_baby_od3700
Names of one child are listed too. The headings are those that any publisher may have, so the publisher's name of the
file, bev_vornamen_baby, or the uploader's word must say whose list it is. The canton has lists of its own.
"""

import re

from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

PARSERS = [
    TextList(
        name="ch-zuerich-newborns",
        description="lines of jahr,vorname,geschlecht,Anzahl",
        columns=Columns(name=("vorname",), count=("anzahl",), year=("jahr",), sex=("geschlecht",)),
        charset="cp1252",
        rules=Rules(sexes={"weiblich": "F", "männlich": "M"}),
        region="CH-ZH-261",
        shared=True,
        named=re.compile(r"(?<![^\W_])bev_vornamen_baby(?![^\W_])", re.IGNORECASE),
    )
]
