"""The connection of a download: to whom it may lead, how long it may last, and what its errors mean."""

import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3 import exceptions as failures
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Timeout

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, RunError, Unavailable
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line
from dataset_jobs.threads import start_thread
from services.sources.addresses import Address, refusal
from services.sources.request import Patience, Request


class Line:
    """The connection of a download, which is cut when the time is over."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(request.patience.total, self._cut)
        self._timer.daemon = True
        self.over = False

    def __enter__(self) -> "Line":
        start_thread(self._timer)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._socket is not None:
            self._socket.close()

    def connected(self, to: socket.socket, proxied: bool) -> None:
        """A connection is there; raises InvalidRequest if nothing may be asked of its other end."""
        if not proxied:
            _refuse_ip(self._request, to.getpeername()[0])
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


@contextmanager
def ask(request: Request, address: Address, line: Line) -> Iterator[urllib3.BaseHTTPResponse]:
    """Asks a server, or the proxy in its place; does not follow redirects. For within `http_errors`.

    Args:
        request: what is asked for.
        address: where; another one than the request's after a redirect.
        line: gets the connection.
    """
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
        made = urllib3.PoolManager(ssl_context=trusted(), timeout=limits, retries=False)
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
        headers["Authorization"] = _basic(":".join(request.address.login))
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
        headers = {"Proxy-Authorization": _basic(unquote(login))} if login else None
        return urllib3.ProxyManager(
            url, proxy_headers=headers, ssl_context=trusted(), timeout=limits, retries=False
        )  # fmt: skip
    except (failures.LocationParseError, failures.ProxySchemeUnknown):
        raise Misconfigured("HTTPS_PROXY or HTTP_PROXY is no address of a proxy", Reason.CONFIG) from None


def _basic(login: str) -> str:
    """A login as RFC 7617 has it, in UTF-8."""
    return f"Basic {b64encode(login.encode(errors='surrogateescape')).decode()}"


def trusted() -> ssl.SSLContext:
    """The certificates of this machine (SSL_CERT_FILE and SSL_CERT_DIR too); botocore's, if it has none."""
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        return ssl.create_default_context()
    from botocore.httpsession import get_cert_path

    return ssl.create_default_context(cafile=get_cert_path(True))


def _refuse_host(request: Request, address: Address, *, resolve: bool) -> None:
    """Before anything is sent there. The connection is checked again: a name may change its mind."""
    try:
        if not resolve:
            socket.inet_pton(socket.AF_INET6 if ":" in address.host else socket.AF_INET, address.host)
            _refuse_ip(request, address.host)
            return
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        if not resolve:
            return
        raise Unavailable(
            f"{request.address.shown}: the name {address.host} leads nowhere ({_reason(error)})"
        ) from None
    for *_, where in found:
        _refuse_ip(request, str(where[0]))


def _refuse_ip(request: Request, ip: str) -> None:
    """Raises InvalidRequest if nothing may be asked of the IP address."""
    if why := refusal(ip, loopback=request.loopback):
        raise InvalidRequest(f"{request.address.shown}: {why}")


@contextmanager
def http_errors(request: Request, line: Line) -> Iterator[None]:
    """Around every use of the connection: raises InvalidRequest or Unavailable in place of errors of urllib3."""
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
        case failures.LocationValueError():
            return InvalidRequest(f"{shown}: no address of a file")
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
