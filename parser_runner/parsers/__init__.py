"""From a publisher's file to rows. One module a publisher's format; others come by entry point.

A parser module has `PARSERS`, a list of objects with the attributes of `Parser`. A third-party package names its
module in the entry-point group `affirm_worker.parsers`, under the country's code in lower case.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from parser_runner.parsers.source import Source

ENTRY_POINTS = "affirm_worker.parsers"

_BUILT_IN = {"US": "parser_runner.parsers.us_ssa"}


class Row(NamedTuple):
    """One figure: so many children of this sex were given this name in this year.

    `line` is where it stands in the file, 1-based.
    """

    year: int
    gender: str
    name: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    line: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file that was recognised.

    Args:
        parser: the name of its format, such as us-ssa-national.
        measure: births or population.
        region: ISO 3166-2 code where the figures are sub-national.
        rows: read as they are asked for; raises `Rejected` where the file turns out to be malformed.
    """

    parser: str
    measure: str
    region: str | None
    rows: Iterator[Row]


class Parser(Protocol):
    """One publisher's format."""

    name: str
    description: str
    """What a person should expect a line of it to look like."""

    def recognises(self, source: Source) -> bool:
        """By the beginning of the content; the source is rewound afterwards."""

    def parse(self, source: Source) -> Parsed:
        """Raises `Rejected` where name and content, or content and hints, do not go together."""


def parsers_of(country: str) -> Sequence[Parser]:
    """The parsers of a country, by its ISO 3166-1 code."""
    if country in _BUILT_IN:
        found: Sequence[Parser] = import_module(_BUILT_IN[country]).PARSERS
        return found
    # Only now: looking through the installed packages takes longer than parsing most files.
    from importlib.metadata import entry_points

    return [
        parser for point in entry_points(group=ENTRY_POINTS, name=country.lower()) for parser in point.load().PARSERS
    ]


def parse_file(path: Path, country: str, year_hint: int | None = None, sex_hint: str | None = None) -> Parsed:
    """Parses a file that is at hand, and refuses duplicates, which Postgres would find otherwise.

    Args:
        path: of the file.
        country: ISO 3166-1 code.
        year_hint, sex_hint: what the file itself has lost.

    Raises:
        Rejected: at once, or while the rows are read.
    """
    from parser_runner.parsers.duplicates import without_duplicates

    file = path.open("rb")
    try:
        source = Source(path.name, file, year_hint, sex_hint)
        parsed = parse(source, country)
    except BaseException:
        file.close()
        raise
    return replace(parsed, rows=_closing(file, without_duplicates(source, parsed.rows)))


def _closing(file: BinaryIO, rows: Iterator[Row]) -> Iterator[Row]:
    with file:
        yield from rows


def parse(source: Source, country: str) -> Parsed:
    """Finds the parser for a file by country and content, and starts it.

    Args:
        source: the file, its name and the hints given at submit.
        country: ISO 3166-1 code.

    Raises:
        Rejected: there is no parser for the country, or none recognises the file.
    """
    parsers = parsers_of(country)
    if not parsers:
        raise Rejected(Reason.NO_PARSER, source.filename, f"there is no parser for files of {country}")
    if source.size == 0:
        raise Rejected(Reason.INVALID_FORMAT, source.filename, "the file is empty")
    for parser in parsers:
        recognised = parser.recognises(source)
        source.rewind()
        if recognised:
            return parser.parse(source)
    expected = " or ".join(parser.description for parser in parsers)
    message = f"not a format of {country} that is known: expected {expected}"
    raise source.rejected(Reason.INVALID_FORMAT, message, line=1)
