"""Tables and their headings, from a text file or a sheet alike."""

import codecs
import csv
import io
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Protocol, Self

from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.values import HEAD, Value, has_digit, label_of, text_of

SEPARATORS = ",;\t|"
"""Of delimited text. With known headings none of them is a question."""

_HEAD_BYTES = 64 * 1024


class Table(Protocol):
    """Records of cells."""

    def head(self) -> Sequence[Sequence[Value]]:
        """The first records, for recognition. Notes no problems."""

    def records(self) -> Iterator[tuple[int, Sequence[Value]]]:
        """All records with their numbers, from 1; in text, the number of the line."""

    def place(self, row: int, column: int) -> LocalPlace:
        """The place of a cell: by the record's number, and the column from 0."""


class TextTable:
    """Delimited text."""

    def __init__(self, source: Source, delimiter: str, charset: str | None) -> None:
        self._source = source
        self.delimiter = delimiter
        self._charset = charset
        self._head: list[list[str]] | None = None
        self._length = self._width = 0
        """Fields of the head's records if all have as many; and without the empty ones at the end, which spreadsheet
        programs add."""

    @classmethod
    def each(cls, source: Source, charset: str | None, separators: Iterable[str] = SEPARATORS) -> list[Self]:
        """The text as tables, one for each separator that it may have: with known headings at most one fits."""
        return [cls(source, separator, charset) for separator in separators]

    def head(self) -> list[list[str]]:
        if self._head is None:
            records = self._first_records()
            lengths = {len(record) for record in records if record}
            if len(lengths) == 1:
                (self._length,) = lengths
                self._width = max(map(_width_of, records))
            self._head = [self._cut(record) for record in records]
        return self._head

    def records(self) -> Iterator[tuple[int, list[str]]]:
        self.head()
        records = self._source.records(self.delimiter, self._charset)
        if self._width == self._length:
            yield from records
        else:
            for number, record in records:
                yield number, self._cut(record)

    def _cut(self, record: list[str]) -> list[str]:
        """Without the columns at the end that have nothing in the head. A figure there has moved: it is kept."""
        if len(record) != self._length or any(map(has_digit, record[self._width :])):
            return record
        return record[: self._width]

    def _first_records(self) -> list[list[str]]:
        content = self._source.head(_HEAD_BYTES)
        try:
            # Leaves out a character that is cut at the end.
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(content)
        except UnicodeDecodeError:
            text = content.decode(self._source.charset(self._charset), "replace")
        # Lines end as in `Source.records`, else headings had another number.
        lines = [*itertools.islice(io.StringIO(text, newline="\n"), 2 * HEAD)]
        if len(content) == _HEAD_BYTES and len(lines) < 2 * HEAD:
            lines.pop()
        if any("\0" in line for line in lines):
            return []
        try:
            return [*csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True)][:HEAD]
        except csv.Error:
            return []

    def place(self, row: int, column: int) -> int:
        return row


def _width_of(record: list[str]) -> int:
    end = len(record)
    while end and not text_of(record[end - 1]):
        end -= 1
    return end


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The headings of a list: for each column all texts that the publisher used, in small letters.

    Args:
        name, count: required columns.
        year, sex: required too, unless empty.
        rank: an optional column. Where it begins again, so does the list.
        over: an optional column, whose lines are added up (province, position): see `AddUp`.
        other: optional columns, which are not read. A list with any further column is another format.
    """

    name: tuple[str, ...]
    count: tuple[str, ...]
    year: tuple[str, ...] = ()
    sex: tuple[str, ...] = ()
    rank: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for each in fields(self):
            texts = getattr(self, each.name)
            if isinstance(texts, str) or not isinstance(texts, Collection):
                raise TypeError(f"Columns: {each.name}={texts!r}: expected a tuple of headings, such as ('name',)")
            for text in texts:
                if label_of(text) != text:
                    raise ValueError(
                        f"Columns: no heading ever equals {text!r} of {each.name}: write {label_of(text)!r}"
                    )


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a list, and the titles above them. An absent column is -1."""

    record: int
    """The number of the record with the headings; 0 if there are none."""
    name: int
    count: int
    year: int
    sex: int
    width: int
    text: str
    """All titles above, and the headings."""
    rank: int = -1
    over: int = -1


def find_header(table: Table, columns: Columns) -> Header | None:
    """The first record of the head that has all headings of this list and no others."""
    titles: list[str] = []
    for number, record in enumerate(table.head(), 1):
        titles += filter(None, map(text_of, record))
        labels = [*map(label_of, record)]
        found = [_column(labels, texts) for texts in (columns.name, columns.count, columns.year, columns.sex)]
        if None in found:
            continue
        optional = {*columns.rank, *columns.over, *columns.other, ""}
        known = optional.union(columns.name, columns.count, columns.year, columns.sex)
        if known.issuperset(labels):
            name, count, year, sex = (column for column in found if column is not None)
            rank, over = (_optional(labels, texts) for texts in (columns.rank, columns.over))
            return Header(number, name, count, year, sex, len(labels), " | ".join(titles), rank, over)
    return None


def _column(labels: Sequence[str], texts: Iterable[str]) -> int | None:
    """The one column with one of these headings; -1 if no heading is given, None unless it is exactly one."""
    if not texts:
        return -1
    found = [column for column, label in enumerate(labels) if label in texts]
    return found[0] if len(found) == 1 else None


def _optional(labels: Sequence[str], texts: Iterable[str]) -> int:
    """The first column with one of these headings, or -1."""
    return next((column for column, label in enumerate(labels) if label in texts), -1)


def titles_of(table: Table) -> str:
    """All texts in the head."""
    return " | ".join(filter(None, (text_of(value) for record in table.head() for value in record)))
