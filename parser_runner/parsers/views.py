"""Tables whose records a publisher's habit changes before they are read."""

from collections.abc import Callable, Iterator

from parser_runner.parsers.tables import Table, TextTable

Change = Callable[[int, list[str]], Iterator[list[str]]]
"""From a record and its number to the records to read instead: none, one or several."""


class View(TextTable):
    """Delimited text with changed records.

    Args:
        table: the text as it stands.
        change: is called with every record, titles and headings too.
    """

    def __init__(self, table: Table, change: Change) -> None:
        # Without the parent's: the table has source, delimiter and charset.
        self._table = table
        self._change = change

    def head(self) -> list[list[str]]:
        return [[*map(str, record)] for record in self._table.head()]

    def records(self) -> Iterator[tuple[int, list[str]]]:
        for number, record in self._table.records():
            for changed in self._change(number, [*map(str, record)]):
                yield number, changed
