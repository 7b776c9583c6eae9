"""A terminal that is closed, and signals: no embedded Postgres stays behind."""

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.postmaster import Postmaster
from tests.integration.command_line import ROOT
from tests.servers.embedded_home import embedded_home
from tests.servers.postgres import PostgresServer, free_port

COMMANDS = {
    "psql": (["psql"], b"postgres=#"),
    "run": (["run", "--launcher", "process"], b"started"),
}


@pytest.fixture
def home(postgres: PostgresServer) -> Iterator[Path]:
    with embedded_home() as folder:
        yield folder


def on_a_terminal(home: Path, *arguments: str) -> tuple[int, int]:
    """A command in a session and on a terminal of its own: its process, and the other end of the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        settings = {"AFFIRM_WORKER_HOME": str(home), "PYTHONPATH": str(ROOT), "LOG_LEVEL": "INFO", "TERM": "dumb"}
        environment = {**os.environ, **settings, "DATABASE_URL": ""}
        os.execve(sys.executable, [sys.executable, "-m", "cli", *arguments], environment)
    return pid, terminal


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def said(terminal: int) -> Callable[[bytes], bool]:
    """Whether a text has come on the terminal by now."""
    so_far = bytearray()

    def has_come(text: bytes) -> bool:
        with suppress(OSError):  # the other end has closed it
            if select.select([terminal], [], [], 0.1)[0]:
                so_far.extend(os.read(terminal, 4096))
        return text in so_far

    return has_come


def stopped(home: Path) -> bool:
    return Postmaster.running(home / "postgres") is None


@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_terminal_leaves_no_server(home: Path, name: str) -> None:
    arguments, ready = COMMANDS[name]
    pid, terminal = on_a_terminal(home, *arguments)
    has_come = said(terminal)
    until(lambda: has_come(ready))
    assert not stopped(home)
    os.close(terminal)
    os.waitpid(pid, 0)
    until(lambda: stopped(home))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_leaves_no_server(home: Path, name: str, number: signal.Signals) -> None:
    arguments, ready = COMMANDS[name]
    pid, terminal = on_a_terminal(home, *arguments)
    has_come = said(terminal)
    until(lambda: has_come(ready))
    os.kill(pid, number)
    os.waitpid(pid, 0)
    until(lambda: stopped(home))
    os.close(terminal)


def test_one_that_is_kept_up_survives_the_terminal(home: Path) -> None:
    pid, terminal = on_a_terminal(home, "db", "start", "--port", str(free_port("127.0.0.1")))
    has_come = said(terminal)
    until(lambda: has_come(b"to stop it"))
    os.close(terminal)
    os.waitpid(pid, 0)
    pid, terminal = on_a_terminal(home, "psql")
    has_come = said(terminal)
    until(lambda: has_come(b"postgres=#"))
    os.close(terminal)
    os.waitpid(pid, 0)
    assert not stopped(home)
