"""Wide tables: one record per name, one column per year. And blocks of name and count side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from parser_runner.parsers.contract import Row
from parser_runner.parsers.long import BLANK, NOTES, ZERO, Rules, sex_of
from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Table, TextTable
from parser_runner.parsers.values import (
    Malformed,
    Value,
    count_of,
    has_letter,
    is_year,
    label_of,
    marked_year,
    name_of,
    text_of,
    year_of,
)
from parser_runner.parsers.year_and_sex import check_year


class Wide(NamedTuple):
    """The columns of a wide table, and the number of the record with its headings. An absent column is -1."""

    record: int
    name: int
    years: Mapping[int, int]
    width: int
    sex: int = -1


def find_wide(table: Table, names: Sequence[str], others: Sequence[str] = (), sexes: Sequence[str] = ()) -> Wide | None:
    """The first record of the head with one heading for names, with years, each once, and else only known headings.

    With `sexes`, it must have one of these headings too.
    """
    for number, record in enumerate(table.head(), 1):
        labels = [*map(label_of, record)]
        years = {column: year_of(value) for column, value in enumerate(record) if is_year(value)}
        rest = [label for column, label in enumerate(labels) if column not in years and label]
        name = [label for label in rest if label in names]
        sex = [label for label in rest if label in sexes]
        if len(sex) != bool(sexes):
            continue
        known = {*names, *others, *sexes}
        if len(name) == 1 and years and known.issuperset(rest) and len({*years.values()}) == len(years):
            at_sex = labels.index(sex[0]) if sex else -1
            return Wide(number, labels.index(name[0]), years, len(labels), at_sex)
    return None


def years_over(record: Sequence[Value]) -> dict[int, int]:
    """The years over the columns of a table, by column.

    A year stands over its own column and over those right of it, up to the next year, as a merged cell does.
    """
    over: dict[int, int] = {}
    year = None
    for column, value in enumerate(record):
        year = marked_year(value) or year
        if year is not None:
            over[column] = year
    return over


def read_wide(source: Source, table: Table, wide: Wide, rules: Rules, sex: str | None) -> Iterator[Row]:
    """The rows of a wide table.

    Args:
        source: gets the problems, and counts of the records and figures left out.
        table, wide: the table and its columns.
        rules: which records and figures are rows.
        sex: of the whole table, if it has no such column.
    """
    limit = source.limits.name_chars
    for column, year in wide.years.items():
        check_year(source, year, table.place(wide.record, column))
    for number, record in table.records():
        if number <= wide.record:
            continue
        if not any(map(text_of, record)):
            source.skip(BLANK)
            continue
        if len(record) != wide.width:
            source.problem(f"expected {wide.width} fields, found {len(record)}", table.place(number, 0))
            continue
        if not isinstance(table, TextTable) and not any(text_of(record[column]) for column in wide.years):
            # The column of names has a note.
            source.skip(NOTES)
            continue
        if (reason := _left_out(record, wide.name, wide.sex, rules)) is not None:
            source.skip(reason)
            continue
        column = wide.name
        try:
            if wide.sex >= 0:
                column = wide.sex
                sex = sex_of(record[column], rules)
                column = wide.name
            assert sex is not None
            name = name_of(record[column], limit)
            for column, year in wide.years.items():
                count = _count(source, record[column], rules)
                if count:
                    yield Row(year, sex, name, count, table.place(number, column))
        except Malformed as error:
            source.problem(str(error), table.place(number, column))


@dataclass(frozen=True, slots=True)
class Block:
    """Two columns of a table: names of one year and sex, and their counts."""

    year: int
    sex: str
    name: int
    count: int


def read_blocks(source: Source, table: Table, below: int, blocks: Sequence[Block], rules: Rules) -> Iterator[Row]:
    """The rows of blocks side by side, below a record. Each block has its own length.

    After a blank record, records without a figure are notes.
    """
    blank = False
    width = len(table.head()[max(below - 1, 0)])
    for number, record in table.records():
        if number <= below:
            continue
        if not any(map(text_of, record)):
            source.skip(BLANK)
            blank = True
            continue
        if len(record) != width:
            source.problem(f"expected {width} fields, found {len(record)}", table.place(number, 0))
            continue
        cells = [(block, record[block.name], record[block.count]) for block in blocks]
        no_figure = blank and not any(_is_figure(count, rules) for _, _, count in cells)
        if no_figure and has_letter("".join(map(text_of, record))):
            source.skip(NOTES)
            continue
        for block, name, count in cells:
            if text_of(name) or text_of(count):
                yield from _block_row(source, table, number, block, record, rules)


def _block_row(
    source: Source, table: Table, number: int, block: Block, record: Sequence[Value], rules: Rules
) -> Iterator[Row]:
    column = block.name
    if (reason := _left_out(record, column, -1, rules)) is not None:
        source.skip(reason)
        return
    try:
        name = name_of(record[column], source.limits.name_chars)
        column = block.count
        count = _count(source, record[column], rules)
        if count:
            yield Row(block.year, block.sex, name, count, table.place(number, block.name))
    except Malformed as error:
        source.problem(str(error), table.place(number, column))


def _left_out(record: Sequence[Value], name: int, sex: int, rules: Rules) -> str | None:
    """Why a record of these columns is no row; None if it may be one."""
    if rules.no_names and (label := label_of(record[name])) in rules.no_names:
        return rules.no_names[label]
    return rules.no_sexes.get(text_of(record[sex])) if sex >= 0 else None


def _count(source: Source, value: Value, rules: Rules) -> int:
    """A count. Without one it is 0, and counted as left out."""
    text = text_of(value)
    if text in rules.suppressed:
        source.skip(rules.suppressed[text])
        return 0
    count = count_of(value)
    if count == 0:
        source.skip(ZERO)
    return count


def _is_figure(value: Value, rules: Rules) -> bool:
    if text_of(value) in rules.suppressed:
        return True
    try:
        count_of(value)
    except Malformed:
        return False
    return True
