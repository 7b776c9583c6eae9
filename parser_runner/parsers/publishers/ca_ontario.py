"""Ontario: "Ontario top baby names", one list a sex, names of at least five children.

https://data.ontario.ca/dataset/ontario-top-baby-names-female
The title in the first line has the sex. All years are in one file; the female one has some before 1917.
"""

from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

PARSERS = [
    TextList(
        name="ca-ontario",
        description="lines of Year/Année,Name/Nom,Frequency/Fréquence below a title with the sex",
        columns=Columns(name=("name/nom",), count=("frequency/fréquence",), year=("year/année",)),
        title="ontario top baby names",
        charset="cp1252",
        rules=Rules(nameless="records without a name"),
        region="CA-ON",
        named_sex=True,
    )
]
