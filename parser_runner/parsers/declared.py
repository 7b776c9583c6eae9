"""Long tables in delimited text, declared rather than programmed: most formats."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, Table, TextTable, find_header
from parser_runner.parsers.values import has_words, text_of, years_in
from parser_runner.parsers.whose_file import region_given
from parser_runner.parsers.year_and_sex import detect_sex, refuse_sex_hint, resolve_sex, resolve_year


@dataclass(frozen=True, kw_only=True)
class TextList:
    """A parser for long tables in delimited text.

    Args:
        name, description: as in `Parser`.
        columns: the headings.
        bare: the columns' names, if the format has no headings.
        delimiters: all that the publisher used.
        charset: of files that are not UTF-8.
        measure, region: as in `Parsed`.
        top: as in `Parsed`, or a function that finds it.
        title: words that must stand above or in the headings, in small letters.
        rules: which records are rows.
        named_year, named_sex: whether the publisher puts these in the file's name and nowhere else.
        shared, named, regions: as in `Parser`.
    """

    name: str
    description: str
    columns: Columns | None = None
    bare: tuple[str, ...] = ()
    delimiters: str = ","
    charset: str | None = None
    measure: str = "births"
    region: str | None = None
    top: int | Callable[[Source, Header], int | None] | None = None
    title: str = ""
    rules: Rules = field(default_factory=Rules)
    named_year: bool = False
    named_sex: bool = False
    shared: bool = False
    named: re.Pattern[str] | None = None
    regions: tuple[str, ...] = ()

    def recognise(self, source: Source) -> tuple[Table, Header] | None:
        """The table and its headings."""
        for delimiter in self.delimiters:
            table = TextTable(source, delimiter, self.charset)
            header = self._bare(table) if self.columns is None else find_header(table, self.columns)
            if header is not None and has_words(header.text, self.title):
                return table, header
        return None

    def parse(self, source: Source, match: tuple[Table, Header]) -> Parsed:
        """Starts reading."""
        table, header = match
        within = years_in(header.text)
        year, sex = None, None
        if header.year < 0:
            year = resolve_year(
                source, within[0] if len(within) == 1 else None, header.record or None, named=self.named_year
            )
        if header.sex < 0:
            sex = resolve_sex(source, detect_sex(header.text), header.record or None, named=self.named_sex)
        else:
            refuse_sex_hint(source)
        top = self.top(source, header) if callable(self.top) else self.top
        rows = read_list(source, table, header, self.rules, year, sex)
        region = region_given(source, self.regions) if self.regions else self.region
        return Parsed(self.name, self.measure, region, rows, top)

    def _bare(self, table: Table) -> Header | None:
        """The columns of a format without headings, if the first record fits them."""
        first = next(iter(table.head()), [])
        if len(first) != len(self.bare):
            return None
        at = {column: index for index, column in enumerate(self.bare)}
        if (
            text_of(first[at["sex"]]) not in {*self.rules.sexes, *self.rules.no_sexes}
            or not text_of(first[at["count"]]).isdecimal()
        ):
            return None
        return Header(0, at["name"], at["count"], -1, at["sex"], len(first), "")
