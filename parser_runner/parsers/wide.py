"""Wide tables: one record per name, one column per year. And blocks of name and count side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from parser_runner.parsers.adding import Adder
from parser_runner.parsers.contract import Row
from parser_runner.parsers.long import ABOVE, BLANK, NOTES, ZERO, Rules, figure_of, is_above, sex_of
from parser_runner.parsers.order import HEADINGS_AGAIN, Order
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.tables import Table, TextTable
from parser_runner.parsers.totals import total_reason
from parser_runner.parsers.values import (
    NO_LETTERS,
    Malformed,
    NoLetters,
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
    headings: Sequence[Value] | None = None
    for column, year in wide.years.items():
        check_year(source, year, table.place(wide.record, column))
    for number, record in table.records():
        if number <= wide.record:
            headings = record
            if number < wide.record and is_above(record, wide.name, wide.years):
                source.problem(ABOVE, table.place(number, wide.name))
            continue
        if not any(map(text_of, record)):
            source.skip(BLANK)
        elif record == headings:
            source.problem(HEADINGS_AGAIN, table.place(number, 0))
        elif len(record) != wide.width:
            source.problem(f"expected {wide.width} fields, found {len(record)}", table.place(number, 0))
        elif not isinstance(table, TextTable) and not any(text_of(record[column]) for column in wide.years):
            # The column of names has a note.
            source.skip(NOTES, place=table.place(number, 0))
        elif (reason := _left_out(record, wide.name, wide.sex, rules)) is not None:
            source.skip(reason, place=table.place(number, wide.name))
        else:
            yield from _wide_rows(source, table, wide, number, record, rules, sex)


def _wide_rows(
    source: Source, table: Table, wide: Wide, number: int, record: Sequence[Value], rules: Rules, sex: str | None
) -> Iterator[Row]:
    column = wide.sex
    try:
        if wide.sex >= 0:
            sex = sex_of(record[column], rules)
        assert sex is not None
        column = wide.name
        try:
            name = name_of(record[column], source.limits.name_chars)
        except NoLetters:
            name = ""
        for column, year in wide.years.items():
            place = table.place(number, column)
            count = _count(source, record[column], rules, place)
            if count and name:
                yield Row(year, sex, name, count, place)
            elif count:
                source.skip(NO_LETTERS, 1, place, count)
    except Malformed as error:
        if reason := total_reason(record[wide.name]):
            source.skip(reason, 1, table.place(number, column))
        else:
            source.problem(str(error), table.place(number, column))


@dataclass(frozen=True, slots=True)
class Block:
    """Two columns of a table: names of one year and sex, and their counts; and the column of ranks, or -1."""

    year: int
    sex: str
    name: int
    count: int
    rank: int = -1


def read_blocks(source: Source, table: Table, below: int, blocks: Sequence[Block], rules: Rules) -> Iterator[Row]:
    """The rows of blocks side by side, below a record. Each block has its own length.

    After a blank record, records without a figure are notes. So are records with nothing in any block.
    """
    rows = _Blocks(source, table, below, blocks, rules).rows()
    if rules.adds_up is None:
        for row, _ in rows:
            yield row
        return
    adder = Adder(source, rules.adds_up)
    for row, rank in rows:
        adder.add(row, rank=text_of(rank))
    yield from adder.rows()


class _Blocks:
    """Reads blocks; see `read_blocks`."""

    def __init__(self, source: Source, table: Table, below: int, blocks: Sequence[Block], rules: Rules) -> None:
        self._source = source
        self._table = table
        self._below = below
        self._blocks = blocks
        self._rules = rules
        self._order = Order(source, falling=rules.falling)
        self._seen: dict[tuple[Block, str], int] = {}
        """Counts by name, if a line that comes again counts once."""

    def rows(self) -> Iterator[tuple[Row, Value]]:
        """The lines of all blocks, with their ranks."""
        source, table = self._source, self._table
        blank = False
        head = table.head()
        width = len(head[max(self._below - 1, 0)])
        headings = [record for record in head[: self._below] if any(map(text_of, record))][-2:]
        for number, record in table.records():
            if number <= self._below:
                if number < self._below and any(is_above(record, one.name, [one.count]) for one in self._blocks):
                    source.problem(ABOVE, table.place(number, 0))
                continue
            place = table.place(number, 0)
            if not any(map(text_of, record)):
                source.skip(BLANK)
                blank = True
            elif len(record) != width:
                source.problem(f"expected {width} fields, found {len(record)}", place)
            elif record in headings:
                source.problem(HEADINGS_AGAIN, place)
            elif self._is_note(record, after_blank=blank):
                source.skip(NOTES, place=place)
            else:
                for block in self._blocks:
                    if text_of(record[block.name]) or text_of(record[block.count]):
                        yield from self._rows_of(number, block, record)

    def _is_note(self, record: Sequence[Value], *, after_blank: bool) -> bool:
        own = [record[column] for block in self._blocks for column in (block.name, block.count)]
        if not any(map(text_of, own)):
            return True
        figures = any(_is_figure(record[block.count], self._rules) for block in self._blocks)
        return after_blank and not figures and has_letter("".join(map(text_of, record)))

    def _rows_of(self, number: int, block: Block, record: Sequence[Value]) -> Iterator[tuple[Row, Value]]:
        source, place = self._source, self._table.place(number, block.name)
        column, count = block.count, 0
        if (left_out := _left_out(record, block.name, -1, self._rules)) is not None:
            source.skip(left_out, 1, place, figure_of(record[column]))
            return
        try:
            count = _count(source, record[column], self._rules, self._table.place(number, column))
            column = block.name
            name = name_of(record[column], source.limits.name_chars)
        except NoLetters:
            source.skip(NO_LETTERS, 1, place, count)
            return
        except Malformed as error:
            if reason := total_reason(record[block.name]):
                source.skip(reason, 1, place)
            else:
                source.problem(str(error), self._table.place(number, column))
            return
        if count == 0:
            return
        if self._rules.same_line is not None:
            if self._seen.get((block, name)) == count:
                source.skip(self._rules.same_line, 1, place, count)
                return
            self._seen[block, name] = count
        rank = record[block.rank] if block.rank >= 0 else None
        self._order.see((block.year, block.sex, None), rank, name, count, place)
        yield Row(block.year, block.sex, name, count, place), rank


def _left_out(record: Sequence[Value], name: int, sex: int, rules: Rules) -> str | None:
    """Why a record of these columns is no row; None if it may be one."""
    if rules.no_names and (label := label_of(record[name])) in rules.no_names:
        return rules.no_names[label]
    return rules.no_sexes.get(text_of(record[sex])) if sex >= 0 else None


def _count(source: Source, value: Value, rules: Rules, place: LocalPlace) -> int:
    """A count. Without one it is 0, and counted as left out."""
    text = text_of(value)
    if text in rules.suppressed:
        source.skip(rules.suppressed[text], place=place)
        return 0
    count = count_of(value)
    if count == 0:
        source.skip(ZERO, place=place)
    return count


def _is_figure(value: Value, rules: Rules) -> bool:
    if text_of(value) in rules.suppressed:
        return True
    try:
        count_of(value)
    except Malformed:
        return False
    return True
