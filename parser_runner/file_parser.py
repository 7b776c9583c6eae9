"""One file from its bytes to lines for COPY. It knows no database and no storage."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.limits import Limits
from parser_runner.load import SortedRows, Unloadable, sort_rows
from parser_runner.machine import Machine, temporary_file
from parser_runner.other_sex import most_frequent
from parser_runner.parsers import parse, rows_again
from parser_runner.parsers.duplicates import without_duplicates
from parser_runner.parsers.report import report_of
from parser_runner.parsers.source import Source


@dataclass(frozen=True, slots=True)
class FileToParse:
    """What a parser is told of a file.

    Args:
        filename: the publisher's.
        country: ISO 3166-1 code.
        hints: what the uploader says of it.
        limits: on the file.
    """

    filename: str
    country: str
    hints: FileHints = NO_HINTS
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """A file that was read to its end.

    Args:
        parser, measure, region, top: see `parser_runner.parsers.contract.Parsed`.
        coverage: every year and sex that there are rows of, ascending.
        beside: as `Report.beside_the_rows` gives it.
        sex: F or M, if only the file's name or the uploader says it.
        frequent: the most frequent names, if `sex` is known.
    """

    parser: str
    measure: str
    region: str | None
    top: int | None
    coverage: Sequence[Covered]
    beside: Mapping[str, Any]
    sex: str | None = None
    frequent: Sequence[str] = ()


class Parsing(Protocol):
    """A file that is being parsed, in this process or in another one. All methods raise `RunError`."""

    def write(self, block: bytes) -> None:
        """Takes the next bytes of the file."""

    def parse(self, progress: Callable[[int], None]) -> ParsedFile:
        """Reads the whole file, once all of it is written.

        Args:
            progress: called with the number of rows read so far, again and again; it may raise, which ends the reading.

        Raises:
            Rejected: the file is malformed.
        """

    def blocks(self) -> Iterator[bytes]:
        """The rows of the file that was read: see `SortedRows.blocks`."""

    def find_duplicates(self) -> None:
        """Reads the file once more, and raises `Rejected` with the places of rows that have the same key."""

    def close(self) -> None:
        """Ends it, whatever it is at."""


class FileParser:
    """Parses a file in this process.

    Args:
        asked: the file.
        machine: for temporary files and helper processes.

    Raises:
        Unavailable, OutOfMemory: the machine gives no temporary file.
    """

    def __init__(self, asked: FileToParse, machine: Machine | None = None) -> None:
        self._asked = asked
        self._machine = machine or Machine()
        self._file = temporary_file(self._machine)
        self._source: Source | None = None
        self._rows = SortedRows([], [])

    def write(self, block: bytes) -> None:
        self._file.write(block)

    def parse(self, progress: Callable[[int], None]) -> ParsedFile:
        asked = self._asked
        self._file.seek(0)
        self._source = source = Source(asked.filename, self._file, asked.hints, asked.limits, machine=self._machine)
        parsed = parse(source, asked.country)

        def checked(rows_done: int) -> None:
            progress(rows_done)
            source.check_rows(rows_done)

        try:
            self._rows = rows = sort_rows(parsed.rows, checked)
        except Unloadable as error:
            problem = Problem(str(error), error.place)
            raise Rejected(Reason.INVALID_FORMAT, asked.filename, problem) from None
        if not rows.lines:
            raise source.rejected(Reason.INVALID_FORMAT, "the file has no rows")
        sex = source.findings.sex_by_name
        return ParsedFile(
            parsed.parser,
            parsed.measure,
            parsed.region,
            parsed.top,
            rows.coverage,
            report_of(source, asked.country, parsed, rows.coverage, rows.smallest).beside_the_rows(),
            sex,
            most_frequent(rows.lines) if sex is not None else (),
        )

    def blocks(self) -> Iterator[bytes]:
        return self._rows.blocks()

    def find_duplicates(self) -> None:
        source, country = self._source, self._asked.country
        assert source is not None
        source.rewind()
        for _ in without_duplicates(source, parse(source, country).rows, lambda: rows_again(source, country)):
            pass

    def close(self) -> None:
        if self._source is not None:
            self._source.close()
        with suppress(io.UnsupportedOperation):
            self._file.close()
