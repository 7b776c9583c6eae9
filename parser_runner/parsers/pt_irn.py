"""Portugal, Instituto dos Registos e do Notariado: names registered in a year.

https://dados.gov.pt/pt/datasets/nomes-registados/
The year stands only in the file's name. 2014 has headings and whole compound names; later files have none, and another
order of columns. The same name can stand in two lines, once with nearly all of its children: they are added up. Names
of children whose sex was not determined (I) are left out: the table knows two sexes.
"""

from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.tables import Columns

_RULES = Rules(
    sexes={"F": "F", "M": "M"},
    no_sexes={"I": "children of undetermined sex (I)"},
    falling=True,
    adds_up=AddUp(reason="lines of the same name", at_most=2, names_in_1000=1),
)

PARSERS = [
    TextList(
        name="pt-irn",
        description="lines of nome,numero,genero (nomes-registados-2014.csv)",
        columns=Columns(name=("nome",), count=("numero", "número"), sex=("genero", "género")),
        delimiters=",;",
        charset="cp1252",
        rules=_RULES,
        named_year=True,
    ),
    TextList(
        name="pt-irn-bare",
        description="lines of name, F or M, and count, without headings (nomes-registados-2016.csv)",
        bare=("name", "sex", "count"),
        delimiters=",;",
        charset="cp1252",
        rules=_RULES,
        named_year=True,
    ),
]
