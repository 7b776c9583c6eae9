"""A publisher's file in which one record is broken: `testkit` checks that a parser does not pass it over."""

import io
import json
from collections.abc import Iterator

from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.places import Cell, Figure, Place
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import Value
from parser_runner.parsers.workbook import Sheet, Workbook

BROKEN = "?"
"""No name, no count, no title and no note."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class BrokenSource(Source):
    """A file with one broken record.

    Args:
        filename, hints: as in `Source`.
        content: the file as it was published.
        place: of the record to break: a line, a figure of JSON-stat, or a cell whose whole row is broken. Nothing else
            is broken.
    """

    def __init__(self, filename: str, content: bytes, hints: FileHints, place: Place) -> None:
        self._broken = place
        self._sheets_are_broken = False
        changed = content
        if isinstance(place, int):
            changed = _with_broken_line(content, place)
        elif isinstance(place, Figure):
            changed = _with_broken_figure(content, place)
        super().__init__(filename, io.BytesIO(changed), hints)

    def workbook(self) -> Workbook | None:
        workbook = super().workbook()
        if workbook is not None and isinstance(self._broken, Cell) and not self._sheets_are_broken:
            self._sheets_are_broken = True
            workbook.sheets = [
                _BrokenSheet(workbook, index, sheet.name, self._broken.row)
                if sheet.name == self._broken.sheet
                else sheet
                for index, sheet in enumerate(workbook.sheets)
            ]
        return workbook


class _BrokenSheet(Sheet):
    def __init__(self, workbook: Workbook, index: int, name: str, broken: int) -> None:
        super().__init__(workbook, index, name)
        self._broken = broken

    def head(self) -> list[list[Value]]:
        return [self._changed(number, record) for number, record in enumerate(super().head(), 1)]

    def records(self) -> Iterator[tuple[int, list[Value]]]:
        for number, record in super().records():
            yield number, self._changed(number, record)

    def _changed(self, number: int, record: list[Value]) -> list[Value]:
        return [BROKEN] * len(record) if number == self._broken else record


def _with_broken_line(content: bytes, number: int) -> bytes:
    # Latin-1 keeps all other bytes as they are.
    encoding = "utf-16" if content.startswith(_UTF_16) else "latin-1"
    lines = content.decode(encoding).split("\n")
    lines[number - 1] = BROKEN
    return "\n".join(lines).encode(encoding)


def _with_broken_figure(content: bytes, place: Figure) -> bytes:
    document = json.loads(content)
    value = document["value"]
    value[place.number - 1 if isinstance(value, list) else str(place.number - 1)] = BROKEN
    return json.dumps(document).encode()
