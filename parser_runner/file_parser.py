"""One file from its bytes to lines for COPY. It knows no database and no storage."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, BinaryIO, Protocol, cast

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.report import Report
from parser_runner.load import BLOCK_LINES, SortedRows, Unloadable, sort_rows
from parser_runner.machine import LocalFile, Machine, temporary_file
from parser_runner.other_sex import most_frequent
from parser_runner.parsers import parse, parse_whole, refuse_if_refused, rows_again
from parser_runner.parsers.archive import is_archive
from parser_runner.parsers.duplicates import without_duplicates
from parser_runner.parsers.report import report, report_of, reports_of_members
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


@dataclass(frozen=True, slots=True)
class Suggested:
    """A description of a list that no parser knows, to be confirmed by a person.

    Args:
        document: as TOML has it.
        toml: the document with comments on what is uncertain.
        columns: the same as a line.
        notes: the comments.
        tried: what the file gives with it.
    """

    document: Mapping[str, Any]
    toml: str
    columns: str
    notes: Sequence[str]
    tried: Report


class _Shared(LocalFile):
    """Stays open when the source that reads it is closed."""

    def close(self) -> None:
        pass


class FileParser:
    """Parses a file in this process.

    Args:
        asked: the file.
        machine: for temporary files and helper processes.

    Raises:
        Unavailable, OutOfMemory: the machine gives no temporary file.
    """

    def __init__(self, asked: FileToParse, machine: Machine | None = None) -> None:
        self.asked = asked
        self._machine = machine or Machine()
        self._file = temporary_file(self._machine)
        self._source: Source | None = None
        self._rows = SortedRows([], [])

    def write(self, block: bytes) -> None:
        self._file.write(block)

    def parse(self, progress: Callable[[int], None]) -> ParsedFile:
        asked = self.asked
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
        source, country = self._source, self.asked.country
        assert source is not None
        source.rewind()
        for _ in without_duplicates(source, parse(source, country).rows, lambda: rows_again(source, country)):
            pass

    def csv(self) -> Iterator[bytes]:
        """Reads the whole file, for people: year, gender, name and count, in the file's order."""
        parsed = parse_whole(self._again(), self.asked.country)
        rows = iter(parsed.rows)
        while some := list(islice(rows, BLOCK_LINES)):
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows((row.year, row.gender, row.name, row.count) for row in some)
            yield text.getvalue().encode()

    def reports(self) -> list[Report]:
        """The report of the file. If it is an archive of several regions: also one of each file in it."""
        found = report(self._again(), self.asked.country)
        if found.rejected is None or found.rejected.reason is not Reason.SEVERAL_REGIONS:
            return [found]
        with closing(self._again()) as source:
            return [found, *(reports_of_members(source, self.asked.country) if is_archive(source) else ())]

    def suggested(self) -> Suggested:
        """Proposes a description of the file, and tries it.

        Raises:
            NothingToSuggest: nothing can be proposed; the message says why.
            Rejected: the file is damaged, or over a limit.
        """
        # Few files need one.
        from parser_runner.parsers.descriptions.suggest import suggest

        with closing(self._again()) as source:
            refuse_if_refused(source, self.asked.country)
            found = suggest(source, self.asked.country)
        hints = replace(self.asked.hints, description=found.description.as_json())
        tried = report(self._again(hints), self.asked.country)
        return Suggested(found.document, found.as_toml(), found.description.as_columns(), found.notes, tried)

    def _again(self, hints: FileHints | None = None) -> Source:
        self._file.seek(0)
        file = cast("BinaryIO", _Shared(self._file, self.asked.filename))
        asked = self.asked
        return Source(asked.filename, file, hints or asked.hints, asked.limits, machine=self._machine)

    def close(self) -> None:
        if self._source is not None:
            self._source.close()
        with suppress(io.UnsupportedOperation):
            self._file.close()
