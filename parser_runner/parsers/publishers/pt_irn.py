"""Portugal, Instituto dos Registos e do Notariado: names registered in a year.

https://dados.gov.pt/pt/datasets/nomes-registados/
The year stands only in the file's name. 2014 has headings and whole compound names; later files have none, and another
order of columns. The same name can stand in two lines, once with nearly all of its children: they are added up. Names
of children whose sex was not determined (I) are left out: the table knows two sexes.
"""

from parser_runner.parsers.adding import AddUp
from parser_runner.parsers.bare_names import NAMED_PORTUGAL, NAMED_US, look_at, undecided
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.long import Rules
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, Table

_RULES = Rules(
    sexes={"F": "F", "M": "M"},
    no_sexes={"I": "children of undetermined sex (I)"},
    falling=True,
    adds_up=AddUp(reason="lines of the same name", at_most=2, names_in_1000=1),
)


_WITH_HEADINGS = TextList(
    name="pt-irn",
    description="lines of nome,numero,genero (nomes-registados-2014.csv)",
    columns=Columns(name=("nome",), count=("numero", "número"), sex=("genero", "género")),
    charset="cp1252",
    rules=_RULES,
    named_year=True,
)


class _Bare(TextList):
    """The files without headings. The US publisher's national files have the same three fields; see `bare_names`."""

    def recognise(self, source: Source) -> tuple[Table, Header] | None:
        """As `TextList`, of lists that may be Portugal's."""
        if _WITH_HEADINGS.recognise(source):
            return None
        found = look_at(source)
        if NAMED_US.search(source.own_name) or not (found.is_portuguese or found.is_undecided):
            return None
        return super().recognise(source)

    def parse(self, source: Source, match: tuple[Table, Header]) -> Parsed:
        """As `TextList`, if it is Portugal's.

        Raises:
            Rejected: nothing tells, neither the file's name nor the uploader.
        """
        said = source.hints.format == self.name or NAMED_PORTUGAL.search(source.own_name)
        if not said and not look_at(source).is_portuguese:
            raise undecided(source, "PT", self.name)
        return super().parse(source, match)


PARSERS = [
    _WITH_HEADINGS,
    _Bare(
        name="pt-irn-bare",
        description="lines of name, F or M, and count, without headings (nomes-registados-2016.csv)",
        bare=("name", "sex", "count"),
        named=NAMED_PORTUGAL,
        charset="cp1252",
        rules=_RULES,
        named_year=True,
    ),
]
