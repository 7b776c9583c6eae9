"""A file from an http or https address.

The client is urllib3, which every installation has: botocore brings it, and it is locked with hashes. aiohttp is in the
controller's extra only and wants an event loop; `urllib.request` neither checks the length of a body nor limits one
read. urllib3 checks Content-Length and chunks, and decodes gzip in bounded steps. Redirects, addresses that are never
asked and the limit on the whole are ours.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urljoin
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import exceptions as failures
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Timeout, make_headers

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, RunError, Unavailable
from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line
from dataset_jobs.threads import start_thread
from services.sources.addresses import Address, refusal
from services.sources.names import name_of
from services.sources.page import is_page
from services.sources.request import Download, Patience, Request, Validators
from services.sources.source import copy, named_file, too_large

MOST_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_FOR_GOOD = {301, 308}
_LATER = {408, 421, 425, 429}
_GZIPPED = {"gzip", "x-gzip"}
_PLAIN = {"", "identity", "deflate", *_GZIPPED}
_HEAD_BYTES = 4096


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


class _Line:
    """The connection of a download, which is cut when the time is over."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(request.patience.total, self._cut)
        self._timer.daemon = True
        self.over = False

    def __enter__(self) -> "_Line":
        start_thread(self._timer)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    def connected(self, to: socket.socket, proxied: bool) -> None:
        """A connection is there; raises InvalidRequest if nothing may be asked of its other end."""
        if not proxied:
            refuse_ip(self._request, to.getpeername()[0])
        if self._socket is not None:
            self._socket.close()
        self._socket = to.dup()  # the original is taken over by TLS
        if self.over:
            self._cut()

    def _cut(self) -> None:
        self.over = True
        if self._socket is not None:
            with suppress(OSError):  # it is gone already
                self._socket.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class _Answer:
    """The last answer, after redirects."""

    request: Request
    response: urllib3.BaseHTTPResponse
    address: Address
    line: _Line
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
        with _errors(self._answer.request, self._answer.line):
            # One read of the socket: a server that drips must not keep us here.
            block = cast("Any", self._answer.response).read1(size, decode_content=True) or b""
            if self._answer.line.over:  # without a length the cut looks like the end
                raise failures.HTTPError
            return cast("bytes", block)


@contextmanager
def _asked(request: Request) -> Iterator[_Answer]:
    address, moved, for_good = request.address, 0, True
    with _Line(request) as line, ExitStack() as opened:
        while True:
            with _errors(request, line):
                response = opened.enter_context(_ask(request, address, line))
            if response.status not in _REDIRECTS:
                break
            moved += 1
            for_good = for_good and response.status in _FOR_GOOD
            address = _next(request, address, response.headers.get("Location"), moved)
        _refuse_status(request, address, response)
        moved_to = address.shown if moved and for_good else None
        yield _Answer(request, response, address, line, moved_to)


@contextmanager
def _ask(request: Request, address: Address, line: _Line) -> Iterator[urllib3.BaseHTTPResponse]:
    proxy = None if proxy_bypass(address.host) else getproxies().get(address.scheme)
    _refuse_host(request, address, resolve=proxy is None)

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            line.connected(connection, proxy is not None)
            return connection

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            line.connected(connection, proxy is not None)
            return connection

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    limits = Timeout(connect=request.patience.connect, read=request.patience.idle)
    made: urllib3.PoolManager
    if proxy is None:
        made = urllib3.PoolManager(ssl_context=_trusted(), timeout=limits, retries=False)
    else:
        made = _through(proxy, limits)
    made.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    headers = {
        # Some publishers turn away whoever does not look like a browser at all.
        "User-Agent": "Mozilla/5.0 (compatible; affirm-worker)",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        **request.known.as_headers(),
    }
    if request.address.login and address.origin == request.address.origin:
        headers |= make_headers(basic_auth=":".join(request.address.login))
    response = made.request("GET", address.url, headers=headers, redirect=False, preload_content=False)
    try:
        yield response
    finally:
        response.close()
        made.clear()


