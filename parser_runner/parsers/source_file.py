"""A submitted file as it stands: its name, hints, bytes and findings."""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import BinaryIO

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Problem, Rejected
from dataset_jobs.model.file_hints import NO_HINTS, FileHints
from dataset_jobs.model.hints import Hint
from dataset_jobs.model.limits import Limits
from dataset_jobs.model.places import Cell, Figure, InMember, Place
from parser_runner.machine import Machine, local_file
from parser_runner.parsers.findings import Findings
from parser_runner.parsers.plain_file import ENDINGS, plain_file

LocalPlace = int | Cell | Figure
"""A place within one file: a line, from 1, a cell, or a figure of a matrix."""

_KEPT_BYTES = 64 * 1024

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class SourceFile:
    """A file to parse, or a member of an archive.

    Args:
        filename: the publisher's, without folders.
        file: seekable, at its beginning.
        hints: what the uploader says of the file.
        limits: on the file.
        member: the name of this file in the archive `filename`; None if it is no member.
        findings: the archive's, if this file is a member.
        machine: starts helper processes and makes temporary files.

    Whatever reads it also raises `Unavailable` and `OutOfMemory`: then the machine is at fault, never the file.
    """

    def __init__(
        self,
        filename: str,
        file: BinaryIO,
        hints: FileHints = NO_HINTS,
        limits: Limits | None = None,
        member: str | None = None,
        findings: Findings | None = None,
        machine: Machine | None = None,
    ) -> None:
        self.filename = filename
        self.hints = hints
        self._submitted = local_file(file, filename)
        self.machine = machine or Machine()
        self.limits = limits or Limits()
        self.member = member
        self.findings = findings or Findings(filename)
        self.submitted_size = self._submitted.seek(0, os.SEEK_END)
        self._submitted.seek(0)

    @cached_property
    def file(self) -> BinaryIO:
        """What is in the file: see `plain_file`, whose errors it raises."""
        return plain_file(
            self._submitted, self.submitted_size, self.limits, self.machine, self.rejected, self.member is None
        )

    @cached_property
    def size(self) -> int:
        """The bytes that are in the file; raises as `file` does."""
        size = self.file.seek(0, os.SEEK_END)
        self.rewind()
        return size

    @property
    def year_hint(self) -> int | None:
        """The year that the uploader says."""
        return self.hints.year

    @property
    def sex_hint(self) -> str | None:
        """The sex that the uploader says, F or M."""
        return self.hints.sex

    @property
    def own_name(self) -> str:
        """The publisher's name of this file: without the ending of compressed files, and a member's without folders."""
        name = self.filename if self.member is None else PurePosixPath(self.member.replace("\\", "/")).name
        return name[: name.rindex(".")] if name.lower().endswith(ENDINGS) else name

    def rewind(self) -> None:
        """Goes back to the beginning."""
        self.file.seek(0)

    def close(self) -> None:
        """Closes the file."""
        if (file := vars(self).get("file")) is not None:
            file.close()
        self._submitted.close()

    def head(self, length: int = 1024) -> bytes:
        """The first bytes. Rewinds."""
        self.rewind()
        if length <= _KEPT_BYTES:
            return self._beginning[:length]
        head = self.file.read(length)
        self.rewind()
        return head

    @cached_property
    def _beginning(self) -> bytes:
        """What every parser looks at: read once. The file is at its beginning, before and after."""
        found = self.file.read(_KEPT_BYTES)
        self.rewind()
        return found

    @property
    def is_zip(self) -> bool:
        """Whether it begins like a zip archive, as workbooks (.xlsx) also do."""
        return self.head(4) == _ZIP

    @property
    def is_ole(self) -> bool:
        """Whether it begins like an old workbook (.xls), as all files encrypted by Office also do."""
        return self.head(8) == _OLE

    def skip(self, reason: str, count: int = 1, place: LocalPlace | None = None, figure: int = 0) -> None:
        """Counts records that are left out, by the reason. The report shows them.

        Args:
            reason: why, without quoting the file.
            count: how many there are.
            place: of the first of them, if known.
            figure: the sum of their own counts; 0 if they have none.
        """
        if count:
            self.findings.skip(reason, count, self.place(place), figure)

    def added(self, reason: str, count: int = 1) -> None:
        """Counts records that were added to another one, by the reason."""
        self.findings.add(reason, count)

    def problem(self, reason: str, place: LocalPlace | None = None) -> None:
        """Notes a problem, without quoting the file. After the last row the file is refused with the first problems.

        Raises:
            Rejected: there are too many to read on.
        """
        self.findings.problem(Problem(reason, self.place(place)))

    def raise_problems(self) -> None:
        """Raises `Rejected` if problems were noted. The registry calls it after the last row."""
        self.findings.raise_problems()

    def rejected(
        self, reason: Reason, message: str, place: LocalPlace | None = None, hints: Sequence[Hint] = ()
    ) -> Rejected:
        """The error that refuses this file; each hint is a way to submit it so that it is read."""
        return Rejected(reason, self.filename, Problem(message, self.place(place)), hints=hints)

    def place(self, place: LocalPlace | None) -> Place | None:
        """A line or cell of this file, as a place in the submitted one."""
        return place if self.member is None else InMember(self.member, place)

    def check_rows(self, rows: int) -> None:
        """Raises `Rejected` if there are more rows than allowed."""
        if rows > self.limits.rows:
            message = f"the file has more than {self.limits.rows} rows (LIMIT_ROWS)"
            raise Rejected(Reason.TOO_LARGE, self.filename, message)
