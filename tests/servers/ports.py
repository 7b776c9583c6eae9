"""Ports for the servers of tests: none is handed out twice, and no outgoing connection takes one."""

import os
import secrets
import socket
from pathlib import Path

from tests.cluster import layout
from tests.servers.locks import locked

_FIRST = 11_000
"""Below are the ports that programs have by default, such as a developer's own Kubernetes."""
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOCKS = Path("/tmp", f"affirm-test-ports-{os.getuid()}")
"""Not TMPDIR: all processes of a user must have the same."""


def free_port(address: str, among: range | None = None) -> int:
    """A port that nobody listens on, and that no other call gets as long as this process lives.

    Args:
        address: where a server will listen.
        among: the ports to choose from; None for all that are out of the way of outgoing connections.

    Raises:
        RuntimeError: there is none.
    """
    _LOCKS.mkdir(mode=0o700, exist_ok=True)
    ports = _ports() if among is None else among
    start = secrets.randbelow(len(ports))  # tests seed `random`, several processes with the same
    for step in range(len(ports)):
        port = ports[(start + step) % len(ports)]
        lock = locked(_LOCKS / str(port), os.O_CREAT)
        if lock is not None:
            if _is_free(address, port):
                return port  # locked until this process ends
            os.close(lock)
    raise RuntimeError(f"no port of {address} from {ports[0]} to {ports[-1]} is free")


def _ports() -> range:
    """Those below the ports of outgoing connections and of the tests' cluster."""
    end = min(layout.PORTS)
    if _EPHEMERAL.exists():
        ephemeral = int(_EPHEMERAL.read_text().split()[0])
        if ephemeral > _FIRST:  # otherwise none is out of their way
            end = min(end, ephemeral)
    return range(_FIRST, end)


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
