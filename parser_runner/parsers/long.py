"""Long tables: one name, year and sex per record. The most common shape."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from parser_runner.parsers.adding import Adder, AddUp
from parser_runner.parsers.contract import Row
from parser_runner.parsers.footer import WithoutFooter
from parser_runner.parsers.order import HEADINGS_AGAIN, Order, Ranks
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.tables import Header, Table, TextTable
from parser_runner.parsers.totals import total_reason
from parser_runner.parsers.values import (
    NO_LETTERS,
    Malformed,
    NoLetters,
    Value,
    count_of,
    has_digit,
    has_letter,
    is_year,
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
ABOVE = "a name and a count stand above the headings: expected titles only, the headings may have moved"

_REMEMBERED = 1 << 17
_SEXES_REMEMBERED = 100


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
        falling: whether the counts of each list fall from the most frequent name on, as in all of the publisher's
            files; then a list that begins again is found (see `Order`).
        adds_up: the rule by which records of the same name, sex and year are added up; None to refuse them.
        same_line: why a record that repeats another one (same name, same count) counts once; None to refuse it. Only
            for blocks side by side.
    """

    sexes: Mapping[str, str] = field(default_factory=dict)
    suppressed: Mapping[str, str] = field(default_factory=dict)
    no_names: Mapping[str, str] = field(default_factory=dict)
    no_sexes: Mapping[str, str] = field(default_factory=dict)
    no_years: Mapping[str, str] = field(default_factory=dict)
    nameless: str | None = None
    falling: bool = False
    adds_up: AddUp | None = None
    same_line: str | None = None

    def __post_init__(self) -> None:
        for name in ("sexes", "suppressed", "no_names", "no_sexes", "no_years"):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                to, such = ("F or M", '{"Girls": "F"}') if name == "sexes" else ("a reason", '{"total": "totals"}')
                raise TypeError(
                    f"Rules: {name} is a {type(given).__name__}: expected a mapping from the text of a cell to {to},"
                    f" such as {such}"
                )
        if wrong := set(self.sexes.values()) - {"F", "M"}:
            raise ValueError(f"Rules: sexes has {min(wrong)!r}: expected F or M")
        for text in self.no_names:
            if label_of(text) != text:
                raise ValueError(f"Rules: no name ever equals {text!r} of no_names: write {label_of(text)!r}")

    def sex(self, text: str) -> str | None:
        """F or M for a text in the column of the sex, in any letter case; None if the format has no such text.

        A format of F and M also has female and male. It takes no words of other languages: w, v, k and h mean one sex
        here and the other one there.
        """
        if (sex := self.sexes.get(text)) is not None:
            return sex
        known = {word.casefold(): sex for word, sex in self.sexes.items()}
        if (known.get("f"), known.get("m")) == ("F", "M"):
            known = {"female": "F", "male": "M"} | known
        return known.get(text.casefold())


def read_list(
    source: Source,
    table: Table,
    header: Header,
    rules: Rules,
    year: int | None,
    sex: str | None,
    footer: re.Pattern[str] | None = None,
) -> Iterator[Row]:
    """The rows of a long table.

    Args:
        source: gets the problems, and counts of the records left out.
        table, header: the list and its columns.
        rules: which records are rows.
        year, sex: of the whole list, if it has no such column.
        footer: what each line below the list is; see `declared.TextList`.
    """
    texts = isinstance(table, TextTable)
    table = table if footer is None else WithoutFooter(source, table, header, footer)
    ranks = Ranks() if rules.adds_up and rules.adds_up.equal and header.rank >= 0 else None
    rows = _LongTable(source, table, header, rules, year, sex, ranks, texts=texts).rows()
    if rules.adds_up is None:
        for row, _ in rows:
            yield row
        return
    adder = Adder(source, rules.adds_up)
    for row, record in rows:
        adder.add(row, text_of(record[header.over]) if header.over >= 0 else None)
    if adder.equal and ranks is not None and ranks.wrong is not None:
        what = "lines come twice, and the rank does not fit the number of lines above: a line was doubled, or is lost"
        source.problem(what, ranks.wrong)
    yield from adder.rows(bounded=header.over < 0)


