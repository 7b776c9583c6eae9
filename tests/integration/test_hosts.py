"""Hosts that lack something: a home, a user's name, a stream, a temporary folder, a port, a name of their own."""

import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dataset_jobs.model.outcome import ExitCode
from tests.servers.as_user import NO_ENTRY, ROOT, affirm, folder_for_all, one_line

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="other users and namespaces need root")

STATE = ROOT / "tests" / "data" / "us" / "TR.TXT"
WORKBOOK = next((ROOT / "tests" / "data" / "nz").glob("*.xlsx"))


@pytest.fixture
def given(database: str) -> Iterator[dict[str, str]]:
    """A database, and a storage that every user may write to."""
    with folder_for_all() as storage:
        yield {"DATABASE_URL": database, "STORAGE_PATH": str(storage)}


def load(given: dict[str, str], **how: Any) -> "subprocess.CompletedProcess[str]":
    """Loads a file."""
    return affirm("load", str(STATE), "--country", "US", environment=given, **how)


def rows(given: dict[str, str]) -> int:
    """How many are loaded."""
    with psycopg.connect(given["DATABASE_URL"]) as connection:
        [count] = connection.execute("select count(*) from names").fetchone() or (0,)
    return int(count)


@needs_root
@pytest.mark.parametrize(
    "arguments",
    ["--help", "parsers list", f"parse {STATE} --country US", "status", "jobs list", f"load {STATE} --country US"],
)
def test_commands_need_neither_home_nor_entry_in_passwd(arguments: str, given: dict[str, str]) -> None:
    done = affirm(*arguments.split(" "), uid=NO_ENTRY, environment=given)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@needs_root
@pytest.mark.parametrize("home", [{}, {"HOME": "relative"}, {"AFFIRM_WORKER_HOME": "~nobody-of-that-name/x"}])
def test_what_needs_a_home_says_which_setting_gives_one(home: dict[str, str], database: str) -> None:
    for environment in (home, {**home, "DATABASE_URL": database}):
        done = load(environment, uid=NO_ENTRY)
        assert done.returncode == ExitCode.CONFIGURATION
        assert "AFFIRM_WORKER_HOME" in one_line(done)
    assert affirm("status", uid=NO_ENTRY, environment={**home, "DATABASE_URL": database}).returncode == 0


@needs_root
@pytest.mark.parametrize("home", ["/nonexistent", "/root", "/proc"])
def test_a_home_that_cannot_be_written_is_named_if_needed(home: str, database: str) -> None:
    environment = {"HOME": home, "DATABASE_URL": database}
    assert affirm("status", uid=NO_ENTRY, environment=environment).returncode == 0
    done = load(environment, uid=NO_ENTRY)
    assert done.returncode == ExitCode.CONFIGURATION
    assert f"AFFIRM_WORKER_HOME {home}/" in one_line(done) and "STORAGE_PATH" in one_line(done)


@needs_root
def test_a_url_without_user_is_refused_where_none_has_a_name(given: dict[str, str]) -> None:
    nameless = {**given, "DATABASE_URL": "postgresql://127.0.0.1:5432/names"}
    done = affirm("status", uid=NO_ENTRY, environment=nameless)
    assert done.returncode == ExitCode.CONFIGURATION
    assert "DATABASE_URL names no user" in one_line(done)
    run = ("--job-id", "5a7c910f-6f0b-4c0e-9a4e-2d1f3b5a7c91", "--epoch", "1")
    done = affirm(*run, uid=NO_ENTRY, environment=nameless, module="parser_runner")
    assert done.returncode == ExitCode.CONFIGURATION
    assert "DATABASE_URL names no user" in done.stderr


def test_closed_streams_keep_no_file_from_being_loaded(given: dict[str, str]) -> None:
    assert affirm("status", environment=given, streams=">&-").returncode == 0
    assert load(given, streams="<&- >&- 2>&-").returncode == 0
    assert rows(given) > 0


def test_a_current_folder_that_is_gone_does_not_matter(given: dict[str, str]) -> None:
    gone = "mkdir /tmp/affirm-gone-$$ && cd /tmp/affirm-gone-$$ && rmdir /tmp/affirm-gone-$$"
    done = load(given, before=gone)
    assert (done.returncode, rows(given) > 0) == (0, True), done.stderr
    done = load({**given, "STORAGE_PATH": "relative"}, before=gone)
    assert done.returncode == ExitCode.CONFIGURATION
    assert "STORAGE_PATH is 'relative'" in one_line(done)


@pytest.mark.parametrize("nonsense", [{"TZ": "Foo/Bar"}, {"LC_ALL": "xx_YY.UTF-8"}, {"TERM": "", "LANG": "nonsense"}])
def test_zones_and_locales_that_are_not_there_do_not_matter(given: dict[str, str], nonsense: dict[str, str]) -> None:
    done = load(given | nonsense)
    assert (done.returncode, rows(given) > 0) == (0, True), done.stderr


