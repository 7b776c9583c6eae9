"""The refusal of a file of no known format: the nearest format and the difference, or the country that knows it."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.hints import Action, Hint
from parser_runner.parsers.contract import AnyParser
from parser_runner.parsers.declared import TextList
from parser_runner.parsers.file_kinds import kind_of_file
from parser_runner.parsers.source import Source
from parser_runner.parsers.source_file import LocalPlace
from parser_runner.parsers.tables import TextTable
from parser_runner.parsers.values import Value, has_words, is_year, label_of, text_of


class Other(NamedTuple):
    """A format of another country that a file is of."""

    country: str
    parser: AnyParser
    refusal: str | None = None
    """Why it refuses the file all the same."""


Elsewhere = Callable[[], Sequence[Other]]
"""Finds the formats of other countries that a file is of."""

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LONGEST_HEADING = 40
_FEW = 2
"""Of so many formats each is described."""


def unknown(source: Source, country: str, parsers: Sequence[AnyParser], elsewhere: Elsewhere) -> Rejected:
    """The refusal of a file that no parser of its country recognises.

    Args:
        source: the file.
        country: its ISO 3166-1 code.
        parsers: all of the country.
        elsewhere: asked only if nothing simpler is wrong.
    """
    if source.size == 0:
        return source.rejected(Reason.INVALID_FORMAT, "the file is empty")
    given = source.hints.format
    if given is not None and given not in {parser.name for parser in parsers}:
        known = f"there is no format {given} of {country}: expected {_either(parsers)}"
        return Rejected(Reason.UNDECIDED, source.filename, known, hints=[_all_formats(country)])
    if what := kind_of_file(source):
        return source.rejected(Reason.INVALID_FORMAT, what)
    others = elsewhere() if given is None else ()
    if others:
        formats = " or ".join(f"{one.parser.name} of {one.country}" for one in others)
        reading = dict.fromkeys(one.country for one in others if one.refusal is None)
        hints = [Hint(Action.SUBMIT_AS_FORMAT, country=code) for code in reading]
        message = f"no known format of {country}: it looks like {formats}"
        if not reading:
            message += f", which refuses it: {others[0].refusal}"
        return Rejected(Reason.INVALID_FORMAT, source.filename, message, hints=hints)
    asked = [parser for parser in parsers if given in (None, parser.name)]
    why, place = _difference(source, asked, is_given=given is not None)
    what = f"no known format of {country}" if given is None else f"this is not {given}"
    hints = [_all_formats(country), how_to_describe(country)]
    return source.rejected(Reason.INVALID_FORMAT, f"{what}: {why}", place, hints)


def how_to_describe(country: str) -> Hint:
    """What helps with a list of a publisher that no parser covers."""
    return Hint(Action.SUGGEST_COLUMNS, country=country)


def _all_formats(country: str) -> Hint:
    return Hint(Action.LIST_FORMATS, country=country)


def _either(parsers: Sequence[AnyParser]) -> str:
    return " or ".join(parser.name for parser in parsers)


def _difference(source: Source, parsers: Sequence[AnyParser], *, is_given: bool) -> tuple[str, LocalPlace | None]:
    """What keeps the file from the nearest format, and the place."""
    is_text = not (source.is_zip or source.is_ole)
    line = 1 if is_text else None
    if is_text and _has_only_ranks(source):
        return "there are ranks, but no counts", line
    misses = [miss for parser in parsers if isinstance(parser, TextList) for miss in _misses(source, parser)]
    nearest = max(misses, key=lambda miss: (miss.share, -len(miss.further)), default=None)
    if nearest is not None and nearest.share >= 0.5:
        named = "" if is_given else f"the nearest is {nearest.parser.name}; "
        return named + nearest.in_words(), nearest.line
    if not is_given and (similar := _similar(source, parsers)):
        return f"the nearest is {similar.name}: expected {similar.description}", line
    if len(parsers) <= _FEW:
        return f"expected {'; or '.join(parser.description for parser in parsers)}", line
    return f"its {'first lines' if is_text else 'sheets'} fit none of the {len(parsers)} formats", line


@dataclass(frozen=True, slots=True)
class _Miss:
    """A record that could be the headings of a format, and what is wrong with it."""

    parser: TextList
    line: int
    share: float
    missing: list[str]
    further: list[str]
    separator: str
    title: str
    """That must stand above, and does not; empty if none is missed."""

    def in_words(self) -> str:
        differences = [f"no heading {one}" for one in self.missing]
        if self.further:
            differences.append(f"unknown heading{'s' if len(self.further) > 1 else ''} {', '.join(self.further)}")
        if self.separator not in self.parser.delimiters:
            expected = " or ".join(_SEPARATORS[one] for one in self.parser.delimiters)
            differences.append(f"separated by {_SEPARATORS[self.separator]} and not by {expected}")
        if self.title:
            differences.append(f"no title with the words {self.title}")
        if not differences:
            differences.append(f"expected {self.parser.description}")
        return "; ".join(differences)


def _misses(source: Source, parser: TextList) -> Iterator[_Miss]:
    columns = parser.columns
    if columns is None:
        return
    wanted = [texts for texts in (columns.name, columns.count, columns.year, columns.sex) if texts]
    known = {text for texts in (*wanted, columns.rank, columns.over, columns.other) for text in texts}
    for table in TextTable.each(source, parser.charset):
        titles: list[str] = []
        for number, record in enumerate(table.head(), 1):
            titles += filter(None, map(text_of, record))
            title = "" if has_words(" | ".join(titles), parser.title) else parser.title
            labels = {label_of(value): text_of(value) for value in record if text_of(value)}
            missing = [texts for texts in wanted if not labels.keys() & set(texts)]
            further = [text for label, text in labels.items() if label not in known]
            if len(labels) > 1 and all(len(text) <= _LONGEST_HEADING for text in further):
                share = (len(wanted) - len(missing)) / len(wanted)
                absent = [" or ".join(texts) for texts in missing]
                yield _Miss(parser, number, share, absent, further, table.delimiter, title)


def _similar(source: Source, parsers: Sequence[AnyParser]) -> AnyParser | None:
    """The one format whose description names at least two headings of the file, and most of them."""
    labels = {label for record in _heads(source) for label in map(label_of, record) if len(label) > 2}
    named = [(_mentions(parser, labels), number) for number, parser in enumerate(parsers)]
    mentions = sorted(count for count, _ in named)
    if not named or mentions[-1] < 2 or mentions[-1:] == mentions[-2:-1]:
        return None
    return parsers[max(named)[1]]


def _mentions(parser: AnyParser, labels: Iterable[str]) -> int:
    description = parser.description.casefold()
    return sum(1 for label in labels if re.search(rf"\b{re.escape(label)}\b", description))


def _heads(source: Source) -> Iterator[Sequence[Value]]:
    """The first records, of every sheet if it is a workbook."""
    if source.is_zip or source.is_ole:
        for sheet in source.sheets():
            yield from sheet.head()
    else:
        for table in TextTable.each(source, "cp1252"):
            yield from table.head()


def _has_only_ranks(source: Source) -> bool:
    """Whether a heading says rank, and the record below it has no figure but that and years."""
    for table in TextTable.each(source, "cp1252"):
        for headings, below in pairwise(table.head()):
            labels = [*map(label_of, headings)]
            ranks = {column for column, label in enumerate(labels) if re.search(r"\brank\b", label)}
            if ranks and len(labels) > 1 and len(below) == len(labels):
                figures = [c for c, value in enumerate(below) if text_of(value).isdecimal() and not is_year(value)]
                return ranks.issuperset(figures) and bool(figures)
    return False