def _through(proxy: str, limits: Timeout) -> urllib3.ProxyManager:
    """A manager that asks a proxy, as HTTPS_PROXY and HTTP_PROXY name it; its login may be in there."""
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        login = urllib3.util.parse_url(url).auth
        headers = make_headers(proxy_basic_auth=unquote(login)) if login else None
        return urllib3.ProxyManager(
            url, proxy_headers=headers, ssl_context=_trusted(), timeout=limits, retries=False
        )  # fmt: skip
    except (failures.LocationParseError, failures.ProxySchemeUnknown):
        raise Misconfigured("HTTPS_PROXY or HTTP_PROXY is no address of a proxy", Reason.CONFIG) from None


def _trusted() -> ssl.SSLContext:
    """The certificates of this machine (SSL_CERT_FILE and SSL_CERT_DIR too); botocore's, if it has none."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return ssl.create_default_context()
    from botocore.httpsession import get_cert_path

    return ssl.create_default_context(cafile=get_cert_path(True))


def _refuse_host(request: Request, address: Address, *, resolve: bool) -> None:
    """Before anything is sent there. The connection is checked again: a name may change its mind."""
    try:
        if not resolve:
            socket.inet_pton(socket.AF_INET6 if ":" in address.host else socket.AF_INET, address.host)
            refuse_ip(request, address.host)
            return
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        if not resolve:
            return
        raise Unavailable(
            f"{request.address.shown}: the name {address.host} leads nowhere ({_reason(error)})"
        ) from None
    for *_, where in found:
        refuse_ip(request, str(where[0]))


def refuse_ip(request: Request, ip: str) -> None:
    """Raises InvalidRequest if nothing may be asked of the IP address."""
    if why := refusal(ip, loopback=request.loopback):
        raise InvalidRequest(f"{request.address.shown}: {why}")


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
    to = Address.parse(urljoin(address.url, there.replace(" ", "%20")))
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
    size = int(length) if length.isascii() and length.isdigit() else None
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


@contextmanager
def _errors(request: Request, line: _Line) -> Iterator[None]:
    try:
        yield
    except (failures.HTTPError, OSError) as error:
        shown, patience = request.address.shown, request.patience
        if line.over:
            raise Unavailable(f"{shown}: it was not here within {patience.total:g} s") from None
        raise _error(shown, patience, error) from None


def _error(shown: str, patience: Patience, error: Exception) -> RunError:
    """An error of urllib3 or of the socket as one of ours. No text of theirs is kept: it may quote the address."""
    verified = error.args[0] if error.args else None
    if isinstance(verified, ssl.SSLCertVerificationError):
        return InvalidRequest(f"{shown}: its certificate is not valid: {one_line(verified.verify_message)[:200]}")
    match error:
        case failures.NameResolutionError():
            return Unavailable(f"{shown}: the name leads nowhere")
        case failures.NewConnectionError():
            return Unavailable(f"{shown}: no connection ({_reason(error.__cause__)})")
        case failures.ConnectTimeoutError():
            return Unavailable(f"{shown}: no connection within {patience.connect:g} s")
        case failures.ProxyError():
            return Unavailable(f"{shown}: the proxy gives no connection (HTTPS_PROXY, HTTP_PROXY)")
        case failures.SSLError():
            return Unavailable(f"{shown}: no encrypted connection ({getattr(verified, 'reason', None) or 'TLS'})")
        case failures.ReadTimeoutError():
            return Unavailable(f"{shown}: nothing came for {patience.idle:g} s")
        case failures.DecodeError():
            return Unavailable(f"{shown}: what came cannot be unpacked, as if it was broken off")
        case _:
            return Unavailable(f"{shown}: it broke off before its end")


def _reason(error: BaseException | None) -> str:
    return one_line(str(getattr(error, "strerror", None) or type(error).__name__)).lower()
