"""The name service of the test cluster: what it answers to which question."""

import socket
import struct

import pytest

from tests.cluster import dns

A, AAAA = 1, 28
WEB = "web.default.svc.cluster.local"


class OneService(dns.Services):
    """A cluster with one Service, or whose API server is away."""

    def __init__(self, away: bool = False) -> None:
        self._away = away

    def address(self, name: str) -> str | None:
        if self._away:
            raise ConnectionRefusedError("away")
        return "10.96.0.7" if name == WEB else None


def query(name: str, kind: int = A) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return b"\x12\x34" + struct.pack("!HHHHH", 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


@pytest.mark.parametrize(
    ("name", "kind", "code", "addresses"),
    [
        (WEB, A, 0, ["10.96.0.7"]),
        (WEB.title(), A, 0, ["10.96.0.7"]),
        (WEB, AAAA, 0, []),
        ("other.default.svc.cluster.local", A, 3, []),
        ("web.default.svc.cluster.local.default.svc.cluster.local", A, 3, []),
    ],
)
def test_a_service_has_its_address_and_others_none(name: str, kind: int, code: int, addresses: list[str]) -> None:
    said = dns.answered(query(name, kind), OneService())
    number, flags, questions, answers = struct.unpack_from("!HHHH", said)
    assert (number, flags & 0xF, questions, answers) == (0x1234, code, 1, len(addresses))
    assert said[12 : len(query(name, kind))] == query(name, kind)[12:]
    assert [socket.inet_ntoa(said[-4:]) for _ in addresses] == addresses


def test_a_server_that_is_away_fails_the_question() -> None:
    """So that a client asks again."""
    said = dns.answered(query(WEB), OneService(away=True))
    assert said[3] & 0xF == 2
