"""A terminal that is closed, and signals: no embedded Postgres stays behind."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from app.postmaster import Postmaster
from tests.kit.terminal import Terminal, on_terminal
from tests.servers.embedded_home import embedded_home
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer

COMMANDS = {
    "psql": (["psql"], "postgres=#"),
    "run": (["run", "--launcher", "process"], "started"),
}


@pytest.fixture
def home(postgres: PostgresServer) -> Iterator[Path]:
    with embedded_home() as folder:
        yield folder


def start(home: Path, *arguments: str) -> AbstractContextManager[Terminal]:
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return on_terminal(*arguments, env={**inherited, "AFFIRM_WORKER_HOME": str(home), "LOG_LEVEL": "INFO"})


def is_stopped(home: Path) -> bool:
    return Postmaster.running(home / "postgres") is None


def until_stopped(home: Path) -> None:
    end = time.monotonic() + 100
    while not is_stopped(home):
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_terminal_leaves_no_server(home: Path, name: str) -> None:
    arguments, ready = COMMANDS[name]
    with start(home, *arguments) as terminal:
        terminal.until(ready)
        assert not is_stopped(home)
        terminal.hang_up()
        terminal.process.wait(100)
    until_stopped(home)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_leaves_no_server(home: Path, name: str, number: signal.Signals) -> None:
    arguments, ready = COMMANDS[name]
    with start(home, *arguments) as terminal:
        terminal.until(ready)
        terminal.process.send_signal(number)
        terminal.process.wait(100)
        until_stopped(home)


def test_one_that_is_kept_up_survives_the_terminal(home: Path) -> None:
    for arguments, ready in (
        (["db", "start", "--port", str(free_port("127.0.0.1"))], "to stop it"),
        (["psql"], "postgres=#"),
    ):
        with start(home, *arguments) as terminal:
            terminal.until(ready)
            terminal.hang_up()
            terminal.process.wait(100)
        assert not is_stopped(home)
