"""The script that makes the data of the chart's bundled Postgres: whole or not at all, with logins as documented."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.servers import postgres
from tests.servers.memory_folder import MemoryFolder
from tests.servers.ports import free_port

BUNDLED = Path(__file__).parents[2] / "charts" / "affirm-worker" / "files" / "bundled"
VERSION = 18
"""As the chart's image has it."""
LOGINS = {"OWNER_DATABASE_URL": "owner", "DATABASE_URL": "controller", "RUNNER_DATABASE_URL": "runner",
          "API_DATABASE_URL": "api"}  # fmt: skip


def urls(password: str, port: int = 5432) -> dict[str, str]:
    """The four URLs of a Secret."""
    return {
        key: f"postgresql://names_{login}:{login}{password}@127.0.0.1:{port}/names" for key, login in LOGINS.items()
    }


@pytest.fixture
def home() -> Iterator[Path]:
    """The volume, a folder of the user that the server runs as; PGDATA is `data` in it."""
    folder = MemoryFolder("affirm-bundled-")
    try:
        (volume := folder.path / "volume").mkdir()
        # A copy where the user may read it: a checkout may be private.
        for name in ("create.sql", "pg_hba.conf"):
            (folder.path / name).write_text((BUNDLED / name).read_text())
        subprocess.run(["chown", "-R", _user(), folder.path], check=True)
        yield volume
    finally:
        folder.remove()


def test_prepared_data_take_every_login_and_no_superuser(home: Path) -> None:
    port = free_port("127.0.0.1")
    prepare(home, urls("old"))
    prepare(home, urls("new"))  # as at the next start, and after the Secret was made anew
    with serving(home, port):
        for url in urls("new", port).values():
            with psycopg.connect(url, autocommit=True) as connection:
                [(limit,)] = connection.execute("select rolconnlimit from pg_roles where rolname = session_user")
                assert limit > 0
        with psycopg.connect(urls("new", port)["OWNER_DATABASE_URL"], autocommit=True) as owner:
            owner.execute("create schema affirm")
        for refused in (urls("old", port)["DATABASE_URL"], f"postgresql://postgres:x@127.0.0.1:{port}/names"):
            with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|pg_hba.conf rejects"):
                psycopg.connect(refused)


def test_a_break_in_the_middle_leaves_no_half_made_data(home: Path) -> None:
    """It is made beside its place, and takes it when it is whole."""
    broken = home.parent / "broken.sql"
    broken.write_text("create role affirm_owner\ncreate database\n")
    done = run(home, urls("x") | {"CREATE": str(broken)})
    assert done.returncode != 0 and "syntax error" in done.stderr
    assert (home / "data.new").exists() and not (home / "data").exists()
    prepare(home, urls("x"))
    assert [one.name for one in home.iterdir()] == ["data"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://names_runner:it's@host/names",
        "postgresql://names_runner@host/names",
        "postgresql://other:secret@host/names",
        "",
    ],
)
def test_a_url_that_does_not_fit_is_said(home: Path, url: str) -> None:
    """Its password goes into SQL."""
    done = run(home, urls("x") | {"RUNNER_DATABASE_URL": url})
    wanted = "the Secret must have a URL of the login names_runner with a password of letters and digits\n"
    assert (done.returncode, done.stderr) == (1, wanted)
    assert [*home.iterdir()] == []


def prepare(home: Path, environment: Mapping[str, str]) -> None:
    """Runs the script, which has to work."""
    done = run(home, environment)
    assert done.returncode == 0, done.stderr


def run(home: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs the script as the init container does."""
    return subprocess.run(
        [*_as_user(), "sh", "-s"],
        input=(BUNDLED / "prepare.sh").read_text(),
        env=_environment(home) | {"CREATE": str(home.parent / "create.sql"), **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def serving(home: Path, port: int) -> Iterator[None]:
    """A server on the data, with the arguments of the container and a port of its own."""
    command = [
        *_as_user(), "postgres", "--listen_addresses=*", f"--port={port}", f"--unix_socket_directories={home.parent}",
        f"--hba_file={home.parent / 'pg_hba.conf'}",
    ]  # fmt: skip
    process = subprocess.Popen(command, env=_environment(home), cwd="/", stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if "ready to accept connections" in line:
                break
        else:
            raise AssertionError("".join(seen))
        yield
    finally:
        process.send_signal(signal.SIGINT)  # as the container's preStop
        process.communicate(timeout=100)


def _environment(home: Path) -> dict[str, str]:
    return {"PATH": f"{postgres.binaries(VERSION)}:{os.environ['PATH']}", "PGDATA": str(home / "data")}


def _user() -> str:
    return f"{postgres.OS_USER}:" if os.geteuid() == 0 else str(os.getuid())


def _as_user() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={postgres.OS_USER}", f"--regid={postgres.OS_USER}", "--clear-groups"]
