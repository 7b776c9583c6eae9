"""Workbooks (.xls, .xlsx, .ods), read by a separate process: see reader_process.py and workbook_reader.py."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from zipfile import ZipInfo

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Rejected
from dataset_jobs.model.limits import MIB
from dataset_jobs.model.places import Cell
from parser_runner.parsers.file_kinds import document_in
from parser_runner.parsers.reader_process import FileAtFault, ReaderProcess
from parser_runner.parsers.source_file import SourceFile
from parser_runner.parsers.values import HEAD, Value
from parser_runner.parsers.zip_directory import checked_directory, read_member

_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument.spreadsheet"
_MANIFEST = "META-INF/manifest.xml"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


_IS_ENCRYPTED = "the workbook is encrypted: expected no password"


class Sheet:
    """A visible worksheet: rows of cells. Rows and columns count from A1, even if the first ones are empty."""

    def __init__(self, workbook: "Workbook", index: int, name: str) -> None:
        self.name = name
        self._workbook = workbook
        self._index = index
        self._head: list[list[Value]] | None = None

    def head(self) -> list[list[Value]]:
        """The first rows."""
        if self._head is None:
            self._head = [*self._workbook.read(self._index, HEAD)]
        return self._head

    def records(self) -> Iterator[tuple[int, list[Value]]]:
        """All rows with their numbers, from 1."""
        yield from enumerate(self._workbook.read(self._index, None), 1)

    def place(self, row: int, column: int) -> Cell:
        """The place of a cell: the row from 1, the column from 0."""
        return Cell(self.name, row, column + 1)


class Workbook:
    """An open workbook. Its process ends when it is closed or collected."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        content = source.file.read()
        self._reader = ReaderProcess(source.machine, len(content), source.limits.workbook_memory_mib * MIB)
        self._reader.send(content)
        answer = self._receive()
        self.sheets = [Sheet(self, index, name) for index, name in enumerate(answer["sheets"])]

    def close(self) -> None:
        """Ends the process."""
        self._reader.close()

    def read(self, index: int, rows: int | None) -> Iterator[list[Value]]:
        """The rows of a sheet. Who stops early cannot use the workbook any more."""
        self._reader.send(json.dumps([index, rows]).encode() + b"\n")
        limit = self._source.limits.cell_chars
        number = 0
        while (row := self._receive()) is not None:
            number += 1
            for column, value in enumerate(row):
                if isinstance(value, str) and len(value) > limit:
                    message = f"the text is longer than {limit} characters (LIMIT_CELL_CHARS)"
                    place = Cell(self.sheets[index].name, number, column + 1)
                    raise self._source.rejected(Reason.TOO_LARGE, message, place)
                if isinstance(value, dict):
                    row[column] = _date(value["date"])
            yield row

    def _receive(self) -> Any:
        try:
            return self._reader.receive()
        except FileAtFault as fault:
            raise self._refusal(fault.why) from None

    def _refusal(self, error: str) -> Rejected:
        # Native code aborts if it is out of memory: nothing tells that from another abort.
        if error == "memory":
            limit = self._source.limits.workbook_memory_mib
            message = f"reading the workbook takes more than {limit} MiB (LIMIT_WORKBOOK_MEMORY_MIB), or fails"
            return self._source.rejected(Reason.TOO_LARGE, message)
        if error == "encrypted":
            return self._source.rejected(Reason.INVALID_FORMAT, _IS_ENCRYPTED)
        return self._source.rejected(Reason.INVALID_FORMAT, "the workbook is damaged or cut off")


def _is_open_document(source: SourceFile, members: Mapping[str, ZipInfo]) -> bool:
    """Whether an archive is a workbook of LibreOffice (.ods).

    Raises:
        Rejected: it is one that is encrypted, or damaged.
    """
    if "content.xml" not in members or "mimetype" not in members:
        return False
    if not read_member(source, members["mimetype"]).startswith(_OPEN_DOCUMENT):
        return False
    if _MANIFEST in members and b":encryption-data" in read_member(source, members[_MANIFEST]):
        raise source.rejected(Reason.INVALID_FORMAT, _IS_ENCRYPTED)
    return True


def _date(text: str) -> Value:
    """The date of a cell; its text if Python has no such date."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def open_workbook(source: SourceFile) -> Workbook | None:
    """Opens a workbook; None if the file is another archive.

    Raises:
        Rejected: the workbook is damaged, encrypted or over a limit.
        Unavailable, OutOfMemory, Misconfigured: this machine cannot read it.
    """
    members = {member.filename: member for member in checked_directory(source)} if source.is_zip else {}
    if document := document_in(source, members):
        raise source.rejected(Reason.INVALID_FORMAT, document)
    if source.is_zip and "[Content_Types].xml" not in members and not _is_open_document(source, members):
        return None
    limit = source.limits.workbook_memory_mib
    if source.size > limit * MIB // 2:
        message = f"the workbook is larger than half of {limit} MiB (LIMIT_WORKBOOK_MEMORY_MIB)"
        raise source.rejected(Reason.TOO_LARGE, message)
    if source.is_ole and _ENCRYPTED_PACKAGE in source.head(source.size):
        raise source.rejected(Reason.INVALID_FORMAT, _IS_ENCRYPTED)
    source.rewind()
    return Workbook(source)
