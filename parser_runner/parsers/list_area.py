"""The area of a list in a sheet: cells beside it and figures below it are no part of it."""

from collections.abc import Iterator, Sequence

from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import Header
from parser_runner.parsers.totals import total_reason
from parser_runner.parsers.values import Value, has_letter, label_of, text_of
from parser_runner.parsers.workbook import Sheet

BESIDE = "cells beside the list"
BELOW = "figures below the list"

_ANOTHER_LIST = "expected nothing beside the list, found a text and a figure"
_NO_RANK = "expected a rank, as the other names of this list have"


class ListArea:
    """A sheet's list without the cells outside its columns and rows; a table for `read_list`.

    The list's columns are those with a heading. Its rows end at a blank record; below it, a figure by itself is no part
    of the list, but a record with rank and count is one even there. If the list has ranks, a name and a count without
    a rank are a problem, but for totals: such records are labels of figures. The report counts all that is left out.

    Args:
        source: gets the counts and the problems.
        sheet: the whole sheet.
        header: of the list.
    """

    def __init__(self, source: Source, sheet: Sheet, header: Header) -> None:
        self._source = source
        self._sheet = sheet
        self._header = header
        headings = sheet.head()[header.record - 1]
        labels = [*map(label_of, headings)]
        self._columns = [column for column, label in enumerate(labels) if label]
        self._rank = labels.index("rank") if "rank" in labels else None
        # A cell of the list has the same place as in the sheet.
        self.head = sheet.head
        self.place = sheet.place

    def records(self) -> Iterator[tuple[int, Sequence[Value]]]:
        """As the sheet's, with the cells of the list only."""
        begun = ended = False
        for number, record in self._sheet.records():
            if number <= self._header.record:
                yield number, record
                continue
            own = self._own(record)
            blank = not any(map(text_of, own))
            ended = ended or (blank and begun)
            begun = begun or not blank
            if not ended and not blank:
                self._check_beside(number, record, own)
            if blank and any(map(text_of, record)):
                continue
            if ended and self._is_stray(own):
                self._source.skip(BELOW)
            elif self._lacks_rank(own):
                self._source.problem(_NO_RANK, self.place(number, self._header.name))
            else:
                yield number, own

    def _own(self, record: Sequence[Value]) -> list[Value]:
        own: list[Value] = [""] * len(record)
        for column in self._columns:
            own[column] = record[column]
        # A note may go on beside itself.
        if text_of(own[self._header.name]) or not any(map(text_of, own)):
            self._source.skip(BESIDE, _cells(record) - _cells(own))
        return own

    def _check_beside(self, number: int, record: Sequence[Value], own: Sequence[Value]) -> None:
        """A figure beside a name is left over; a text with a figure may be another list."""
        beside = [text_of(value) for value, mine in zip(record, own, strict=True) if not text_of(mine)]
        if any(map(has_letter, beside)) and any(text.isdecimal() for text in beside):
            self._source.problem(_ANOTHER_LIST, self.place(number, self._header.name))

    def _is_stray(self, own: Sequence[Value]) -> bool:
        texts = [*filter(None, map(text_of, own))]
        return len(texts) == 1 and not text_of(own[self._header.name]) and not has_letter(texts[0])

    def _lacks_rank(self, own: Sequence[Value]) -> bool:
        if self._rank is None or text_of(own[self._rank]):
            return False
        name = own[self._header.name]
        return bool(text_of(name) and text_of(own[self._header.count])) and total_reason(name) is None


def _cells(record: Sequence[Value]) -> int:
    return sum(bool(text_of(value)) for value in record)
