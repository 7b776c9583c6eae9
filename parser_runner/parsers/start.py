"""Starting a parser: what holds for the rows of every format, whoever wrote the parser."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from parser_runner.parsers.contract import Parsed, Parser, Row
from parser_runner.parsers.source import Source
from parser_runner.parsers.totals import without_totals

M = TypeVar("M")


def start(parser: Parser[M], source: Source, match: M) -> Parsed:
    """Starts a parser. Totals are no rows; after the last row, the problems that it noted refuse the file.

    Args:
        parser: of any package; it need not look after its problems itself.
        source: the file, rewound.
        match: what the parser recognised.

    Raises:
        Rejected: at once, or while the rows are read.
    """
    parsed = parser.parse(source, match)
    rows = without_totals(source, parsed.rows, lambda: parser.parse(source, match).rows)
    return replace(parsed, rows=chain(rows, _refuse_if_problems(source)))


def _refuse_if_problems(source: Source) -> Iterator[Row]:
    """No rows: runs when all others are read."""
    source.raise_problems()
    yield from ()
