"""New South Wales, Registry of Births, Deaths and Marriages: "Popular baby names", the top 100 of each year and sex.

https://data.nsw.gov.au/data/dataset/popular-baby-names-from-1952
The headings are those that any registry may write; the publisher's file is popular_baby_names_1952_to_2024.csv.
"""

import re

from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

PARSERS = [
    TextList(
        name="au-nsw",
        description="lines of Rank,Name,Number,Gender,Year",
        columns=Columns(name=("name",), count=("number",), year=("year",), sex=("gender",), rank=("rank",)),
        rules=Rules(sexes={"Female": "F", "Male": "M"}, falling=True),
        charset="cp1252",
        region="AU-NSW",
        top=100,
        shared=True,
        named=re.compile(
            r"popular_baby_names_1952_to_\d{4}|(?<![a-z])nsw(?![a-z])|new.?south.?wales", re.ASCII | re.IGNORECASE
        ),
    )
]
