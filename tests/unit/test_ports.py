"""Ports that servers of tests get."""

import socket
import subprocess
import sys

import pytest

from tests.cluster import layout
from tests.kit.warm_command import ROOT
from tests.servers.ports import free_port

MANY = 400
"""Of some 9000: two processes that do not know of each other have some in common."""
TAKES = f"""
import random
from tests.servers.ports import free_port
random.seed(1)
print(*(free_port("127.0.0.1") for _ in range({MANY})), flush=True)
input()
"""


def taking() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", TAKES], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_two_processes_never_get_the_same_port() -> None:
    with taking() as one, taking() as other:
        found: list[int] = []
        for process in (one, other):
            assert process.stdout is not None
            found += map(int, process.stdout.readline().split())
        for process in (one, other):
            process.communicate("\n")
    assert len(found) == len({*found}) == 2 * MANY
    assert max(found) < min(layout.PORTS)


def test_a_port_where_somebody_listens_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RuntimeError, match=f"from {port} to {port} is free"):
            free_port("127.0.0.1", range(port, port + 1))
