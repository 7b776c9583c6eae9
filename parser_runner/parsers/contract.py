"""The contract of a parser: its two methods, and the rows that it yields."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from dataset_jobs.model.places import Place
from parser_runner.parsers.source import Source


# Fields in a class body may not hide methods, here tuple.count.
class Row(NamedTuple("Row", [("year", int), ("gender", str), ("name", str), ("count", int), ("place", Place)])):
    """One figure: `count` children of this sex got this name in this year, or `count` people bear it.

    `place` is its place in the file.
    """

    __slots__ = ()


def rows_of(
    years: Iterable[int], genders: Iterable[str], names: Iterable[str], counts: Iterable[int], places: Iterable[Place]
) -> Iterator[Row]:
    """Rows from checked columns, twice as fast as `Row(...)` for each."""
    return map(partial(tuple.__new__, Row), zip(years, genders, names, counts, places))  # noqa: B905


@dataclass(frozen=True, slots=True)
class Parsed:
    """A recognised file.

    Args:
        parser: the name of its format, such as us-ssa-national.
        measure: births, or population where people alive are counted.
        region: the ISO 3166-2 code of the part of the country that the figures cover, or a code of docs/formats.md if
            ISO has none; None for the whole country.
        rows: read on demand; raises `Rejected` if the file is malformed.
        top: the length of the list, if it has only the most frequent names of each year and sex (ties may make it
            longer); None if it has all names down to the publisher's threshold.
    """

    parser: str
    measure: str
    region: str | None
    rows: Iterator[Row]
    top: int | None = None


M = TypeVar("M")


class Parser(Protocol[M]):
    """One publisher's format. `M` is what the parser finds when it recognises a file: a header, sheets, a match.

    A parser may also have, see `parser_runner.parsers.whose_file`:
        shared: True if other publishers have files with the same headings, so that content proves nothing.
        named: a pattern that finds the publisher's word in a file's name.
        refused: True if such files cannot be loaded, and `parse` says why.
        regions: all regions that such files may be of; the parser takes `source.hints.region`.
    """

    @property
    def name(self) -> str:
        """The format's, such as us-ssa-national."""

    @property
    def description(self) -> str:
        """What a file of this format looks like, for people."""

    def recognise(self, source: Source) -> M | None:
        """Looks at the beginning of the content, never at the file's name.

        Returns:
            The `match` for `parse`: headers, sheets, anything that helps it. None if the file is of another format. The
            source is rewound in between.
        """

    def parse(self, source: Source, match: M) -> Parsed:
        """Starts reading.

        Raises:
            Rejected: the file's name, content and hints contradict one another.
        """


AnyParser = Parser[Any]
