"""A list of several regions, divided into a list for each: a dataset covers one region."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol, runtime_checkable

from parser_runner.parsers import parsers_of
from parser_runner.parsers.source import Source


class Piece(NamedTuple):
    """Text of one region's list."""

    region: str
    text: str


@runtime_checkable
class Divisible(Protocol):
    """A parser whose files may have several regions."""

    def divide(self, source: Source, match: Any) -> Iterator[Piece] | None:
        """The lists of the regions, piece by piece in the order of the file.

        Returns:
            None if the file is of one region. Noted problems mean that the lists are not whole.
        """


def divided(source: Source, country: str) -> Iterator[Piece] | None:
    """The lists of the regions of a file; None if its parser takes it as a whole.

    Args:
        source: the file.
        country: its ISO 3166-1 code, in any letter case.

    Raises:
        Rejected: after the last piece, if the file is malformed.
    """
    for parser in parsers_of(country.upper()):
        if isinstance(parser, Divisible):
            match = parser.recognise(source)
            source.rewind()
            if match is not None:
                pieces = parser.divide(source, match)
                return None if pieces is None else _checked(source, pieces)
    return None


def _checked(source: Source, pieces: Iterator[Piece]) -> Iterator[Piece]:
    yield from pieces
    source.raise_problems()
