"""Receives the files of one form one after the other: each is whole, or refused, before the next one comes."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from anyio.to_thread import run_sync
from fastapi import Request

from api.problems import Problem
from api.upload.body import blocks, check_length, too_large
from api.upload.fields import FIELDS
from api.upload.filename import publishers_name
from api.upload.form import FILE, Form, invalid
from api.upload.limits import FORM_BYTES
from api.upload.receiving import BLOCK_BYTES, Received, check_encoding
from api.upload.spool import SpoolFile
from api.upload.uploads import Uploads

MOST_FILES = 100
"""Files of one form."""

_SHOWN = 60
_ENDS = None
"""What stands for the end of a file."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not received, with the reason."""

    filename: str
    problem: Problem


async def receiving_each(request: Request, uploads: Uploads) -> AsyncGenerator[Received | Refused]:
    """Receives the files of a form. Each is gone when the next one is asked for; what is said of them comes first.

    Args:
        request: whose body nobody has read.
        uploads: where the bytes go, and what they may take.

    Raises:
        Problem: the form was refused; the files before are received.
        ClientDisconnect: the client is gone.
    """
    check_encoding(request)
    limits = uploads.limits
    form = SeveralFiles(request.headers.get("content-type", ""))
    most = MOST_FILES * limits.file_bytes + FORM_BYTES
    length = check_length(request.headers.get("content-length"), most, limits)
    expected = limits.file_bytes if length is None else min(length, limits.file_bytes)
    file: _File | None = None
    async with uploads.receiving.taken():
        try:
            async with aclosing(blocks(request.receive, most, limits)) as body:
                async for block in body:
                    for part in form.parts(block):
                        if isinstance(part, str | Refused):
                            file = _File(part, form.fields, uploads, expected)
                        elif file is not None and part is not _ENDS:
                            await file.write(part)
                        elif file is not None:
                            yield await file.end()
                            file.close()
            form.finish()
        finally:
            if file is not None:
                file.close()


class SeveralFiles(Form):
    """A form with files, each with the fields that come before it. Every method raises `Problem`.

    Args:
        content_type: the header of the request.
    """

    def __init__(self, content_type: str) -> None:
        super().__init__(content_type, FIELDS)
        self._parts: list[str | Refused | bytes | None] = []
        self._files = 0

    def parts(self, block: bytes) -> Sequence[str | Refused | bytes | None]:
        """Takes the next bytes of the body; returns what it has of files: a name, then bytes, then None as the end."""
        self._parts = []
        self.feed(block)
        return self._parts

    def _begin_file(self, filename: bytes | None) -> None:
        if not filename:
            raise invalid(FILE, "no file was chosen")
        self._files += 1
        shown = filename.decode(errors="replace")[:_SHOWN]
        try:
            if self._files > MOST_FILES:
                raise invalid(FILE, f"a form may have {MOST_FILES} files at most: send this one with the next form")
            self.filename = publishers_name(filename)
        except Problem as refusal:
            self.filename = shown
            self._parts.append(Refused(shown, refusal))
        else:
            self._parts.append(self.filename)

    def _begin_field(self) -> None:
        if self._files:
            raise invalid(self._name, "it has to come before the files")
        super()._begin_field()

    def _file_content(self, data: bytes) -> None:
        self._parts.append(data)

    def _end_part(self) -> None:
        super()._end_part()
        if self._is_file:
            self._parts.append(_ENDS)


class _File:
    """A file that comes. What comes of one that is refused is thrown away.

    Args:
        begun: its name, or its refusal.
        fields: what was said before it.
        uploads: where its bytes go.
        expected: bytes at most.
    """

    def __init__(
        self, begun: str | Refused, fields: Mapping[str, Sequence[str]], uploads: Uploads, expected: int
    ) -> None:
        self._refused = begun if isinstance(begun, Refused) else None
        self._name = begun.filename if isinstance(begun, Refused) else begun
        self._fields, self._limits = fields, uploads.limits
        self._content: SpoolFile | None = None
        self._unwritten = bytearray()
        if self._refused is None:
            self._content = uploads.spool.open(expected)

    async def write(self, block: bytes) -> None:
        if self._content is None:
            return
        self._unwritten += block
        if self._content.size + len(self._unwritten) > self._limits.file_bytes:
            self._refuse(too_large(self._limits))
        elif len(self._unwritten) >= BLOCK_BYTES:
            await self._flush(self._content)

    async def end(self) -> Received | Refused:
        if self._content is not None:
            await self._flush(self._content)
            if self._content.size:
                return Received(self._name, self._fields, self._content)
            self._refuse(Problem("empty-file", f"{self._name}: it has no bytes"))
        assert self._refused is not None
        return self._refused

    async def _flush(self, content: SpoolFile) -> None:
        if self._unwritten:
            await run_sync(content.write, bytes(self._unwritten))
            self._unwritten.clear()

    def _refuse(self, problem: Problem) -> None:
        self._refused = Refused(self._name, problem)
        self.close()

    def close(self) -> None:
        if self._content is not None:
            self._content.close()
            self._content = None
