"""A file as parsers read it: its name, its bytes, its lines, and what is wrong with them."""

import codecs
import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.places import Cell, InMember, Place
from parser_runner.machine import Machine, local_file
from parser_runner.parsers.findings import PROBLEMS_KEPT, PROBLEMS_LIMIT, Findings
from parser_runner.parsers.limits import Limits

if TYPE_CHECKING:
    from parser_runner.parsers.workbook import Sheet, Workbook

__all__ = ["LINE_LIMIT", "PROBLEMS_KEPT", "PROBLEMS_LIMIT", "Source"]

LINE_LIMIT = Limits().cell_chars
"""Bytes a line may have where nothing else is set."""

PLAIN_LIMIT = 1024
"""Bytes of a plain line."""

_BLOCK = 1024 * 1024
_BLOCK_OF_LINES = 16 * 1024
_UTF_8 = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class Source:
    """A file to parse, or a member of an archive.

    Args:
        filename: the publisher's, without folders.
        file: seekable, at its beginning.
        year_hint: the year given at submit, or None.
        sex_hint: the sex given at submit, F or M, or None.
        limits: what it may cost.
        member: where in the archive `filename` this file is.
        findings: of the archive.
        machine: where temporary files and helping processes come from.

    Whatever reads it raises also `Unavailable` and `OutOfMemory`: the machine is at fault then, never the file.
    """

    def __init__(
        self,
        filename: str,
        file: BinaryIO,
        year_hint: int | None = None,
        sex_hint: str | None = None,
        limits: Limits | None = None,
        member: str | None = None,
        findings: Findings | None = None,
        machine: Machine | None = None,
    ) -> None:
        self.filename = filename
        self.year_hint = year_hint
        self.sex_hint = sex_hint
        self.file = local_file(file, filename)
        self.machine = machine or Machine()
        self.limits = limits or Limits()
        self.member = member
        self.findings = findings or Findings(filename)
        self.size = self.file.seek(0, os.SEEK_END)
        self._workbook: Workbook | None = None
        self._charsets: dict[str | None, str] = {}
        self._blank = 0
        """Blank lines that have just been read."""
        self.rewind()

    @property
    def own_name(self) -> str:
        """The name that the publisher gave this file: the member's, where it is one."""
        return self.filename if self.member is None else PurePosixPath(self.member.replace("\\", "/")).name

    def rewind(self) -> None:
        """Back to the beginning."""
        self.file.seek(0)

    def close(self) -> None:
        """Closes the file, and the workbook that it is."""
        if self._workbook is not None:
            self._workbook.close()
            self._workbook = None
        self.file.close()

    def head(self, length: int = 1024) -> bytes:
        """The first bytes; the source is rewound."""
        self.rewind()
        head = self.file.read(length)
        self.rewind()
        return head

    # Text

    def lines(self, charset: str | None = None) -> Iterator[tuple[int, str]]:
        """Line numbers, from 1, and lines without their ends, with or without a byte order mark.

        Lines that cannot be decoded are noted as problems and left out, so are blank lines but those at the end.

        Args:
            charset: what the format declares for files that are not UTF-8 and have no byte order mark.

        Raises:
            Rejected: a line is longer than the limit.
        """
        self._blank = 0
        yield from self._without_blank(self.raw_lines(charset))

    def matches(self, plain: re.Pattern[str]) -> Iterator[tuple[int, list[Any] | str]]:
        """As `lines`, of UTF-8, but hundreds of lines together as long as all of them are plain.

        Args:
            plain: what a whole line may be, with `^` and `\\r?$` around it and MULTILINE; of at most PLAIN_LIMIT bytes.

        Yields:
            The number of the first line and the groups of each, as `re.findall` gives them; or the number of a line
            and the line, where some line near it is not plain.
        """
        self._blank = 0
        if self._charset(None) == "utf-16" or self.limits.cell_chars < PLAIN_LIMIT:
            yield from self._without_blank(self.raw_lines())
            return
        for number, block in self._blocks():
            if found := _all_found(plain, block):
                self._note_blank(number)
                yield number, found
            else:
                yield from self._without_blank(self._decoded(number, block, "utf-8"))

    def _without_blank(self, lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
        for number, text in lines:
            line = text.rstrip("\r\n")
            if line:
                if self._blank:
                    self._note_blank(number)
                yield number, line
            else:
                self._blank += 1

    def _note_blank(self, before: int) -> None:
        """Blank lines are only a problem where another line follows."""
        for one in range(before - self._blank, before):
            self.problem("the line is blank", one)
        self._blank = 0

    def raw_lines(self, charset: str | None = None) -> Iterator[tuple[int, str]]:
        """As `lines`, but with their ends and with blank lines."""
        encoding = self._charset(charset)
        if encoding == "utf-16":
            yield from self._utf_16_lines()
            return
        for number, block in self._blocks():
            yield from self._decoded(number, block, encoding)

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """Whole lines, without a byte order mark, and the number of the first; a line over the limit may be cut."""
        number, mark = 1, _UTF_8
        while block := self.file.read(_BLOCK_OF_LINES):
            block += self.file.readline(self.limits.cell_chars)
            yield number, block.removeprefix(mark)
            number, mark = number + block.count(b"\n"), b""

    def _decoded(self, first: int, block: bytes, encoding: str) -> Iterator[tuple[int, str]]:
        limit = self.limits.cell_chars
        for number, line in enumerate(io.BytesIO(block), first):
            if len(line) > limit or (len(line) == limit and not line.endswith(b"\n")):
                self.problem(f"the line is longer than {limit} bytes: this is not a text file of lines", number)
                self.raise_problems()
            try:
                yield number, line.decode(encoding)
            except UnicodeDecodeError as error:
                self.problem(f"byte {error.start + 1} is not {'UTF-8' if encoding == 'utf-8' else encoding}", number)

    def records(self, delimiter: str, charset: str | None = None) -> Iterator[tuple[int, list[str]]]:
        """Line numbers and fields of delimited text, quoted or not; the line is the record's last one.

        Raises:
            Rejected: it is no such text.
        """
        csv.field_size_limit(self.limits.cell_chars)
        number = 0

        def counted() -> Iterator[str]:
            nonlocal number
            for number, line in self.raw_lines(charset):  # noqa: B007
                yield line

        reader = csv.reader(counted(), delimiter=delimiter)
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                reason = "the field is too long, or quotes do not match: this is not delimited text"
                raise self.rejected(Reason.INVALID_FORMAT, reason, number) from None
            yield number, fields

    def _charset(self, declared: str | None) -> str:
        """By byte order mark, else UTF-8 if all of it is, else the declared one. Never by statistics."""
        if declared not in self._charsets:
            head = self.head(4)
            if head.startswith(_UTF_16):
                found = "utf-16"
            elif declared is None or head.startswith(_UTF_8) or self._is_utf_8():
                found = "utf-8"
            else:
                found = declared
            self._charsets[declared] = found
        return self._charsets[declared]

    def _is_utf_8(self) -> bool:
        decoder = codecs.getincrementaldecoder("utf-8")()
        self.rewind()
        try:
            while block := self.file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        finally:
            self.rewind()
        return True

    def _utf_16_lines(self) -> Iterator[tuple[int, str]]:
        """As `raw_lines`: line ends of UTF-16 cannot be found byte by byte."""
        limit, number = self.limits.cell_chars, 0
        text = io.TextIOWrapper(self.file, encoding="utf-16", newline="")
        try:
            while line := text.readline(limit):
                number += 1
                if len(line) == limit and not line.endswith(("\n", "\r")):
                    raise self.rejected(Reason.INVALID_FORMAT, f"the line is longer than {limit} characters", number)
                yield number, line
        except UnicodeError:
            message = "the file begins as UTF-16 does, but this is not UTF-16"
            raise self.rejected(Reason.INVALID_FORMAT, message, number + 1) from None
        finally:
            text.detach()

    # Containers

    @property
    def is_zip(self) -> bool:
        """Whether it begins as zip archives do; workbooks (.xlsx) do so too."""
        return self.head(4) == _ZIP

    @property
    def is_ole(self) -> bool:
        """Whether it begins as workbooks of the old kind (.xls) do, and all that is encrypted by Office."""
        return self.head(8) == _OLE

    def workbook(self) -> "Workbook | None":
        """The workbook that it is, or None.

        Raises:
            Rejected: it is one, but damaged, encrypted or over a limit.
        """
        if self._workbook is None and (self.is_zip or self.is_ole):
            # Only now: text files need none of it.
            from parser_runner.parsers.workbook import open_workbook

            self._workbook = open_workbook(self)
            self.rewind()
        return self._workbook

    def sheets(self) -> "Sequence[Sheet]":
        """The visible sheets of the workbook that it is; none if it is no workbook. Raises as `workbook` does."""
        workbook = self.workbook()
        return workbook.sheets if workbook is not None else ()

    # What is found

    def skip(self, reason: str, count: int = 1) -> None:
        """Counts records that are no rows."""
        if count:
            self.findings.skipped[reason] += count

    def added(self, reason: str, count: int = 1) -> None:
        """Counts records whose figures were added to those of another one."""
        self.findings.added[reason] += count

    def problem(self, reason: str, place: int | Cell | None = None) -> None:
        """Notes what is wrong; the file is refused in the end, with the first problems named.

        Raises:
            Rejected: at once, where there are too many to read on.
        """
        self.findings.problem(Problem(reason, self.place(place)))

    def raise_problems(self) -> None:
        """Raises `Rejected` if problems were noted."""
        self.findings.raise_problems()

    def rejected(self, reason: Reason, message: str, place: int | Cell | None = None) -> Rejected:
        """The error that refuses this file."""
        return Rejected(reason, self.filename, Problem(message, self.place(place)))

    def place(self, place: int | Cell | None) -> Place | None:
        """A line or cell of this source, as a place of the whole file."""
        return place if self.member is None else InMember(self.member, place)

    def check_rows(self, rows: int) -> None:
        """Raises `Rejected` where there are more rows than allowed."""
        if rows > self.limits.rows:
            message = f"the file has more than {self.limits.rows} rows (LIMIT_ROWS)"
            raise Rejected(Reason.TOO_LARGE, self.filename, message)


def _all_found(plain: re.Pattern[str], block: bytes) -> list[Any]:
    """The groups of every line; nothing where some line is not plain."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        return []
    found = plain.findall(text)
    return found if len(found) == text.count("\n") + (not text.endswith("\n")) else []
