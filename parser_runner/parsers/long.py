"""Long tables: one name, year and sex per record. The most common shape."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard, cast

from dataset_jobs.model.places import InMember
from parser_runner.parsers.contract import Row
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Header, Table, TextTable
from parser_runner.parsers.values import (
    COUNT_LIMIT,
    Malformed,
    Value,
    count_of,
    has_letter,
    kind_of,
    label_of,
    name_of,
    text_of,
    year_of,
)
from parser_runner.parsers.year_and_sex import check_year

BLANK = "blank records"
NOTES = "titles and notes"
ZERO = "counts of 0"

_REMEMBERED = 1 << 17


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Which records are rows. Each mapping but `sexes` goes from the text of a cell to why the record is left out.

    Args:
        sexes: from the text in the column of the sex to F or M.
        suppressed: texts in place of a count.
        no_names: texts in place of a name, in small letters: totals, aggregates, children without a name.
        no_sexes: texts in the column of the sex.
        no_years: texts in the column of the year.
        nameless: why a record without a name is left out; None if that is a problem.
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
    """The rows of a long table.

    Args:
        source: gets the problems, and counts of the records left out.
        table, header: the list and its columns.
        rules: which records are rows.
        year, sex: of the whole list, if it has no such column.
    """
    texts = isinstance(table, TextTable)
    at_name, at_count, at_year, at_sex, width = header.name, header.count, header.year, header.sex, header.width
    # Checked before: the same names, years and sexes come again and again.
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
    """Whether it is certainly a count above 0."""
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
    """The row of any record. None if it has no row: the reason is counted, or noted as a problem."""
    if not any(map(text_of, record)):
        source.skip(BLANK)
        return None
    column = header.count
    try:
        if _is_left_out(source, record, header, rules):
            return None
        if header.year >= 0:
            column = header.year
            year = year_of(record[column])
            check_year(source, year, table.place(number, column))
        if header.sex >= 0:
            column = header.sex
            sex = sex_of(record[column], rules)
        column = header.count
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
    name, count = record[header.name], record[header.count]
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


def sex_of(value: Value, rules: Rules) -> str:
    """The sex, F or M, from a cell in the column of sexes.

    Raises:
        Malformed: the text is none that the format has.
    """
    sex = rules.sexes.get(text_of(value))
    if sex is None:
        raise Malformed(f"expected {' or '.join(dict.fromkeys(rules.sexes))} as the sex, found {kind_of(value)}")
    return sex


def added_up(source: Source, rows: Iterable[Row], reason: str) -> Iterator[Row]:
    """Adds rows of the same name, sex and year up to one. docs/formats.md says for which publishers that is right."""
    found: dict[tuple[int, str, str], Row] = {}
    for row in rows:
        key = (row.year, row.gender, row.name)
        if first := found.get(key):
            found[key] = first._replace(count=first.count + row.count)
            source.added(reason)
        else:
            found[key] = row
    for row in found.values():
        if row.count <= COUNT_LIMIT:
            yield row
        else:
            # Before an archive is put together, a row's place is local.
            place = None if isinstance(row.place, InMember) else row.place
            source.problem(f"added up, the count is more than {COUNT_LIMIT}", place)
