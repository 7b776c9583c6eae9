"""The commonest shape: a list, one name a record."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard, cast

from dataset_jobs.model.causes import Reason
from parser_runner.parsers.contract import Parsed, Row
from parser_runner.parsers.said import check_year, refuse_sex_hint, sex_in, the_sex, the_year
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Columns, Header, Table, TextTable, find_header
from parser_runner.parsers.values import (
    Malformed,
    Value,
    count_of,
    has_letter,
    label_of,
    name_of,
    text_of,
    year_of,
    years_in,
)

BLANK = "blank records"
NOTES = "titles and notes"
ZERO = "counts of 0"

_REMEMBERED = 1 << 17


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What is a row, and what is not. Each mapping goes from what stands in the cell to why it is left out.

    Args:
        sexes: what stands in the column of the sex, and what it means.
        suppressed: in place of a count.
        no_names: in place of a name, in small letters: totals, aggregates, children without a name.
        no_sexes: in the column of the sex.
        no_years: in the column of the year.
        nameless: why a record without a name is left out; None where that is a problem.
    """

    sexes: Mapping[str, str] = field(default_factory=dict)
    suppressed: Mapping[str, str] = field(default_factory=dict)
    no_names: Mapping[str, str] = field(default_factory=dict)
    no_sexes: Mapping[str, str] = field(default_factory=dict)
    no_years: Mapping[str, str] = field(default_factory=dict)
    nameless: str | None = None


def read_list(
    source: Source, table: Table, header: Header, rules: Rules, year: int | None, sex: str | None
) -> Iterator[Row]:
    """The rows of a list.

    Args:
        source: for what is left out, and for problems.
        table, header: the list, and where its columns are.
        rules: what is a row.
        year, sex: of all of it, where there is no such column.
    """
    texts = isinstance(table, TextTable)
    at_name, at_count, at_year, at_sex, width = header.name, header.number, header.year, header.sex, header.width
    # What has been checked before: the same names, years and sexes come again and again.
    names: dict[Value, str] = {}
    years: dict[Value, int] = {}
    for number, record in table.records():
        if number <= header.record:
            continue
        if texts and len(record) != width and any(map(text_of, record)):
            source.problem(f"expected {width} fields, found {len(record)}", number)
            continue
        if texts and len(record) == width and (name := names.get(record[at_name])) is not None:
            known_year = years.get(record[at_year]) if at_year >= 0 else year
            known_sex = rules.sexes.get(cast("str", record[at_sex])) if at_sex >= 0 else sex
            count = record[at_count]
            if known_year and known_sex and _is_plain(count):
                yield Row(known_year, known_sex, name, int(count), number)
                continue
        row = _row(source, table, header, rules, number, record, year, sex)
        if row is not None:
            if len(names) < _REMEMBERED:
                names[record[at_name]] = row.name
                if at_year >= 0:
                    years[record[at_year]] = row.year
            yield row


def _is_plain(count: Value) -> TypeGuard[str]:
    """Whether it is certainly a count other than 0."""
    return isinstance(count, str) and count.isdigit() and count.isascii() and len(count) < 10 and count[0] != "0"


def _row(
    source: Source,
    table: Table,
    header: Header,
    rules: Rules,
    number: int,
    record: Sequence[Value],
    year: int | None,
    sex: str | None,
) -> Row | None:
    """The row of a record, whatever stands in it; None, and said why, where it has none."""
    if not any(map(text_of, record)):
        source.skip(BLANK)
        return None
    column = header.number
    try:
        if _is_left_out(source, record, header, rules):
            return None
        if header.year >= 0:
            column = header.year
            year = year_of(record[column])
            check_year(source, year, table.place(number, column))
        if header.sex >= 0:
            column = header.sex
            sex = _sex(record[column], rules)
        column = header.number
        count = count_of(record[column])
        column = header.name
        name = name_of(record[column], source.limits.name_chars)
    except Malformed as error:
        source.problem(str(error), table.place(number, column))
        return None
    if count == 0:
        source.skip(ZERO)
        return None
    assert year is not None
    assert sex is not None
    return Row(year, sex, name, count, table.place(number, header.name))


