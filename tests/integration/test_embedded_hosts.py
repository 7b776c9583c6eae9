"""The embedded Postgres on hosts of all kinds: several users, long and odd paths, little room, no execution."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from app import kept_postgres, postgres_server
from app.embedded import embedded_postgres
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.outcome import ExitCode
from tests.servers.as_user import NO_ENTRY, ROOT, affirm, folder_for_all, one_line
from tests.servers.postgres import PostgresServer

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="other users and namespaces need root")

USERS = [pwd.getpwnam(name).pw_uid for name in ("nobody", "daemon")]


@pytest.fixture
def open_folder(postgres: PostgresServer) -> Iterator[Path]:
    """A folder for every user. The fixture it asks for lets all users reach the programs."""
    with folder_for_all() as folder:
        yield folder


def status(
    home: Path | str, uid: int | None = None, before: str = "", **settings: str
) -> "subprocess.CompletedProcess[str]":
    """A command that starts the server, and stops it."""
    namespaces = ["--mount"] if "mount" in before else []
    environment = {"AFFIRM_WORKER_HOME": str(home), **settings}
    return affirm("status", environment=environment, uid=uid, before=before, namespaces=namespaces)


@needs_root
def test_users_of_one_machine_do_not_get_in_each_others_way(open_folder: Path) -> None:
    """Neither before nor while the other one has it running; nothing is left that only one of them may open."""
    homes = [open_folder / str(uid) for uid in USERS]
    # What the library of the programs would lock, in the temporary folder that all share.
    (open_folder / ".lockfile").touch(mode=0o600)
    for _ in range(2):
        with ThreadPoolExecutor() as at_once:
            done = [*at_once.map(lambda home, uid: status(home, uid, TMPDIR=str(open_folder)), homes, USERS)]
        assert [one.returncode for one in done] == [0, 0], [one.stderr for one in done]


@needs_root
def test_anothers_home_is_refused_by_name(open_folder: Path) -> None:
    first, second = USERS
    home = open_folder / "home"
    assert status(home, first).returncode == 0
    done = status(home, second)
    assert done.returncode == ExitCode.CONFIGURATION
    assert f"AFFIRM_WORKER_HOME {home}: Permission denied; set it to" in one_line(done)


@needs_root
def test_root_may_use_a_users_home_and_the_user_after(open_folder: Path) -> None:
    home = open_folder / "home"
    for uid in (USERS[0], None, USERS[0]):
        done = status(home, uid)
        assert done.returncode == 0, done.stderr


@needs_root
def test_a_user_without_entry_is_told_and_an_entry_is_enough(open_folder: Path) -> None:
    done = status(open_folder / "home", NO_ENTRY)
    assert done.returncode == ExitCode.CONFIGURATION
    assert f"user id {NO_ENTRY}" in one_line(done) and "add an entry" in one_line(done)
    entry = f"affirm:x:{NO_ENTRY}:0::/tmp:/bin/sh"
    added = f"(cat /etc/passwd; echo {entry}) > {open_folder}/passwd && mount --bind {open_folder}/passwd /etc/passwd"
    done = status(open_folder / "home", NO_ENTRY, before=added)
    assert done.returncode == 0, done.stderr
    # Only to make the data takes a name.
    assert status(open_folder / "home", NO_ENTRY).returncode == 0


@needs_root
def test_root_without_a_user_for_it_is_told(open_folder: Path) -> None:
    alone = (
        f"grep -v ^{postgres_server.OS_USER}: /etc/passwd > {open_folder}/passwd"
        f" && mount --bind {open_folder}/passwd /etc/passwd && mount --bind /dev/null $(command -v useradd)"
    )
    done = status(open_folder / "home", before=alone)
    assert done.returncode == ExitCode.CONFIGURATION
    assert "useradd --system pgserver" in one_line(done)


@needs_root
def test_programs_that_cannot_be_executed_are_named(open_folder: Path) -> None:
    programs = postgres_server.program("postgres").parents[1]
    noexec = f"mount --bind {programs} {programs} && mount -o remount,bind,noexec {programs}"
    done = status(open_folder / "home", before=noexec)
    assert done.returncode == ExitCode.CONFIGURATION
    assert "initdb cannot be executed" in one_line(done) and "noexec" in one_line(done)


def test_programs_in_a_path_that_stops_them_are_named(open_folder: Path) -> None:
    """A shell takes some characters for its own."""
    package = postgres_server.program("postgres").parents[2]
    folder = open_folder / "a b$c"
    folder.mkdir()
    (folder / package.name).symlink_to(package)
    done = status(open_folder / "home", PYTHONPATH=f"{folder}:{ROOT}")
    assert done.returncode == ExitCode.CONFIGURATION
    assert "a path with $ stops it; install affirm-worker in another folder" in one_line(done)


@needs_root
def test_a_disk_that_is_full_is_told(open_folder: Path) -> None:
    done = status(open_folder, before=f"mount -t tmpfs -o size=2m tmpfs {open_folder}")
    assert done.returncode == ExitCode.UNAVAILABLE
    assert "No space left on device" in one_line(done)


def test_why_it_does_not_start_is_said(open_folder: Path) -> None:
    assert status(open_folder).returncode == 0
    with (open_folder / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    done = status(open_folder)
    assert done.returncode == ExitCode.UNAVAILABLE
    assert "postgresql.conf" in one_line(done) and f"see {open_folder}/postgres/log" in one_line(done)


@pytest.mark.parametrize("name", ["l" * 120, "a b,c\"d'e$HOME`x`;\\f", "Jürgen", os.fsdecode(b"x\xff")])
def test_any_path_will_do(open_folder: Path, name: str) -> None:
    home = open_folder / name
    with embedded_postgres(home) as conninfo, psycopg.connect(conninfo) as connection:
        [sockets] = connection.execute("show unix_socket_directories").fetchone() or ("",)
        # The server trusts whoever reaches its socket.
        assert stat.S_IMODE(Path(sockets).stat().st_mode) == 0o700
        [socket] = Path(sockets).glob(".s.PGSQL.*[0-9]")
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert home / "postgres" == Path(sockets) or not Path(sockets).exists()


@needs_root
def test_no_other_user_gets_in(open_folder: Path) -> None:
    home = open_folder / ("l" * 120)
    with embedded_postgres(home) as conninfo:
        psql = postgres_server.program("psql")
        command = ["setpriv", f"--reuid={USERS[1]}", "--clear-groups", str(psql), conninfo, "-c", "select 1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Permission denied" in done.stderr


def test_what_a_killed_start_has_left_is_made_anew(open_folder: Path) -> None:
    half = open_folder / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    assert status(open_folder).returncode == 0
    assert not half.exists()


def test_a_number_that_is_another_processs_by_now_does_no_harm(open_folder: Path) -> None:
    """As after a crash of the machine, and in containers always: numbers are few there."""
    assert status(open_folder).returncode == 0
    data = open_folder / "postgres"
    with subprocess.Popen(["sleep", "600"]) as another:
        (data / "postmaster.pid").write_text(f"{another.pid}\n{data}\n1\n5432\n{data}\n\n1 1\nready\n")
        os.chown(data / "postmaster.pid", data.stat().st_uid, data.stat().st_gid)
        done = status(open_folder)
        ended = another.poll()
        another.kill()
    assert (done.returncode, ended) == (0, None), done.stderr


def test_a_number_that_is_another_postgres_by_now_does_no_harm(open_folder: Path, postgres: PostgresServer) -> None:
    """Neither does a start wait for it, nor does a stop stop it."""
    assert status(open_folder).returncode == 0
    data = open_folder / "postgres"
    with psycopg.connect(postgres.url()) as connection:
        [others] = connection.execute("show data_directory").fetchone() or ("",)
        pid = Path(others, "postmaster.pid").read_text().split()[0]
        (data / "postmaster.pid").write_text(f"{pid}\n{data}\n1\n5432\n{data}\n\n1 1\nready\n")
        os.chown(data / "postmaster.pid", data.stat().st_uid, data.stat().st_gid)
        assert kept_postgres.stop_keeping(open_folder) == kept_postgres.Stopped(open_folder, was_running=False)
        assert status(open_folder).returncode == 0
        assert connection.execute("select 1").fetchone() == (1,)


def test_data_that_are_not_its_own_are_left_alone(open_folder: Path) -> None:
    data = open_folder / "postgres"
    data.mkdir()
    (data / "letter.txt").write_text("dear")
    with (
        pytest.raises(Misconfigured, match="has files and is not the data of a Postgres"),
        embedded_postgres(open_folder),
    ):
        pass
    (data / "PG_VERSION").write_text("16\n")
    with (
        pytest.raises(Misconfigured, match=r"is version 18, and .* was made by version 16"),
        embedded_postgres(open_folder),
    ):
        pass
    assert (data / "letter.txt").read_text() == "dear"


def test_too_few_files_are_told(open_folder: Path) -> None:
    done = status(open_folder, before="ulimit -n 24")
    assert done.returncode == ExitCode.UNAVAILABLE
    assert "insufficient file descriptors" in one_line(done)
