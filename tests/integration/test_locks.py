"""Waiting for somebody else's lock on a file: who it is is said, and the waiting ends."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import locks
from dataset_jobs.model.errors import Unavailable
from tests.integration.command_line import ROOT
from tests.servers.embedded_home import embedded_home

pytestmark = pytest.mark.every_postgres

_HOLD = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(1, flush=True); input()"


@pytest.fixture
def home() -> Iterator[Path]:
    with embedded_home() as folder:
        yield folder


@pytest.fixture
def holder(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its standard input ends."""
    command = [sys.executable, "-c", _HOLD, str(home / "postgres.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_who_holds_a_lock_is_named_and_given_up_on(home: Path, holder: subprocess.Popen[str]) -> None:
    with (home / "postgres.lock").open("a") as file:
        with pytest.raises(Unavailable, match=rf"process {holder.pid} is stopping it, for \d+ s"):
            locks.take(file, fcntl.LOCK_SH, "is stopping it", give_up_seconds=0.1)
        os.kill(holder.pid, signal.SIGSTOP)
        os.waitpid(holder.pid, os.WUNTRACED)
        with pytest.raises(Unavailable, match=rf"process {holder.pid} \(which is stopped: kill -CONT {holder.pid}\)"):
            locks.take(file, fcntl.LOCK_SH, "is stopping it", give_up_seconds=0.1)


def test_a_command_says_for_whom_it_waits(home: Path, holder: subprocess.Popen[str]) -> None:
    """It needs the embedded Postgres, and goes on as soon as the other one is gone."""
    environment = {**os.environ, "AFFIRM_WORKER_HOME": str(home), "DATABASE_URL": ""}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "jobs", "list"], env=environment, cwd=ROOT, stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True,
    ) as command:  # fmt: skip
        assert command.stderr is not None
        assert "database: embedded, " in command.stderr.readline()
        assert f"waiting: process {holder.pid} " in command.stderr.readline()
        holder.kill()
        assert command.wait(100) == 0
