"""The name service of the local cluster: services by their names, all else as this host knows it.

A program of its own, of the standard library alone: `python dns.py ADDRESS SERVER CA CERTIFICATE KEY`. It asks the API
server at every question, so a name is known as soon as its Service is there.
"""

import http.client
import json
import re
import socket
import socketserver
import ssl
import struct
import sys
from pathlib import Path
from urllib.parse import urlsplit

DOMAIN = "cluster.local"
PORT = 53
_A, _ANY = 1, 255
_NO_ERROR, _SERVER_FAILED, _NO_SUCH_NAME = 0, 2, 3
_SERVICE = re.compile(rf"([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.{re.escape(DOMAIN)}")


def question(packet: bytes) -> tuple[str, int, int]:
    """The name that a query asks for, the type of the record, and where the question ends."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("ascii", "replace"))
        at += 1 + packet[at]
    (kind,) = struct.unpack_from("!H", packet, at + 1)
    return ".".join(labels).lower(), kind, at + 5


def answer(packet: bytes, code: int, addresses: list[str]) -> bytes:
    """The answer to a query: a code, and addresses that may be used for 5 seconds."""
    _, _, end = question(packet)
    flags = 0x8480 | struct.unpack_from("!H", packet, 2)[0] & 0x0100 | code
    header = packet[:2] + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0)
    records = [
        struct.pack("!HHHIH", 0xC00C, _A, 1, 5, 4) + socket.inet_aton(address) for address in addresses
    ]  # the name is that of the question
    return header + packet[12:end] + b"".join(records)


class Services:
    """The Services of a cluster.

    Args:
        server: the API server's URL.
        ca, certificate, key: PEM files: who it is, and who we are.
    """

    def __init__(self, server: str, ca: Path, certificate: Path, key: Path) -> None:
        self._host = urlsplit(server).netloc
        self._tls = ssl.create_default_context(cafile=ca)
        self._tls.load_cert_chain(certificate, key)

    def address(self, name: str) -> str | None:
        """The address of a name such as `web.default.svc.cluster.local`; None if there is no such Service."""
        match = _SERVICE.fullmatch(name)
        if match is None:
            return None
        connection = http.client.HTTPSConnection(self._host, context=self._tls, timeout=3)
        try:
            connection.request("GET", f"/api/v1/namespaces/{match[2]}/services/{match[1]}")
            said = connection.getresponse()
            address: str | None = json.load(said)["spec"]["clusterIP"] if said.status == http.HTTPStatus.OK else None
            return address
        finally:
            connection.close()


def upstream(packet: bytes) -> bytes:
    """What the first name server of this host answers."""
    lines = Path("/etc/resolv.conf").read_text(encoding="utf-8").splitlines()
    server = next(line.split()[1] for line in lines if line.startswith("nameserver "))
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(3)
        asking.connect((server, PORT))
        asking.send(packet)
        return asking.recv(65535)


def answered(packet: bytes, services: Services) -> bytes:
    """The answer to any query."""
    name, kind, _ = question(packet)
    try:
        if not name.endswith(f".{DOMAIN}"):
            return upstream(packet)
        address = services.address(name)
        if address is None:
            return answer(packet, _NO_SUCH_NAME, [])
        return answer(packet, _NO_ERROR, [address] if kind in (_A, _ANY) else [])
    except (OSError, http.client.HTTPException, ValueError, StopIteration) as error:
        print(f"{name}: {error}", flush=True)
        return answer(packet, _SERVER_FAILED, [])


def main(address: str, server: str, ca: str, certificate: str, key: str) -> None:
    """Serves until it is killed."""
    services = Services(server, Path(ca), Path(certificate), Path(key))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            packet, asking = self.request
            asking.sendto(answered(packet, services), self.client_address)

    with socketserver.ThreadingUDPServer((address, PORT), Handler) as serving:
        serving.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
