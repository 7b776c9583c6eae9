"""What a parser gives, and what is asked of one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, Protocol, TypeVar

from dataset_jobs.model.places import Place
from parser_runner.parsers.source import Source


# Fields in a class body may not hide methods, here tuple.count.
class Row(NamedTuple("Row", [("year", int), ("gender", str), ("name", str), ("count", int), ("place", Place)])):
    """One figure: `count` children of this sex got this name in this year, or `count` people bear it.

    `place` is where it stands in the file.
    """

    __slots__ = ()


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


M = TypeVar("M")


class Parser(Protocol[M]):
    """One publisher's format. `M` is what the parser finds when it recognises a file: a header, sheets, a match."""

    @property
    def name(self) -> str:
        """The format's, such as us-ssa-national."""

    @property
    def description(self) -> str:
        """What a file of this format looks like, for people."""

    def recognise(self, source: Source) -> M | None:
        """Looks at the beginning of the content, never at the file's name.

        Returns:
            What `parse` needs of it, which it then gets as `match`; None if the file is of another format. The source
            is rewound in between.
        """

    def parse(self, source: Source, match: M) -> Parsed:
        """Starts reading.

        Raises:
            Rejected: the file's name, content and hints contradict one another.
        """


AnyParser = Parser[Any]


def start(parser: Parser[M], source: Source, match: M) -> Parsed:
    """Starts a parser. After its last row, the problems that it noted refuse the file.

    Args:
        parser: of any package; it need not look after its problems itself.
        source: the file, rewound.
        match: what the parser recognised.

    Raises:
        Rejected: at once, or while the rows are read.
    """
    parsed = parser.parse(source, match)
    return replace(parsed, rows=chain(parsed.rows, _refuse_if_problems(source)))


def _refuse_if_problems(source: Source) -> Iterator[Row]:
    """No rows: runs when all others are read."""
    source.raise_problems()
    yield from ()
