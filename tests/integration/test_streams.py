"""What a command does with a standard output that ends early or takes nothing, and with poor surroundings."""

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
import pytest

from cli.exit_codes import INTERRUPTED, NOBODY_READS, NOT_DONE
from dataset_jobs.model.outcome import ExitCode
from tests.servers.as_user import ROOT, affirm

NAMES = ROOT / "tests" / "data" / "us" / "national" / "yob2023.txt"
PRINTING = [
    "--help",
    "jobs --help",
    f"parse {NAMES} --country US",
    "parsers list --json",
    "jobs list --json",
    "status",
]


def called(command: str, stdout: int, environment: Mapping[str, str]) -> tuple[int, str]:
    """The exit code of a command that prints there, and what it says on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *command.split()], check=False, cwd=ROOT, stdout=stdout,
        stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", PRINTING)
def test_a_reader_that_goes_ends_a_command_silently(command: str, database: str) -> None:
    """As `| head` does. Not every word was read, so the exit code is that of SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert called(command, writer, {"DATABASE_URL": database}) == (NOBODY_READS, "")
    finally:
        os.close(writer)


@pytest.mark.parametrize("command", PRINTING)
def test_a_full_disk_below_stdout_is_an_error(command: str, database: str) -> None:
    with Path("/dev/full").open("w") as full:
        code, said = called(command, full.fileno(), {"DATABASE_URL": database})
    assert code == ExitCode.UNAVAILABLE
    assert said == "affirm-worker: standard output: No space left on device (ENOSPC)\n"


def test_a_load_is_done_although_nobody_reads_its_summary(database: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    settings = {"DATABASE_URL": database, "STORAGE_PATH": str(tmp_path)}
    code, said = called(f"load {NAMES} --country US", writer, settings)
    os.close(writer)
    assert (code, "Traceback" in said) == (NOBODY_READS, False)
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) > 0 from names").fetchone() == (True,)


def test_an_error_is_not_hidden_by_a_reader_that_goes() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code, said = called("parse missing.txt --country US", writer, {})
    os.close(writer)
    assert (code, said) == (ExitCode.REJECTED, "affirm-worker: missing.txt: no such file or directory\n")


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", "<&-"])
def test_nobody_needs_to_hear_of_an_error(streams: str) -> None:
    done = affirm("parse", "missing.txt", "--country", "US", streams=streams)
    assert done.returncode == ExitCode.REJECTED


def test_without_input_nothing_is_agreed_to(database: str) -> None:
    done = affirm("datasets", "delete", "--status", "failed", environment={"DATABASE_URL": database}, streams="<&-")
    assert done.returncode == 0, "there is none, so nothing is asked"


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"\x03", INTERRUPTED), (b"n\n", NOT_DONE), (b"\x04", NOT_DONE)],
    ids=["^C", "no", "^D"],
)
def test_a_question_that_is_not_agreed_to_does_nothing(answer: bytes, code: int, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(
            "with country as (select id from countries where code = 'US'), dataset as (insert into datasets"
            " (country_id, filename, storage_uri, sha256, size, status, error)"
            " select id, 'a.txt', 'local:US/a', repeat('0', 64), 1, 'failed', 'no' from country returning id)"
            " insert into jobs (dataset_id, type, state, finished_at, last_cause, last_error)"
            " select id, 'parse_dataset', 'failed', now(), 'rejected', 'no' from dataset"
        )
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        environment = {"PATH": os.environ["PATH"], "DATABASE_URL": database}
        os.execve(sys.executable, [sys.executable, "-m", "cli", "jobs", "purge", "--older-than", "0s"], environment)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(terminal, 4096)
    os.write(terminal, answer)
    with contextlib.suppress(OSError):  # the other end is closed
        while os.read(terminal, 4096):
            pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == code
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from jobs").fetchone() == (1,)


@pytest.mark.parametrize(
    "poor",
    [{"LANG": "C"}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"TERM": "dumb"}, {"HOME": "/nonexistent"}],
    ids=lambda poor: "=".join(*poor.items()),
)
def test_poor_surroundings_do_not_matter(poor: dict[str, str], database: str) -> None:
    for command in ("parsers list", f"parse {NAMES} --country US --report", "status"):
        done = affirm(*command.split(" "), environment={"DATABASE_URL": database, **poor})
        assert (done.returncode, done.stderr) == (0, ""), command


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_line_on_stderr_goes_out_at_once(unbuffered: str) -> None:
    """Whoever waits for a lock, or reads a log, sees it while the command goes on."""
    code = "import sys, time; from cli.screen import streams; streams.guard(); sys.stderr.write('x\\n'); time.sleep(9)"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, text=True,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stderr is not None and process.stderr.readline() == "x\n"
        process.kill()
