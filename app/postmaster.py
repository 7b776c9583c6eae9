"""A Postgres that runs, as its data describe it. The standard library is enough: `app/keeper.py` starts fast."""

import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server as its `postmaster.pid` describes it.

    Args:
        data: its folder.
        pid: the process.
        started: when, in seconds since 1970; with the pid it names this one start.
        sockets: the folder of its socket.
        port: of TCP, and part of the socket's name.
        listens: it listens on TCP too.
        ready: it takes connections, or did once; a recovery may take a while.
    """

    data: Path
    pid: int
    started: int
    sockets: Path
    port: int
    listens: bool
    ready: bool

    @classmethod
    def of(cls, data: Path) -> Self | None:
        """The server whose data this is; None if the file is missing or not yet complete."""
        try:
            lines = (data / "postmaster.pid").read_text(errors="surrogateescape").splitlines()
            return cls(
                data=data,
                pid=int(lines[0]),
                started=int(lines[2]),
                sockets=Path(lines[4]),
                port=int(lines[3]),
                listens=bool(lines[5].strip()),
                ready=lines[7].strip() == "ready",
            )
        except (FileNotFoundError, IndexError, ValueError):
            return None

    @classmethod
    def running(cls, data: Path) -> Self | None:
        """The same, if its process lives."""
        server = cls.of(data)
        return server if server is not None and server.lives() else None

    def answers(self) -> bool:
        """Whether somebody listens at its socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.sockets / f".s.PGSQL.{self.port}"))
            except OSError:
                return False
        return True

    def lives(self) -> bool:
        """Whether its process does. After a crash another process may have its number, even another Postgres."""
        try:
            os.kill(self.pid, 0)
        except OSError:
            return False
        try:
            if Path(f"/proc/{self.pid}/comm").read_text().strip() != "postgres":
                return False
            return self.data.samefile(f"/proc/{self.pid}/cwd")
        except OSError:
            return not Path("/proc/self").exists()  # without /proc the number is all there is


def stop(server: Postmaster) -> bool:
    """Stops the server, which closes every connection; False if it still runs."""
    if server.lives():
        with suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_SECONDS
    while Postmaster.of(server.data) is not None and server.lives():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    if server.sockets != server.data:
        with suppress(OSError):
            server.sockets.rmdir()
    return True
