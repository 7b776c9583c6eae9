"""Lines below a list that its author declares: where the figures come from, when they were made."""

import re
from collections.abc import Iterator, Sequence

from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.tables import Header, Table
from parser_runner.parsers.values import Value, text_of

FOOTER = "lines below the list"
WITHIN = "a line that belongs below the list stands within it: the list is cut off, or these are two"


class WithoutFooter:
    """A table without the lines at its end that match a pattern. They are counted as left out.

    Only lines at the end: one with a record of the list after it is a problem. And only lines that cannot be a record,
    which has a name and a count.

    Args:
        source: gets the count, and the problems.
        table, header: the list and its columns.
        footer: matches the whole of such a line, its fields joined by a space.
    """

    def __init__(self, source: Source, table: Table, header: Header, footer: re.Pattern[str]) -> None:
        self._source = source
        self._table = table
        self._header = header
        self._footer = footer

    def head(self) -> Sequence[Sequence[Value]]:
        """See `Table.head`."""
        return self._table.head()

    def place(self, row: int, column: int) -> LocalPlace:
        """See `Table.place`."""
        return self._table.place(row, column)

    def records(self) -> Iterator[tuple[int, Sequence[Value]]]:
        """See `Table.records`."""
        first, lines = 0, 0
        for number, record in self._table.records():
            if number > self._header.record and self._is_footer(record):
                first, lines = first or number, lines + 1
                continue
            if lines and any(map(text_of, record)):
                self._source.problem(WITHIN, self.place(first, self._header.name))
                first, lines = 0, 0
            yield number, record
        if lines:
            self._source.skip(FOOTER, lines, self.place(first, self._header.name))

    def _is_footer(self, record: Sequence[Value]) -> bool:
        texts = [*map(text_of, record)]
        header = self._header
        if len(texts) == header.width and texts[header.name] and texts[header.count]:
            return False
        text = " ".join(filter(None, texts))
        return bool(text) and self._footer.fullmatch(text) is not None
