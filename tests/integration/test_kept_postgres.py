"""The embedded Postgres kept up by `affirm-worker db start`, for notebooks and other tools."""

import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app import embedded, kept_postgres
from app.embedded import embedded_postgres
from app.kept_postgres import State, Stopped
from app.postmaster import Postmaster
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.outcome import ExitCode
from tests.integration.command_line import Run, answer, bare, runner
from tests.servers.as_user import affirm, one_line
from tests.servers.embedded_home import embedded_home, settings
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="other users need root")

DIE_IN_A_START = """
import os, signal, sys
from pathlib import Path
from app import kept_postgres
from tests.servers.embedded_home import settings
kept_postgres._let_in = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
kept_postgres.start(settings(Path(sys.argv[1])))
"""
USERS = [pwd.getpwnam(name).pw_uid for name in ("nobody", "daemon")]


@pytest.fixture
def home(postgres: PostgresServer) -> Iterator[Path]:
    """The fixture that it asks for lets all users reach the programs."""
    with embedded_home() as folder:
        yield folder


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    return runner({"AFFIRM_WORKER_HOME": str(home)}, tmp_path)


@pytest.fixture
def started(home: Path) -> State:
    return kept_postgres.start(settings(home), free_port("127.0.0.1"))


def server(home: Path) -> Postmaster | None:
    return Postmaster.running(home / "postgres")


def until_stopped(home: Path) -> None:
    """Waits for the keeper."""
    end = time.monotonic() + 100
    while server(home) is not None:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_stays_and_other_commands_use_it(home: Path, run: Run) -> None:
    started = answer(run("db", "start", "--port", str(free_port("127.0.0.1")), "--json"))
    assert (started["running"], started["kept"], started["users"]) == (True, True, None)
    run("jobs", "list")
    shown = answer(run("db", "status", "--json"))
    assert shown["tcp_url"] == re.sub(r"reader:[\w-]+@", "reader@", started["tcp_url"])
    assert shown | {"tcp_url": started["tcp_url"]} == started
    assert run("db", "url").stdout == started["url"] + "\n"
    assert run("db", "url", "--tcp").stdout == started["tcp_url"] + "\n"
    run("db", "stop")
    assert server(home) is None


