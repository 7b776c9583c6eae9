"""Workbooks (.xls, .xlsx), read in a process of its own; see workbook_reader.py for why and how."""

import contextlib
import json
import subprocess
import sys
import weakref
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Rejected
from dataset_jobs.model.places import Cell
from parser_runner.parsers.archive import checked_directory
from parser_runner.parsers.limits import MIB
from parser_runner.parsers.source import Source
from parser_runner.parsers.values import Value

_READER = Path(__file__).with_name("workbook_reader.py")
_HEAD = 15
"""Rows in which a sheet's titles and headings are looked for."""

_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


class Sheet:
    """A visible worksheet: rows of cells. Rows and columns begin at A1, whatever is empty."""

    def __init__(self, workbook: "Workbook", index: int, name: str) -> None:
        self.name = name
        self._workbook = workbook
        self._index = index
        self._head: list[list[Value]] | None = None

    def head(self) -> list[list[Value]]:
        """Its first rows."""
        if self._head is None:
            self._head = [*self._workbook.read(self._index, _HEAD)]
        return self._head

    def records(self) -> Iterator[tuple[int, list[Value]]]:
        """Its rows with their numbers, from 1."""
        yield from enumerate(self._workbook.read(self._index, None), 1)

    def place(self, row: int, column: int) -> Cell:
        """A cell of it: the row from 1, the column from 0."""
        return Cell(self.name, row, column + 1)


class Workbook:
    """An open workbook. Its process ends with it, or when it is closed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        content = source.file.read()
        self._process = subprocess.Popen(
            # Isolated: nothing of the environment or the current folder is imported by it.
            [
                sys.executable,
                "-I",
                str(_READER),
                str(len(content)),
                str(source.limits.workbook_memory_mib * MIB),
                _library_folder(),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._end = weakref.finalize(self, _stop, self._process)
        self._send(content)
        answer = self._receive()
        self.sheets = [Sheet(self, index, name) for index, name in enumerate(answer["sheets"])]

    def close(self) -> None:
        """Ends the process."""
        self._end()

    def read(self, index: int, rows: int | None) -> Iterator[list[Value]]:
        """The rows of a sheet; all are read, or the workbook is of no use any more."""
        self._send(json.dumps([index, rows]).encode() + b"\n")
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
                    row[column] = date.fromisoformat(value["date"])
            yield row

    def _send(self, content: bytes) -> None:
        assert self._process.stdin is not None
        # Where it has died, its answer says so.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(content)
            self._process.stdin.flush()

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line.endswith(b"\n") else {"error": "memory" if self._aborted() else "damaged"}
        if isinstance(answer, dict) and "error" in answer:
            self.close()
            if answer["error"] == "library":
                raise Misconfigured("python-calamine, which reads workbooks, cannot be loaded: install it again")
            raise self._refusal(answer["error"])
        return answer

    def _aborted(self) -> bool:
        """What is out of memory aborts, so there is no telling it from another abort."""
        return self._process.wait() != 0

    def _refusal(self, error: str) -> Rejected:
        if error == "memory":
            limit = self._source.limits.workbook_memory_mib
            message = f"reading the workbook takes more than {limit} MiB (LIMIT_WORKBOOK_MEMORY_MIB), or breaks it off"
            return self._source.rejected(Reason.TOO_LARGE, message)
        if error == "encrypted":
            return self._source.rejected(Reason.INVALID_FORMAT, "the workbook is encrypted: expected no password")
        return self._source.rejected(Reason.INVALID_FORMAT, "the workbook is damaged or cut off")


def open_workbook(source: Source) -> Workbook | None:
    """The workbook that a source is; None where it is another archive.

    Raises:
        Rejected: it is one, but damaged, encrypted or over a limit.
    """
    if source.is_zip and "[Content_Types].xml" not in {member.filename for member in checked_directory(source)}:
        return None
    limit = source.limits.workbook_memory_mib
    if source.size > limit * MIB // 2:
        message = f"the workbook is larger than half of {limit} MiB (LIMIT_WORKBOOK_MEMORY_MIB)"
        raise source.rejected(Reason.TOO_LARGE, message)
    if source.is_ole and _ENCRYPTED_PACKAGE in source.head(source.size):
        raise source.rejected(Reason.INVALID_FORMAT, "the workbook is encrypted: expected no password")
    source.rewind()
    return Workbook(source)


def _library_folder() -> str:
    """Where the library is installed, which may be a folder of PYTHONPATH."""
    found = find_spec("python_calamine")
    return str(Path(found.origin).parents[1]) if found and found.origin else ""


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
