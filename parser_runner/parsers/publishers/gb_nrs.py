"""Scotland, National Records of Scotland: "Babies' first names", all names of a year, or of all years.

https://www.nrscotland.gov.uk/publications/babies-first-names/
The full list of a year is an archive of two lists, one a sex, whose title has the sex and the year. A list of all
years has a record for each name, sex and year. Its newest shape (full-list-1974-2024.zip) leaves out names of one or
two children; its headings are Year, Sex, Name, Number and Rank, as anybody may write them.
"""

import re

from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

PARSERS = [
    TextList(
        name="gb-nrs-full-list",
        description="an archive of lists titled: Full list of first forenames given to boys, Scotland, 2020",
        columns=Columns(
            name=("boys' names", "girls' names"), count=("number of babies",), rank=("rank",), other=("nb",)
        ),
        title="full list of first forenames given to",
        rules=Rules(falling=True),
        charset="cp1252",
        region="GB-SCT",
    ),
    TextList(
        name="gb-nrs-all-years",
        description="lines of yr,sex,FirstForename,number,rank,position",
        columns=Columns(
            name=("firstforename",),
            count=("number",),
            year=("yr", "year"),
            sex=("sex",),
            rank=("rank",),
            other=("position",),
        ),
        rules=Rules(sexes={"B": "M", "G": "F"}),
        charset="cp1252",
        region="GB-SCT",
    ),
    TextList(
        name="gb-nrs-since-1974",
        description="lines of Year,Sex,Name,Number,Rank with Boy and Girl (full-list-1974-2024.zip)",
        columns=Columns(name=("name",), count=("number",), year=("year",), sex=("sex",), rank=("rank",)),
        rules=Rules(sexes={"Boy": "M", "Girl": "F"}),
        charset="cp1252",
        region="GB-SCT",
        shared=True,
        named=re.compile(r"full-list-1974|(?<![a-z])(?:scotland|nrs)(?![a-z])", re.IGNORECASE),
    ),
]
