"""Receives one file: its bytes to the spool, its fields and its name to the route. Nothing is stored yet."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from anyio.to_thread import run_sync
from fastapi import Request

from api.problems import Problem
from api.upload.body import blocks, check_length, too_large
from api.upload.digests import ContentDigest
from api.upload.fields import FIELDS
from api.upload.filename import publishers_name
from api.upload.form import Form
from api.upload.limits import FORM_BYTES, UploadLimits
from api.upload.spool import SpoolFile
from api.upload.uploads import Uploads

BLOCK_BYTES = 256 * 1024
"""How much is written at a time."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has come whole.

    Args:
        filename: the publisher's name.
        fields: what the form says beside it.
        content: its bytes; gone when the receiving ends.
    """

    filename: str
    fields: Mapping[str, Sequence[str]]
    content: SpoolFile


@asynccontextmanager
async def receiving(request: Request, uploads: Uploads, filename: str | None = None) -> AsyncIterator[Received]:
    """Receives the file of a request, and keeps it in the spool until the block ends.

    Args:
        request: whose body nobody has read.
        uploads: where the bytes go, and what they may take.
        filename: of a body that is the file itself; None if it is a form.

    Raises:
        Problem: it was refused.
        ClientDisconnect: the client is gone.
    """
    check_encoding(request)
    limits = uploads.limits
    form = Form(request.headers.get("content-type", ""), FIELDS) if filename is None else None
    name = None if filename is None else publishers_name(filename)
    most = limits.file_bytes + (0 if form is None else FORM_BYTES)
    length = check_length(request.headers.get("content-length"), most, limits)
    expected = limits.file_bytes if length is None else min(length, limits.file_bytes)
    async with uploads.receiving.taken():
        with uploads.spool.open(expected) as content:
            await _fill(content, request, form, most, limits)
            if form is not None:
                name = form.finish()
            assert name is not None
            if content.size == 0:
                raise Problem("empty-file", f"{name} has no bytes")
            yield Received(name, {} if form is None else form.fields, content)


async def _fill(content: SpoolFile, request: Request, form: Form | None, most: int, limits: UploadLimits) -> None:
    """Writes the file of a request to the spool."""
    digest = ContentDigest(request.headers.get("content-digest"))
    unwritten = bytearray()
    async with aclosing(blocks(request.receive, most, limits)) as body:
        async for block in body:
            digest.update(block)
            for part in (block,) if form is None else form.feed(block):
                unwritten += part
            if content.size + len(unwritten) > limits.file_bytes:
                raise too_large(limits)
            if len(unwritten) >= BLOCK_BYTES:
                await run_sync(content.write, bytes(unwritten))
                unwritten.clear()
    digest.check()
    if unwritten:
        await run_sync(content.write, bytes(unwritten))


def check_encoding(request: Request) -> None:
    """Raises a Problem for a body that is packed on its way."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise Problem(
            "unsupported-type", f"Content-Encoding is {encoding[:40]!r}: send the file as it is, or as a .gz file"
        )
