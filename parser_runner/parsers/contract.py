"""What a parser gives, and what is asked of one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import NamedTuple, Protocol

from dataset_jobs.model.places import Cell, Place
from parser_runner.parsers.source import Source


class Row(NamedTuple):
    """One figure: so many children of this sex were given this name in this year, or so many people bear it.

    `place` is where it stands in the file.
    """

    year: int
    gender: str
    name: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    place: Place


def rows_of(
    years: Iterable[int], genders: Iterable[str], names: Iterable[str], counts: Iterable[int], places: Iterable[Place]
) -> Iterator[Row]:
    """Rows from columns that have been checked, in half the time that `Row` takes for each."""
    return map(partial(tuple.__new__, Row), zip(years, genders, names, counts, places))  # noqa: B905


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file that was recognised.

    Args:
        parser: the name of its format, such as us-ssa-national.
        measure: births, or population where people alive are counted.
        region: where the figures are of a part of the country: its ISO 3166-2 code, or the code that docs/formats.md
            has for what ISO 3166-2 leaves out.
        rows: read as they are asked for; raises `Rejected` where the file turns out to be malformed.
        top: where only so many of the most frequent names of a year and sex are listed: how many (there may be more
            with ties); None where all are, down to the publisher's threshold.
    """

    parser: str
    measure: str
    region: str | None
    rows: Iterator[Row]
    top: int | None = None


class Parser(Protocol):
    """One publisher's format."""

    name: str
    description: str
    """What a person should expect a file of it to look like."""

    def recognises(self, source: Source) -> bool:
        """By the beginning of the content, never by the file's name; the source is rewound afterwards."""

    def parse(self, source: Source) -> Parsed:
        """Raises `Rejected` where name and content, or content and hints, do not go together."""


def start(parser: Parser, source: Source) -> Parsed:
    """Starts a parser that recognises a file. After its last row, problems that it noted refuse the file.

    Args:
        parser: of any package; it need not look after its problems itself.
        source: the file.

    Raises:
        Rejected: at once, or while the rows are read.
    """
    parsed = parser.parse(source)
    return replace(parsed, rows=chain(parsed.rows, _refuse_if_problems(source)))


def _refuse_if_problems(source: Source) -> Iterator[Row]:
    """No rows: runs when all others are read."""
    source.raise_problems()
    yield from ()


Here = int | Cell
"""A place within one source."""
