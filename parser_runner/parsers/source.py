"""A file as parsers read it: its lines, its records, its sheets."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.limits import Limits
from parser_runner.parsers.findings import PROBLEMS_KEPT, PROBLEMS_LIMIT
from parser_runner.parsers.source_file import SourceFile
from parser_runner.parsers.workbook import Sheet, Workbook, open_workbook

__all__ = ["LINE_LIMIT", "PROBLEMS_KEPT", "PROBLEMS_LIMIT", "Source"]

LINE_LIMIT = Limits().cell_chars
"""Bytes of a line, by default."""

PLAIN_LIMIT = 1024
"""Bytes of a plain line, see `Source.matches`."""

_BLOCK = 1024 * 1024
_BLOCK_OF_LINES = 16 * 1024
_UTF_8 = b"\xef\xbb\xbf"


class Source(SourceFile):
    """A submitted file with all that parsers read of it: text, records, and the sheets of a workbook."""

    _workbook: Workbook | None = None
    _blank = 0
    """How many blank lines were just read."""

    @cached_property
    def _charsets(self) -> dict[str | None, str]:
        """The charset of the file, by the charset that a format declares."""
        return {}

    def close(self) -> None:
        """Closes the file and its workbook."""
        if self._workbook is not None:
            self._workbook.close()
            self._workbook = None
        super().close()

    # Text

    def lines(self, charset: str | None = None) -> Iterator[tuple[int, str]]:
        """Line numbers, from 1, and lines without their ends and without a byte order mark.

        A line that cannot be decoded is noted as a problem and left out. So is a blank line, unless it is at the
        end; those above the first line are counted.

        Args:
            charset: of files that are not UTF-8 and have no byte order mark.

        Raises:
            Rejected: a line is too long.
        """
        self._blank = 0
        yield from self._without_blank(self.raw_lines(charset))

    def matches(self, plain: re.Pattern[str]) -> Iterator[tuple[int, list[Any] | str]]:
        """As `lines` of UTF-8, but hundreds of lines at once if all of them are plain.

        Args:
            plain: matches a whole plain line, with `^` and `\\r?$` around it and MULTILINE; of at most
                PLAIN_LIMIT bytes.

        Yields:
            The number of the first line and the groups of each, as `re.findall` returns them. If some line nearby is
            not plain: the number of a line, and the line.
        """
        self._blank = 0
        if self.limits.cell_chars < PLAIN_LIMIT:
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
        """Notes blank lines as problems, now that another line follows. Those above the first line are counted."""
        if before - self._blank == 1:
            self.skip("blank records", self._blank)
        else:
            for one in range(before - self._blank, before):
                self.problem("the line is blank", one)
        self._blank = 0

    def raw_lines(self, charset: str | None = None) -> Iterator[tuple[int, str]]:
        """As `lines`, but with line ends and blank lines."""
        encoding = self.charset(charset)
        for number, block in self._blocks():
            yield from self._decoded(number, block, encoding)

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """Blocks of whole lines, and the number of the first; without a byte order mark. A too long line may be cut."""
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
            Rejected: the file is no delimited text.
        """
        csv.field_size_limit(self.limits.cell_chars)
        number = 0

        def counted() -> Iterator[str]:
            nonlocal number
            for number, line in self.raw_lines(charset):  # noqa: B007
                yield line

        reader = csv.reader(counted(), delimiter=delimiter, skipinitialspace=True)
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                reason = "the field is too long, or quotes do not match: this is not delimited text"
                raise self.rejected(Reason.INVALID_FORMAT, reason, number) from None
            yield number, fields

    def charset(self, declared: str | None) -> str:
        """By byte order mark; else UTF-8 if the whole file is, or one line that is not ASCII; else the declared one.

        Never by statistics. A file of both charsets is UTF-8, and its other lines are refused: read in another charset
        than their own, names have other letters.
        """
        if declared not in self._charsets:
            is_utf_8 = declared is None or self.head(3) == _UTF_8 or self._is_utf_8() or self._has_utf_8_lines()
            self._charsets[declared] = "utf-8" if is_utf_8 else str(declared)
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

    def _has_utf_8_lines(self) -> bool:
        """Whether any line with other letters than ASCII's is UTF-8."""
        self.rewind()
        try:
            return any(
                not line.isascii() and _is_decodable(line) for _, block in self._blocks() for line in block.split(b"\n")
            )
        finally:
            self.rewind()

    # Workbooks

    def workbook(self) -> Workbook | None:
        """The file as a workbook; None if it is none.

        Raises:
            Rejected: the workbook is damaged, encrypted or over a limit.
        """
        if self._workbook is None and (self.is_zip or self.is_ole):
            self._workbook = open_workbook(self)
            self.rewind()
        return self._workbook

    def sheets(self) -> Sequence[Sheet]:
        """The visible sheets, if the file is a workbook; else none. Raises as `workbook` does."""
        workbook = self.workbook()
        return workbook.sheets if workbook is not None else ()


def _is_decodable(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _all_found(plain: re.Pattern[str], block: bytes) -> list[Any]:
    """The groups of every line; nothing if some line is not plain."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        return []
    found = plain.findall(text)
    return found if len(found) == text.count("\n") + (not text.endswith("\n")) else []