@needs_root
@pytest.mark.parametrize("name", [b"", b"h\xff\xfe"])
def test_any_name_of_the_host_will_do(given: dict[str, str], name: bytes) -> None:
    renamed = f"""{sys.executable} -c 'import socket; socket.sethostname(bytes({[*name]}))'"""
    done = load(given, before=renamed, namespaces=["--uts"])
    assert (done.returncode, rows(given) > 0) == (0, True), done.stderr


@needs_root
def test_a_current_folder_that_may_not_be_entered_does_not_matter(given: dict[str, str]) -> None:
    """As after `cd /root` and a change of user."""
    with tempfile.TemporaryDirectory() as private:
        done = load(given, uid=NO_ENTRY, cwd=private)
    assert (done.returncode, rows(given) > 0) == (0, True), done.stderr


def test_names_are_whole_whatever_the_locale() -> None:
    file = next((ROOT / "tests" / "data" / "dk").glob("*.xlsx"))
    said = {
        affirm("parse", str(file), "--country", "DK", environment={"PYTHONIOENCODING": encoding}).stdout
        for encoding in ("ascii", "")
    }
    assert len(said) == 1
    assert "Ø" in said.pop().upper()


class TestTemporaryFolder:
    """Child processes listen at sockets in it, and large rows are kept there."""

    def test_one_of_too_long_a_path_is_refused_at_once(self, given: dict[str, str], tmp_path: Path) -> None:
        long = tmp_path / ("l" * 100)
        long.mkdir()
        done = load({**given, "TMPDIR": str(long)})
        assert done.returncode == ExitCode.CONFIGURATION
        assert "takes no socket" in one_line(done) and str(long) in one_line(done)

    @needs_root
    def test_a_full_one_is_refused_at_once(self, given: dict[str, str]) -> None:
        full = "mount -t tmpfs -o nr_inodes=3 tmpfs /tmp"
        done = load({**given, "STORAGE_PATH": "/var/tmp"}, before=full, namespaces=["--mount"])
        assert done.returncode == ExitCode.CONFIGURATION
        assert "No space left on device" in one_line(done) and "TMPDIR" in one_line(done)

    @needs_root
    def test_none_at_all_is_told(self, given: dict[str, str]) -> None:
        read_only = "for f in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o ro tmpfs $f; done; cd /proc"
        for arguments in (["run", "--until-idle"], ["parse", str(STATE), "--country", "US"]):
            done = affirm(
                *arguments,
                environment={**given, "STORAGE_PATH": "/var/log"},
                before=read_only,
                namespaces=["--mount"],
            )
            assert done.returncode == ExitCode.CONFIGURATION
            assert "no temporary folder can be written" in one_line(done)

    @needs_root
    def test_a_small_one_without_execution_is_enough(self, given: dict[str, str]) -> None:
        """Nothing is executed from it, and small files stay in memory."""
        small = "mount -t tmpfs -o noexec,nosuid,size=64k tmpfs /var/tmp"
        done = load({**given, "TMPDIR": "/var/tmp"}, before=small, namespaces=["--mount"])
        assert (done.returncode, rows(given) > 0) == (0, True), done.stderr


class TestHealthPort:
    """Nobody is left without the probe that was asked for."""

    def test_one_that_is_taken_is_named(self, given: dict[str, str]) -> None:
        with socket.create_server(("", 0)) as taken:
            port = taken.getsockname()[1]
            done = affirm("run", "--until-idle", environment={**given, "HEALTH_PORT": str(port)})
        assert done.returncode == ExitCode.CONFIGURATION
        assert f"HEALTH_PORT {port}" in one_line(done) and "free port" in one_line(done)

    @needs_root
    def test_one_that_needs_a_right_is_named(self, given: dict[str, str]) -> None:
        done = affirm(
            "run",
            "--until-idle",
            environment={**given, "HEALTH_PORT": "80"},
            # Containers may let everybody listen everywhere; the network is this command's alone.
            before="echo 1024 > /proc/sys/net/ipv4/ip_unprivileged_port_start",
            namespaces=["--net"],
            uid=NO_ENTRY,
        )
        assert done.returncode == ExitCode.CONFIGURATION
        assert "HEALTH_PORT 80" in one_line(done) and "from 1024 on" in one_line(done)


class TestWorkbooks:
    """They are read by an isolated process of its own, which has to find its library and to live within its limits."""

    def test_they_are_read_wherever_the_packages_are(self) -> None:
        """As after `pip install --target`: the interpreter's own folders have none of them."""
        packages = {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}
        bare = sys._base_executable  # type: ignore[attr-defined]
        command = [bare, "-m", "cli", "parse", str(WORKBOOK), "--country", "NZ"]
        done = subprocess.run(command, env=packages, cwd="/", capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, len(done.stdout.splitlines()) > 1000) == (0, True), done.stderr

    def test_a_limit_of_memory_that_is_set_already_is_kept(self) -> None:
        done = affirm("parse", str(WORKBOOK), "--country", "NZ", before="ulimit -v 900000",
                      environment={"LIMIT_WORKBOOK_MEMORY_MIB": "2000"})  # fmt: skip
        assert (done.returncode, len(done.stdout.splitlines()) > 1000) == (0, True), done.stderr