def _is_left_out(source: Source, record: Sequence[Value], header: Header, rules: Rules) -> bool:
    name, count = record[header.name], record[header.number]
    if not text_of(name):
        if not text_of(count) and has_letter("".join(map(text_of, record))):
            source.skip(NOTES)
            return True
        if rules.nameless is not None:
            count_of(count)
            source.skip(rules.nameless)
            return True
    checks = (
        (rules.no_names, label_of(name)),
        (rules.no_years, text_of(record[header.year]) if header.year >= 0 else ""),
        (rules.no_sexes, text_of(record[header.sex]) if header.sex >= 0 else ""),
        (rules.suppressed, text_of(count)),
    )
    for reasons, found in checks:
        if found in reasons:
            source.skip(reasons[found])
            return True
    return False


def _sex(value: Value, rules: Rules) -> str:
    sex = rules.sexes.get(text_of(value))
    if sex is None:
        raise Malformed(f"expected {' or '.join(dict.fromkeys(rules.sexes))} as the sex")
    return sex


def added_up(source: Source, rows: Iterable[Row], reason: str) -> Iterator[Row]:
    """Rows of the same name, sex and year as one, where that is what the publisher's figures mean; see docs."""
    found: dict[tuple[int, str, str], Row] = {}
    for row in rows:
        key = (row.year, row.gender, row.name)
        if first := found.get(key):
            found[key] = first._replace(count=first.count + row.count)
            source.added(reason)
        else:
            found[key] = row
    yield from found.values()


@dataclass(frozen=True, kw_only=True)
class TextList:
    """A parser for lists in delimited text.

    Args:
        name, description: as every parser has.
        columns: the headings; or `bare`, the columns' names where the format has no headings.
        delimiters: those that the publisher has used.
        charset: of files that are not UTF-8.
        measure, region: as in `Parsed`.
        top: as in `Parsed`, or how to find it out.
        title: what must stand above or in the headings, in small letters.
        rules: what is a row.
        named_year, named_sex: whether the publisher puts these in the file's name and nowhere else.
        adds_up: why records of the same name, sex and year are added up; None where they are refused.
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
    adds_up: str | None = None

    def recognises(self, source: Source) -> bool:
        """Whether the headings are there."""
        return self._find(source) is not None

    def parse(self, source: Source) -> Parsed:
        """Starts reading."""
        found = self._find(source)
        assert found is not None
        table, header = found
        within = years_in(header.text)
        year, sex = None, None
        if header.year < 0:
            year = the_year(
                source, within[0] if len(within) == 1 else None, header.record or None, named=self.named_year
            )
        if header.sex < 0:
            sex = the_sex(source, sex_in(header.text), header.record or None, named=self.named_sex)
        else:
            refuse_sex_hint(source)
        top = self.top(source, header) if callable(self.top) else self.top
        rows = self._rows(source, table, header, year, sex)
        return Parsed(self.name, self.measure, self.region, rows, top)

    def _rows(self, source: Source, table: Table, header: Header, year: int | None, sex: str | None) -> Iterator[Row]:
        rows = read_list(source, table, header, self.rules, year, sex)
        yield from added_up(source, rows, self.adds_up) if self.adds_up else rows
        source.raise_problems()

    def _find(self, source: Source) -> tuple[Table, Header] | None:
        for delimiter in self.delimiters:
            table = TextTable(source, delimiter, self.charset)
            header = self._bare(table) if self.columns is None else find_header(table, self.columns)
            if header is not None and self.title in header.text.casefold():
                return table, header
        return None

    def _bare(self, table: Table) -> Header | None:
        """The columns of a format without headings, if its first record is one of its records."""
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


def no_such_list(source: Source, what: str) -> Exception:
    """The refusal of a workbook that is the publisher's, but has not the sheets that are needed."""
    return source.rejected(Reason.INVALID_FORMAT, what)
