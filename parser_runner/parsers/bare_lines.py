"""Lists without headings, as people save them again: with headings, quotes, spaces or other separators."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parser_runner.parsers.source import Source
from parser_runner.parsers.tables import SEPARATORS
from parser_runner.parsers.values import label_of

HEADINGS_ADDED = "headings added to the list"

_HEAD = 4096
_LINES = 2
"""In the second line the list begins if the first one has headings."""


@dataclass(frozen=True, slots=True)
class BareLines:
    """How a list is written.

    Args:
        separator: between the fields.
        first: the number of the first line of the list.
        record: its fields.
        above: the fields of the line above it, blank lines apart; None if there is none.
    """

    separator: str
    first: int
    record: Sequence[str]
    above: Sequence[str] | None


def find_bare_lines(source: Source, expected: int, fits: Callable[[Sequence[str]], bool]) -> BareLines | None:
    """How a list is written, if one of its first lines fits. Blank lines above do not count.

    Args:
        source: the file.
        expected: the number of fields.
        fits: whether these fields are of the list.
    """
    head = source.head(_HEAD)
    if len(head) == _HEAD:
        head = head[: head.rfind(b"\n") + 1] or head  # The last line may be cut.
    text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, line in lines[:_LINES]:
        if "\0" in line:
            return None
        for separator in SEPARATORS:
            if fits(fields := fields_of(line, separator, expected)):
                above = None if number == lines[0][0] else fields_of(lines[0][1], separator, expected)
                return BareLines(separator, number, fields, above)
    return None


def fields_of(line: str, separator: str, expected: int) -> list[str]:
    """The fields of a line, without quotes, spaces around them, and empty ones behind those expected."""
    fields = [line]
    if '"' in line:
        try:
            fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True), [])
        except csv.Error:
            return [line]
    else:
        fields = line.split(separator)
    fields = [field.strip() for field in fields]
    while len(fields) > expected and not fields[-1]:
        fields.pop()
    return fields


def are_headings(fields: Sequence[object], headings: Sequence[frozenset[str]]) -> bool:
    """Whether each field is a heading of its column."""
    labels = [label_of(field) if isinstance(field, str) else "" for field in fields]
    return len(labels) == len(headings) and all(label in words for label, words in zip(labels, headings, strict=True))
