"""`affirm-worker serve` as a process of its own."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager

from tests.integration.command_line import ROOT

KEY = re.compile(r"aw_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}")


class Served:
    """A running `serve`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            self.said.append(line)
            if line.startswith("listening at "):
                self.port = int(line.rpartition(":")[2])
                return
        raise AssertionError(f"it does not listen: {self.said}")

    @property
    def key(self) -> str:
        found = KEY.search("".join(self.said))
        return found[0] if found else ""

    def status(self, path: str, key: str = "") -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=100)) as connection:
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
            return connection.getresponse().status

    def takes_connections(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 100).close()
        except OSError:
            return False
        return True

    def ended_by(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(100)


@contextmanager
def serving(environment: dict[str, str], *arguments: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--listen", "127.0.0.1:0", *arguments],
        env={**os.environ, "LOG_FORMAT": "json", **environment},
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        yield Served(process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
