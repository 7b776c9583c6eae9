"""Long tables in delimited text, declared rather than programmed: most formats."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from parser_runner.parsers.bare_lines import HEADINGS_ADDED, are_headings
from parser_runner.parsers.contract import Parsed
from parser_runner.parsers.descriptions.heading_words import COUNT, NAME, SEX
from parser_runner.parsers.long import Rules, read_list
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import SEPARATORS, Columns, Header, Table, TextTable, find_header
from parser_runner.parsers.values import Value, has_words, text_of, years_in
from parser_runner.parsers.whose_file import region_given
from parser_runner.parsers.year_and_sex import detect_sex, refuse_sex_hint, resolve_sex, resolve_year

_HEADINGS = {"name": NAME, "sex": SEX, "count": COUNT}
"""That somebody may have added to a list without headings."""


@dataclass(frozen=True, kw_only=True)
class TextList:
    """A parser for long tables in delimited text.

    Args:
        name, description: as in `Parser`.
        columns: the headings.
        bare: the columns' names, if the format has no headings.
        delimiters: all that a file may have; any, since people save files again.
        charset: of files that are not UTF-8.
        measure, region: as in `Parsed`.
        top: as in `Parsed`, or a function that finds it.
        title: words that must stand above or in the headings, in small letters.
        rules: which records are rows.
        footer: what lines below the list are, such as `re.compile("Quelle: .*")`: it matches the whole line, its fields
            joined by a space. They are counted as left out. A matching line within the list refuses the file.
        named_year, named_sex: whether the publisher puts these in the file's name and nowhere else.
        shared, named, regions: as in `Parser`.
        region_names: of regions whose codes nobody knows by heart, for refusals.
    """

    name: str
    description: str
    columns: Columns | None = None
    bare: tuple[str, ...] = ()
    delimiters: str = SEPARATORS
    charset: str | None = None
    measure: str = "births"
    region: str | None = None
    top: int | Callable[[Source, Header], int | None] | None = None
    title: str = ""
    rules: Rules = field(default_factory=Rules)
    footer: re.Pattern[str] | None = None
    named_year: bool = False
    named_sex: bool = False
    shared: bool = False
    named: re.Pattern[str] | None = None
    regions: tuple[str, ...] = ()
    region_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.columns is None) == (not self.bare) and type(self).recognise is TextList.recognise:
            raise ValueError(f"TextList {self.name}: expected either columns, or bare for a list without headings")
        if not self.delimiters or not set(self.delimiters) <= set(SEPARATORS):
            raise ValueError(
                f"TextList {self.name}: delimiters is {self.delimiters!r}: expected some of {SEPARATORS!r}"
            )
        for name in ("footer", "named"):
            pattern = getattr(self, name)
            if pattern is not None and not isinstance(pattern, re.Pattern):
                raise TypeError(f"TextList {self.name}: {name} is a {type(pattern).__name__}: expected re.compile(…)")
        if self.title != self.title.casefold():
            raise ValueError(f"TextList {self.name}: title is {self.title!r}: write it in small letters")

    def recognise(self, source: Source) -> tuple[Table, Header] | None:
        """The table and its headings."""
        for table in TextTable.each(source, self.charset, self.delimiters):
            header = self._bare(source, table) if self.columns is None else find_header(table, self.columns)
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
        if self.bare and header.record:
            source.skip(HEADINGS_ADDED, place=header.record)
        top = self.top(source, header) if callable(self.top) else self.top
        rows = read_list(source, table, header, self.rules, year, sex, self.footer)
        region = region_given(source, self.regions, self.region_names) if self.regions else self.region
        return Parsed(self.name, self.measure, region, rows, top)

    def _bare(self, source: Source, table: Table) -> Header | None:
        """The columns of a format without headings, if the first record fits them."""
        records = [(number, record) for number, record in enumerate(table.head(), 1) if any(map(text_of, record))]
        if not any(map(self._fits, (record for _, record in records[:2]))):
            return None
        number, first = records[0]
        # Headings that somebody added. Any other line above the list is read as one of it, and refused.
        headings = number if are_headings([*map(text_of, first)], [_HEADINGS[column] for column in self.bare]) else 0
        named = self.named is not None and self.named.search(source.own_name)
        if headings and not (named or source.hints.format == self.name):
            return None  # Anybody may have a list with such headings.
        at = {column: index for index, column in enumerate(self.bare)}
        return Header(headings, at["name"], at["count"], -1, at["sex"], len(self.bare), "")

    def _fits(self, record: Sequence[Value]) -> bool:
        """Whether a record is one of a list without headings."""
        if len(record) != len(self.bare):
            return False
        of = dict(zip(self.bare, map(text_of, record), strict=True))
        is_sex = of["sex"] in self.rules.no_sexes or self.rules.sex(of["sex"]) is not None
        return is_sex and of["count"].isdecimal() and not of["name"].isdecimal()