def test_programs_read_the_tables_by_name_and_tcp_only_reads(started: State) -> None:
    assert started.url and started.tcp_url
    for url in (started.url, started.tcp_url):
        with psycopg.connect(url) as connection:
            assert connection.execute("select count(*) from counted_names").fetchone() == (0,)
    with psycopg.connect(started.tcp_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update pools set paused = true")
    for wrong in ("reader:wrong", "reader", "postgres"):
        address = f"postgresql://{wrong}@{started.tcp_url.partition('@')[2]}"
        with pytest.raises(psycopg.OperationalError, match=r"password|pg_hba"):
            psycopg.connect(address)


def test_a_server_of_a_command_never_listens_on_tcp(home: Path) -> None:
    with embedded_postgres(home) as conninfo, psycopg.connect(conninfo) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_port_and_password_stay_the_same(home: Path, started: State, run: Run) -> None:
    """Started twice, stopped twice, and started again."""
    assert stat.S_IMODE((home / "postgres.login").stat().st_mode) == 0o600
    assert answer(run("db", "start", "--json"))["pid"] == started.pid
    assert run("db", "stop").stdout == f"the embedded Postgres of {home} is stopped\n"
    assert run("db", "stop").stdout == f"the embedded Postgres of {home} does not run\n"
    again = answer(run("db", "start", "--json"))
    assert (again["tcp_url"], again["url"]) == (started.tcp_url, started.url)


def test_another_port_starts_it_anew(home: Path, started: State, run: Run) -> None:
    port = free_port("127.0.0.1")
    again = answer(run("db", "start", "--port", str(port), "--json"))
    assert again["pid"] != started.pid
    assert f":{port}/" in again["tcp_url"]


def test_a_port_that_is_taken_is_named(home: Path, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("db", "start", "--port", str(port), code=ExitCode.UNAVAILABLE)
    assert f"port {port} of 127.0.0.1 cannot be used: Address already in use; choose another one: affirm" in bare(
        one_line(done)
    )
    assert server(home) is None
    advice = bare(done.stderr).rpartition(": affirm-worker ")[2].replace("N", str(free_port("127.0.0.1")))
    run(*advice.split())
    assert server(home) is not None


def test_connections_that_stopping_closes_are_counted(home: Path, started: State) -> None:
    assert started.tcp_url
    with psycopg.connect(started.tcp_url), psycopg.connect(started.tcp_url):
        assert kept_postgres.stop_keeping(home) == Stopped(home, was_running=True, closed=2)


def test_it_stops_with_the_last_command_that_uses_it(home: Path, started: State, run: Run) -> None:
    with embedded_postgres(home) as conninfo:
        said = run("db", "stop").stdout
        assert said == f"the embedded Postgres of {home} stops when process {os.getpid()} has ended\n"
        with psycopg.connect(conninfo):
            pass
        run("db", "url", code=ExitCode.UNAVAILABLE)
    until_stopped(home)


def test_a_command_keeps_it_from_opening_tcp(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "BUSY_SECONDS", 0.1)
    with embedded_postgres(home) as conninfo:
        with pytest.raises(Unavailable, match=r"uses the embedded Postgres, .* end that first"):
            kept_postgres.start(settings(home))
        with psycopg.connect(conninfo):
            pass
    assert server(home) is None


def test_after_the_machine_has_restarted_it_is_started_for_a_command_alone(
    home: Path, started: State, run: Run
) -> None:
    assert started.pid
    os.kill(started.pid, signal.SIGKILL)
    until_stopped(home)
    assert run("db", "status").stdout == f"the embedded Postgres of {home} does not run\n"
    done = run("db", "url", code=ExitCode.UNAVAILABLE)
    assert bare(one_line(done)).endswith("is not kept up; to start it: affirm-worker db start")
    run("jobs", "list")
    assert server(home) is None
    run("db", "start")
    assert server(home) is not None


def test_a_start_that_is_killed_leaves_nothing(home: Path) -> None:
    """Between the start of the server and the word that it is to stay."""
    done = subprocess.run([sys.executable, "-c", DIE_IN_A_START, str(home)], check=False)
    assert done.returncode == -signal.SIGKILL
    until_stopped(home)


@pytest.mark.parametrize("command", ["start", "url"])
def test_another_database_is_not_mixed_up_with_it(run: Run, command: str) -> None:
    done = run("db", command, code=ExitCode.CONFIGURATION, DATABASE_URL="postgresql://somebody@example/names")
    assert "commands use example:5432/names by DATABASE_URL" in one_line(done)


@needs_root
def test_two_users_keep_one_each(home: Path) -> None:
    homes = [home / str(uid) for uid in USERS]
    try:
        done = [
            affirm("db", "start", "--json", environment={"AFFIRM_WORKER_HOME": str(of_user)}, uid=uid)
            for of_user, uid in zip(homes, USERS, strict=True)
        ]
        urls = [json.loads(one.stdout)["tcp_url"] for one in done]
        assert len({url.rpartition(":")[2] for url in urls}) == 2
        # The other one cannot read the password.
        refused = affirm("db", "url", environment={"AFFIRM_WORKER_HOME": str(homes[0])}, uid=USERS[1])
        assert "Permission denied; set it to a folder of your own" in one_line(refused)
    finally:
        for of_user in homes:
            kept_postgres.stop_keeping(of_user)


@pytest.mark.parametrize("name", ["l" * 120, "a b,c\"d'e$%41", "Jürgen"])
def test_the_url_leads_there_whatever_the_path(home: Path, name: str) -> None:
    try:
        started = kept_postgres.start(settings(home / name), free_port("127.0.0.1"))
        assert started.url
        with psycopg.connect(started.url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        psql = ["psql", started.url, "-Atc", "select 1"]
        if subprocess.run(["sh", "-c", "command -v psql"], capture_output=True, check=False).returncode == 0:
            assert subprocess.run(psql, capture_output=True, text=True, check=True).stdout == "1\n"
    finally:
        kept_postgres.stop_keeping(home / name)
