"""The body of an upload, block by block: no more bytes than allowed, and not too slowly."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from api.problems import Problem
from api.upload.limits import UploadLimits


def check_length(length: str | None, most: int, limits: UploadLimits) -> int | None:
    """The bytes that a request says its body has; None if it does not.

    Args:
        length: the header Content-Length.
        most: bytes that the body may have.
        limits: what uploads may take.

    Raises:
        Problem: they are too many.
    """
    if length is None or not (length.isascii() and length.isdigit()):
        return None
    if int(length[:20]) > most:
        raise too_large(limits)
    return int(length)


async def blocks(receive: Receive, most: int, limits: UploadLimits) -> AsyncGenerator[bytes]:
    """The body as it comes.

    Args:
        receive: of the request.
        most: bytes that the body may have.
        limits: what uploads may take. Only the time counts in which we wait for the client.

    Raises:
        Problem: it is too large, or comes too slowly.
        ClientDisconnect: the client is gone.
    """
    clock = asyncio.get_running_loop().time
    got = recent = 0
    waited = 0.0
    more = True
    while more:
        began = clock()
        try:
            async with asyncio.timeout(limits.rate_seconds):
                message = await receive()
        except TimeoutError:
            raise _too_slow(f"nothing came for {limits.rate_seconds:g} s") from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        block: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        got, recent, waited = got + len(block), recent + len(block), waited + clock() - began
        if got > most:
            raise too_large(limits)
        if waited >= limits.rate_seconds:
            if recent < limits.least_rate * waited and more:
                raise _too_slow(
                    f"{recent:,} bytes came in {waited:.0f} s; at least {limits.least_rate:,} a second must"
                )
            recent, waited = 0, 0.0
        if block:
            yield block


def too_large(limits: UploadLimits) -> Problem:
    """The refusal of a file that is too large."""
    return Problem(
        "too-large",
        f"a file may have {limits.file_bytes:,} bytes ({limits.file_bytes / (1 << 20):g} MiB) at most: LIMIT_FILE_MIB",
        limit=limits.file_bytes,
    )


def _too_slow(why: str) -> Problem:
    return Problem("too-slow", f"{why}; nothing was kept: send the file again")
