"""Tables as the shapes see them, whether they come from a text file or from a sheet; and their headings."""

import codecs
import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.values import HEAD, Value, label_of, text_of

_HEAD_BYTES = 64 * 1024


class Table(Protocol):
    """Records of cells."""

    def head(self) -> Sequence[Sequence[Value]]:
        """The first records, to recognise a table by; nothing is noted as a problem."""

    def records(self) -> Iterator[tuple[int, Sequence[Value]]]:
        """All records with their numbers, as places have them."""

    def place(self, row: int, column: int) -> LocalPlace:
        """The place of a cell: the record's number, and the column from 0."""


class TextTable:
    """Delimited text."""

    def __init__(self, source: Source, delimiter: str, charset: str | None) -> None:
        self._source = source
        self._delimiter = delimiter
        self._charset = charset

    def head(self) -> list[list[str]]:
        content = self._source.head(_HEAD_BYTES)
        encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        try:
            # A character that is cut at the end is left out.
            text = codecs.getincrementaldecoder(encoding)().decode(content)
        except UnicodeDecodeError:
            text = content.decode(self._charset or "ascii", "replace")
        lines = text.splitlines(keepends=True)[: 2 * HEAD]
        if len(content) == _HEAD_BYTES and len(lines) < 2 * HEAD:
            lines.pop()
        if any("\0" in line for line in lines):
            return []
        try:
            return [*csv.reader(lines, delimiter=self._delimiter)][:HEAD]
        except csv.Error:
            return []

    def records(self) -> Iterator[tuple[int, list[str]]]:
        return self._source.records(self._delimiter, self._charset)

    def place(self, row: int, column: int) -> int:
        return row


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The headings of a list: for each column, the texts that publishers have put there, in small letters.

    Args:
        name, count: there must be these.
        year, sex: these too, where the list has such columns.
        other: columns that may be there and are not read. A column that is not named here is another format.
    """

    name: tuple[str, ...]
    count: tuple[str, ...]
    year: tuple[str, ...] = ()
    sex: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """Where the columns of a list are, and what stands above them. An absent column is -1."""

    record: int
    """How many records there are down to the headings; 0 where there are none."""
    name: int
    count: int
    year: int
    sex: int
    width: int
    text: str
    """All titles above, and the headings themselves."""


def find_header(table: Table, columns: Columns) -> Header | None:
    """The first record of the head whose cells are headings of this list, all of them and no others."""
    titles: list[str] = []
    for number, record in enumerate(table.head(), 1):
        titles += filter(None, map(text_of, record))
        labels = [*map(label_of, record)]
        found = [_column(labels, texts) for texts in (columns.name, columns.count, columns.year, columns.sex)]
        if None in found:
            continue
        known = {*columns.name, *columns.count, *columns.year, *columns.sex, *columns.other, ""}
        if known.issuperset(labels):
            name, count, year, sex = (column for column in found if column is not None)
            return Header(number, name, count, year, sex, len(labels), " | ".join(titles))
    return None


def _column(labels: Sequence[str], texts: Iterable[str]) -> int | None:
    """The one column with one of these headings; -1 where none is wanted, None where there is not just one."""
    if not texts:
        return -1
    found = [column for column, label in enumerate(labels) if label in texts]
    return found[0] if len(found) == 1 else None


def titles_of(table: Table) -> str:
    """All texts in the head."""
    return " | ".join(filter(None, (text_of(value) for record in table.head() for value in record)))
