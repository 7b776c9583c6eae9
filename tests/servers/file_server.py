"""A publisher's download server: HTTP or HTTPS, with validators, and with every fault that a test asks for."""

import hashlib
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Page:
    """What the server answers at a path.

    Args:
        body: the bytes.
        status: HTTP status.
        headers: further ones; they replace those of the server.
        validators: whether it gives ETag and Last-Modified, and honours them.
        chunked: without a length, in chunks; the last one is missing if `cut` is set.
        with_length: with a Content-Length; else the connection's end is the body's end.
        promised: the Content-Length, if that is another one than the body's.
        cut: closes the connection after so many bytes.
        step, wait: how many bytes are a part, and the seconds before each.
        then: is called before the answer.
    """

    body: bytes = b"Mary,F,10\nAnna,F,5\n"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    validators: bool = True
    chunked: bool = False
    with_length: bool = True
    promised: int | None = None
    cut: int | None = None
    wait: float = 0.0
    step: int = 1 << 20
    then: Callable[[], None] = lambda: None

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


@dataclass
class FileServer:
    """A running server. `pages` may change at any time; `asked` and `headers` are of the requests so far."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    def at(self, path: str, page: Page) -> str:
        """Puts a page there; gives back its address."""
        self.pages[path] = page
        return self.url + path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    files: FileServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        files = self.server.files
        files.asked.append(self.path)
        files.headers.append({name.lower(): value for name, value in self.headers.items()})
        page = files.pages.get(self.path) or Page(b"not here\n", 404, validators=False)
        page.then()
        if page.validators and page.status == 200 and self.headers.get("If-None-Match") == page.etag:
            self.send_response(304)
            self.send_header("ETag", page.etag)
            self.end_headers()
            return
        self._send_head(page)
        try:
            self._send_body(page)
        except OSError:
            self.close_connection = True  # nobody listens any more
        if page.cut is not None or not (page.with_length or page.chunked):
            self.close_connection = True

    def _send_head(self, page: Page) -> None:
        self.send_response(page.status)
        said = {"Content-Type": "text/plain"}
        if page.validators:
            said |= {"ETag": page.etag, "Last-Modified": formatdate(0, usegmt=True)}
        if page.chunked:
            said["Transfer-Encoding"] = "chunked"
        elif page.with_length:
            said["Content-Length"] = str(len(page.body) if page.promised is None else page.promised)
        for name, value in (said | page.headers).items():
            self.send_header(name, value)
        self.end_headers()

    def _send_body(self, page: Page) -> None:
        sent = page.body if page.cut is None else page.body[: page.cut]
        for at in range(0, len(sent), page.step):
            if self.server.files.ending.wait(page.wait):
                return
            part = sent[at : at + page.step]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if page.chunked else part)
            self.wfile.flush()
        if page.chunked and page.cut is None:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[FileServer]:
    """A server on this machine, for as long as it is needed.

    Args:
        certificate: key and certificate in one file, for HTTPS.
    """
    with _Server(("127.0.0.1", 0), _Handler) as server:
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        server.files = FileServer(f"{scheme}://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.files
        finally:
            server.files.ending.set()
            server.shutdown()
            thread.join()


def make_certificate(path: Path, *, days: int = 1) -> Path:
    """Writes a key and a certificate of its own for this machine; one that has expired if `days` is negative."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
