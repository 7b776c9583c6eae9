"""A file from an http or https address.

The client is urllib3, which every installation has: botocore brings it, and it is locked with hashes. aiohttp is in the
controller's extra only and wants an event loop; `urllib.request` neither checks the length of a body nor limits one
read. urllib3 checks Content-Length and chunks, and decodes gzip in bounded steps. Redirects, addresses that are never
asked and the limit on the whole are ours.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import urljoin

import urllib3
from urllib3 import exceptions as failures

from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line
from services.sources.addresses import Address
from services.sources.line import Line, ask, http_errors
from services.sources.names import name_of
from services.sources.page import is_page
from services.sources.request import Download, Request, Validators
from services.sources.source import copy, named_file, too_large

MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_FOR_GOOD = {301, 308}
_LATER = {408, 421, 425, 429}
_GZIPPED = {"gzip", "x-gzip"}
_PLAIN = {"", "identity", "deflate", *_GZIPPED}
_HEAD_BYTES = 4096
_DIGITS = 18


@contextmanager
def downloaded(request: Request) -> Iterator[Download | None]:
    """The file, for as long as it is needed; None if it is the version that is known.

    Raises:
        InvalidRequest: there is no such file, the server refuses us, or its answer can be no file of ours.
        Unavailable: the server did not answer, is in trouble or broke off.
    """
    shown = request.address.shown
    with ExitStack() as kept:
        with _asked(request) as answer:
            if answer.status == 304:
                found = None
            else:
                size = _promised(answer, request)
                request.before()
                path = kept.enter_context(named_file(_name(answer, request)))
                with machine_errors(f"store {shown}"):
                    copy(
                        cast("BinaryIO", _Body(answer)), path, shown, request.most_bytes,
                        lambda so_far: request.seen(so_far, size),
                    )  # fmt: skip
                with machine_errors(f"read {path.name}"), path.open("rb") as content:
                    _refuse_page(answer, content.read(_HEAD_BYTES))
                headers = answer.response.headers
                validators = Validators(_kept(headers.get("ETag")), _kept(headers.get("Last-Modified")))
                found = Download(path, validators, answer.moved_to)
        yield found


def look(request: Request) -> str:
    """The file's name, as the server answers now; nothing but the beginning is read. Raises as `downloaded`."""
    with _asked(request) as answer:
        _promised(answer, request)
        _refuse_page(answer, _Body(answer).read(_HEAD_BYTES))
        return _name(answer, request)


@dataclass(slots=True)
class _Answer:
    """The last answer, after redirects."""

    request: Request
    response: urllib3.BaseHTTPResponse
    address: Address
    line: Line
    moved_to: str | None

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def encoding(self) -> str:
        return self.response.headers.get("Content-Encoding", "").strip().lower()


class _Body:
    """What the server sends, decoded, with errors of the model."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    def read(self, size: int) -> bytes:
        with http_errors(self._answer.request, self._answer.line):
            # One read of the socket: a server that drips must not keep us here.
            block = cast("Any", self._answer.response).read1(size, decode_content=True) or b""
            if self._answer.line.over:  # without a length the cut looks like the end
                raise failures.HTTPError
            return cast("bytes", block)


@contextmanager
def _asked(request: Request) -> Iterator[_Answer]:
    address, moved, for_good = request.address, 0, True
    with Line(request) as line, ExitStack() as opened:
        while True:
            with http_errors(request, line):
                response = opened.enter_context(ask(request, address, line))
            if response.status not in _REDIRECTS:
                break
            moved += 1
            for_good = for_good and response.status in _FOR_GOOD
            address = _next(request, address, response.headers.get("Location"), moved)
        _refuse_status(request, address, response)
        moved_to = address.shown if moved and for_good else None
        yield _Answer(request, response, address, line, moved_to)


def _next(request: Request, address: Address, location: str | None, moved: int) -> Address:
    shown = request.address.shown
    if location is None:
        raise InvalidRequest(f"{shown}: it is redirected, but nowhere")
    if moved > MOST_REDIRECTS:
        raise InvalidRequest(f"{shown}: it is redirected more than {MOST_REDIRECTS} times")
    try:
        # Servers send bytes of UTF-8 there, which http.client takes for Latin-1.
        there = location.encode("latin-1").decode()
    except UnicodeError:
        there = location
    try:
        to = Address.parse(urljoin(address.url, there.replace(" ", "%20")))
    except ValueError:
        raise InvalidRequest(f"{shown}: it is redirected to what is no address") from None
    if address.scheme == "https" and to.scheme != "https":
        raise InvalidRequest(f"{shown}: it is redirected from https to {to.shown}, which is not encrypted")
    return to


def _refuse_status(request: Request, address: Address, response: urllib3.BaseHTTPResponse) -> None:
    status = response.status
    if status == 200 or (status == 304 and request.known.as_headers()):
        return
    shown = request.address.shown
    answered = f"HTTP {status}" if address.url == request.address.url else f"HTTP {status}, by {address.shown}"
    if status in (404, 410):
        raise InvalidRequest(f"{shown}: there is nothing at this address ({answered})")
    if status in (401, 403, 407, 451):
        raise InvalidRequest(f"{shown}: the server refuses to give it ({answered})")
    if status == 429:
        raise Unavailable(f"{shown}: the server asks for fewer requests ({answered})")
    if status >= 500 or status in _LATER:
        raise Unavailable(f"{shown}: the server is in trouble ({answered})")
    raise InvalidRequest(f"{shown}: the answer is no file ({answered})")


def _promised(answer: _Answer, request: Request) -> int | None:
    """How many bytes are to come, if that is known."""
    if answer.encoding not in _PLAIN:
        raise InvalidRequest(
            f"{request.address.shown}: the server sends it as {one_line(answer.encoding)[:20]}, though that was not"
            " asked for"
        )
    length = answer.response.headers.get("Content-Length", "")
    size = int(length) if length.isascii() and length.isdigit() and len(length) <= _DIGITS else None
    if size is not None and size > request.most_bytes:
        raise too_large(request.address.shown, request.most_bytes)
    return None if answer.encoding not in ("", "identity") else size


def _refuse_page(answer: _Answer, head: bytes) -> None:
    if is_page(head):
        kind = one_line(answer.response.headers.get("Content-Type", "").partition(";")[0].strip())[:40] or "HTML"
        raise InvalidRequest(
            f"{answer.request.address.shown}: the address answered with a page ({kind}): is it the download's own"
            " address?"
        )


def _name(answer: _Answer, request: Request) -> str:
    name = request.name or name_of(
        answer.response.headers.get("Content-Disposition"), request.address.url, answer.address.url
    )
    if name is None:
        _refuse_page(answer, _Body(answer).read(_HEAD_BYTES))
        raise InvalidRequest(f"{request.address.shown}: neither the address nor the server says the file's name")
    if answer.encoding in _GZIPPED and name.lower().endswith(".gz") and len(name) > len(".gz"):
        return name[: -len(".gz")]  # what comes is unpacked already
    return name


def _kept(validator: str | None) -> str | None:
    """A validator that can be kept and sent again."""
    return (
        validator if validator and len(validator) <= 1000 and validator.isascii() and validator.isprintable() else None
    )
