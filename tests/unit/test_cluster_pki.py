"""The test cluster's certificates are ones that a client verifies in earnest."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from tests.cluster.pki import Authority


def _serve_once(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    try:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.sendall(b"ok")
    except (ssl.SSLError, ConnectionError):
        pass


def _ask(address: tuple[str, int], name: str, client: ssl.SSLContext) -> bytes:
    with socket.create_connection(address, 10) as raw, client.wrap_socket(raw, server_hostname=name) as secured:
        return secured.recv(2)


@pytest.mark.parametrize(
    ("name", "trusted"), [("127.0.0.1", True), ("kubernetes.default.svc", True), ("elsewhere", False)]
)
def test_a_server_is_trusted_under_the_names_of_its_certificate_alone(tmp_path: Path, name: str, trusted: bool) -> None:
    ca = Authority(tmp_path)
    pair = ca.issue("server", "kube-apiserver", hosts=("127.0.0.1", "kubernetes.default.svc"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.cert, pair.key)
    client = ssl.create_default_context(cafile=str(ca.cert))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve_once, args=(listener, server))
        thread.start()
        if trusted:
            assert _ask(listener.getsockname(), name, client) == b"ok"
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                _ask(listener.getsockname(), name, client)
        thread.join()


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    ca = Authority(tmp_path)

    keys = [ca.issue("admin", "admin").key, ca.signing_key("tokens")]

    assert [key.stat().st_mode & 0o077 for key in keys] == [0, 0]
