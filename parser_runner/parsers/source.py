"""A file as parsers read it: its name, its bytes, its lines, and what is wrong with them."""

import os
from collections.abc import Iterator
from typing import BinaryIO

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem, Rejected

PROBLEMS_KEPT = 20
PROBLEMS_LIMIT = 1000
"""After so many problems a file is not read on."""

LINE_LIMIT = 64 * 1024
"""Bytes a line may have."""

_BOM = b"\xef\xbb\xbf"


class Source:
    """A file to parse.

    Args:
        filename: the publisher's, without folders.
        file: seekable, at its beginning.
        year_hint: the year given at submit, or None.
        sex_hint: the sex given at submit, F or M, or None.
    """

    def __init__(
        self, filename: str, file: BinaryIO, year_hint: int | None = None, sex_hint: str | None = None
    ) -> None:
        self.filename = filename
        self.year_hint = year_hint
        self.sex_hint = sex_hint
        self.file = file
        self.size = file.seek(0, os.SEEK_END)
        self._problems: list[Problem] = []
        self._more = 0
        self.rewind()

    def rewind(self) -> None:
        """Back to the beginning."""
        self.file.seek(0)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Line numbers, from 1, and lines without their ends: UTF-8, with or without a byte order mark.

        Lines that are not UTF-8 are noted as problems and left out. Blank lines at the end are left out.

        Raises:
            Rejected: a line is longer than `LINE_LIMIT`.
        """
        blank = 0
        readline = self.file.readline
        number = 0
        while line := readline(LINE_LIMIT):
            number += 1
            if len(line) == LINE_LIMIT and not line.endswith(b"\n"):
                self.problem(f"the line is longer than {LINE_LIMIT} bytes: this is not a text file of lines", number)
                self.raise_problems()
            if number == 1 and line.startswith(_BOM):
                line = line[len(_BOM) :]
            line = line.rstrip(b"\r\n")
            if not line:
                blank += 1
                continue
            if blank:
                for one in range(number - blank, number):
                    self.problem("the line is blank", one)
                blank = 0
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                self.problem(f"byte {error.start + 1} is not UTF-8", number)
                continue
            yield number, text

    def problem(self, reason: str, line: int | None = None) -> None:
        """Notes what is wrong; the file is refused in the end, with the first problems named.

        Raises:
            Rejected: at once, where there are too many to read on.
        """
        if len(self._problems) < PROBLEMS_KEPT:
            self._problems.append(Problem(reason, line))
        else:
            self._more += 1
        if self._more > PROBLEMS_LIMIT:
            self.raise_problems()

    def raise_problems(self) -> None:
        """Raises `Rejected` if problems were noted."""
        if self._problems:
            raise Rejected(Reason.INVALID_FORMAT, self.filename, self._problems, self._more)

    def rejected(self, reason: Reason, message: str, line: int | None = None) -> Rejected:
        """The error that refuses this file."""
        return Rejected(reason, self.filename, Problem(message, line))