_RowAndRecord = tuple[Row, Sequence[Value]]


class _LongTable:
    """Reads a long table; see `read_list`."""

    def __init__(
        self,
        source: Source,
        table: Table,
        header: Header,
        rules: Rules,
        year: int | None,
        sex: str | None,
        ranks: Ranks | None,
        *,
        texts: bool,
    ) -> None:
        self._source = source
        self._table = table
        self._header = header
        self._rules = rules
        self._year = year
        self._sex = sex
        self._headings: Sequence[Value] | None = None
        self._order = Order(source, falling=rules.falling)
        self._ranks = ranks
        self._texts = texts
        """Whether the table is text, so that every cell is."""
        self._sexes: dict[Value, str] = dict(rules.sexes.items())

    def rows(self) -> Iterator[_RowAndRecord]:
        """Each row with its record."""
        header, rules, order = self._header, self._rules, self._order
        at_name, at_count, at_year, at_sex, width = header.name, header.count, header.year, header.sex, header.width
        at_rank, at_over = header.rank, header.over
        texts = self._texts
        watched = rules.falling or at_rank >= 0
        # Checked before: the same names, years and sexes come again and again.
        names: dict[Value, str] = {}
        years: dict[Value, int] = {}
        unheaded: list[int] = []
        row: Row | None
        for number, record in self._table.records():
            if number <= header.record:
                self._look_above(number, record)
                unheaded = [at for at in range(at_count + 1, len(record)) if not text_of(record[at])]
                continue
            if texts and (unheaded or len(record) != width) and self._has_moved(number, record, unheaded):
                continue
            if self._ranks is not None and any(map(text_of, record)):
                self._see_rank(self._ranks, number, record)
            row = None
            if texts and len(record) == width and (name := names.get(record[at_name])) is not None:
                year = years.get(record[at_year]) if at_year >= 0 else self._year
                sex = self._sexes.get(record[at_sex]) if at_sex >= 0 else self._sex
                count = record[at_count]
                if year and sex and _is_plain(count):
                    row = Row(year, sex, name, int(count), number)
            if row is None:
                row = self._row(number, record)
                if row is None:
                    continue
                if len(names) < _REMEMBERED:
                    names[record[at_name]] = row.name
                    if at_year >= 0:
                        years[record[at_year]] = row.year
            if watched:
                key = (row.year, row.gender, text_of(record[at_over]) if at_over >= 0 else None)
                rank = record[at_rank] if at_rank >= 0 else None
                order.see(key, rank, row.name, row.count, self._place(number))
            yield row, record

    def _has_moved(self, number: int, record: Sequence[Value], unheaded: Sequence[int]) -> bool:
        """Notes a problem for a record of text that has more or fewer fields, or a figure where no heading is.

        Such a figure belongs elsewhere: 1,389 without quotes is 1 and 389.
        """
        width = self._header.width
        if len(record) != width:
            if not any(map(text_of, record)):
                return False
            self._source.problem(f"expected {width} fields, found {len(record)}", number)
            return True
        if not text_of(record[self._header.name]):
            return False  # A note beside the list.
        moved = [at for at in unheaded if has_digit(text_of(record[at]))]
        if moved:
            self._source.problem(f"field {moved[0] + 1} has a figure, but no heading", number)
        return bool(moved)

    def _look_above(self, number: int, record: Sequence[Value]) -> None:
        """Titles, and at last the headings."""
        self._headings = record
        if number < self._header.record and is_above(record, self._header.name, [self._header.count]):
            self._source.problem(ABOVE, self._place(number))

    def _row(self, number: int, record: Sequence[Value]) -> Row | None:
        """The row of any record. None if it has no row: the reason is counted, or noted as a problem."""
        header, source, rules = self._header, self._source, self._rules
        year, sex = self._year, self._sex
        if not any(map(text_of, record)):
            source.skip(BLANK)
            return None
        if record == self._headings and header.record:
            source.problem(HEADINGS_AGAIN, self._place(number))
            return None
        column, count = header.count, 0
        try:
            if self._is_left_out(number, record):
                return None
            if header.year >= 0:
                column = header.year
                year = year_of(record[column])
                check_year(source, year, self._place(number, column))
            if header.sex >= 0:
                column = header.sex
                sex = sex_of(record[column], rules)
                if len(self._sexes) < _SEXES_REMEMBERED:
                    self._sexes[record[column]] = sex
            column = header.count
            count = count_of(record[column])
            column = header.name
            name = name_of(record[column], source.limits.name_chars)
        except NoLetters:
            source.skip(NO_LETTERS, 1, self._place(number, column), count)
            return None
        except Malformed as error:
            if reason := self._is_aggregate(record):
                source.skip(reason, 1, self._place(number), figure_of(record[header.count]))
            else:
                source.problem(str(error), self._place(number, column))
            return None
        if count == 0:
            source.skip(ZERO, place=self._place(number))
            return None
        assert year is not None
        assert sex is not None
        return Row(year, sex, name, count, self._place(number, header.name))

    def _place(self, number: int, column: int | None = None) -> LocalPlace:
        return self._table.place(number, self._header.name if column is None else column)

    def _is_left_out(self, number: int, record: Sequence[Value]) -> bool:
        header, rules, source = self._header, self._rules, self._source
        name, count, place = record[header.name], record[header.count], self._place(number)
        if not text_of(name):
            if not text_of(count) and self._is_beside(record):
                source.skip(NOTES, place=place)
                return True
            if rules.nameless is not None:
                source.skip(rules.nameless, 1, place, count_of(count))
                return True
        checks = (
            (rules.no_names, label_of(name)),
            (rules.no_years, text_of(record[header.year]) if header.year >= 0 else ""),
            (rules.no_sexes, text_of(record[header.sex]) if header.sex >= 0 else ""),
            (rules.suppressed, text_of(count)),
        )
        for reasons, found in checks:
            if found in reasons:
                source.skip(reasons[found], 1, place, figure_of(count))
                return True
        return False

    def _is_beside(self, record: Sequence[Value]) -> bool:
        """Whether a record without name and count has a note, or figures outside the list's own columns."""
        header = self._header
        of_a_row = {header.over, header.year, header.sex}
        letters = "".join(text_of(value) for at, value in enumerate(record) if at not in of_a_row)
        own = (header.rank, header.over, header.year, header.sex)
        return has_letter(letters) or not any(text_of(record[at]) for at in own if at >= 0)

    def _is_aggregate(self, record: Sequence[Value]) -> str | None:
        """Why a record that is no row is a total or aggregate: its name says so, or another cell if it has no name."""
        name = record[self._header.name]
        return next(filter(None, map(total_reason, [name] if text_of(name) else record)), None)

    def _see_rank(self, ranks: Ranks, number: int, record: Sequence[Value]) -> None:
        rank, count = record[self._header.rank], figure_of(record[self._header.count])
        if count and text_of(rank):
            ranks.see(rank, count, self._place(number, self._header.rank))


def _is_plain(count: Value) -> TypeGuard[str]:
    """Whether it is certainly a count above 0."""
    return isinstance(count, str) and count.isdigit() and count.isascii() and len(count) < 10 and count[0] != "0"


def figure_of(value: Value) -> int:
    """The count of a record that is no row; 0 if it has none."""
    try:
        return count_of(value)
    except Malformed:
        return 0


def is_above(record: Sequence[Value], name: int, counts: Iterable[int]) -> bool:
    """Whether a record above the headings has a name and a count in their columns, as only rows have."""
    if name >= len(record) or not has_letter(text_of(record[name])):
        return False
    values = [record[column] for column in counts if column < len(record)]
    return any(figure_of(value) and not is_year(value) for value in values)


def sex_of(value: Value, rules: Rules) -> str:
    """The sex, F or M, from a cell in the column of sexes.

    Raises:
        Malformed: the text is none that the format has.
    """
    sex = rules.sex(text_of(value))
    if sex is None:
        raise Malformed(f"expected {' or '.join(dict.fromkeys(rules.sexes))} as the sex, found {kind_of(value)}")
    return sex
