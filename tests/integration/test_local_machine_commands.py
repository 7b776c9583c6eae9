"""Commands and controllers on a machine in trouble: they name the trouble, and a later try goes through."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.store.statements import statements_of
from tests.faults.conditions import AS_NOBODY, LIMITS_HOLD, needs_root, no_more_open_files, read_only, small_disk
from tests.integration.command_line import ROOT
from tests.integration.world import DATA, NATIONAL, World
from tests.unit.parsing import zipped
from tests.unit.sample_contents import CORNERS, large_file
from tests.unit.workbooks import raw_xlsx

YEAR_2023 = NATIONAL / "yob2023.txt"
WORKBOOK = DATA / "gb-eaw" / "2020boysnames.xlsx"
ON_LINUX = pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A good archive: it is small, and its member is large."""
    path = tmp_path / "namesbystate.zip"
    path.write_bytes(zipped({"AK.TXT": large_file()}))
    return path


def command(
    *arguments: str | Path, before: Sequence[str] = (), **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Runs `affirm-worker` in these conditions."""
    return subprocess.run(
        [*before, sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=ROOT, env={**os.environ, "LOG_FORMAT": "json", **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@needs_root
def test_parse_says_that_the_disk_is_full(archive: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "1m") as disk:
        done = command("parse", archive, "--country", "US", TMPDIR=str(disk))
    assert (done.returncode, done.stdout) == (ExitCode.UNAVAILABLE, "")
    assert f"cannot write a temporary file in {disk}/" in done.stderr
    assert "No space left on device (ENOSPC)" in done.stderr


def test_parse_says_that_no_process_can_be_started() -> None:
    done = command("parse", WORKBOOK, "--country", "GB", before=("prlimit", "--nofile=6"))
    assert done.returncode == ExitCode.UNAVAILABLE
    assert "cannot start the process that parses: Too many open files (EMFILE)" in done.stderr


@needs_root
@pytest.mark.parametrize(
    ("before", "code", "says"),
    [
        ((), ExitCode.REJECTED, "takes more than 256 MiB (LIMIT_WORKBOOK_MEMORY_MIB)"),
        (
            (*LIMITS_HOLD, "prlimit", f"--as={200 << 20}"),
            ExitCode.OUT_OF_MEMORY,
            "the machine does not give it so much",
        ),
        ((*LIMITS_HOLD, "prlimit", f"--data={100 << 20}"), ExitCode.OUT_OF_MEMORY, "the machine does not give it so"),
    ],
    ids=["our limit", "a lower one of address space", "a lower one of data"],
)
def test_memory_is_about_the_file_only_within_our_own_limit(
    tmp_path: Path, before: tuple[str, ...], code: ExitCode, says: str
) -> None:
    """A workbook that wants a terabyte: where the machine's limit is reached first, that one is named."""
    file = tmp_path / "boys.xlsx"
    file.write_bytes(raw_xlsx({"A": CORNERS}))
    done = command("parse", file, "--country", "GB", before=before)
    assert done.returncode == code, done.stderr
    assert says in done.stderr


@ON_LINUX
def test_a_file_that_the_disk_does_not_give_is_not_refused(world: World) -> None:
    environment = {**world.environment, "AFFIRM_WORKER_HOME": str(world.folder)}
    done = command("submit", YEAR_2023, "/proc/self/mem", "--country", "US", **environment)
    assert done.returncode == ExitCode.UNAVAILABLE
    assert "cannot read /proc/self/mem: Input/output error (EIO)" in done.stderr
    assert command("submit", "/nowhere", "--country", "US", **environment).returncode == ExitCode.REJECTED


def test_parse_into_a_pipe_that_closes_says_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "parse", YEAR_2023, "--country", "US"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as parse:  # fmt: skip
        assert parse.stdout is not None and parse.stderr is not None
        parse.stdout.readline()
        parse.stdout.close()
        assert parse.stderr.read() == b""
    assert parse.returncode == 141


@needs_root
def test_load_on_a_full_disk_leaves_the_job_to_be_tried_again(world: World, archive: Path, tmp_path: Path) -> None:
    environment = {**world.environment, "WORKER_RETRY_WAITS": "1h"}
    with small_disk(tmp_path / "small", "1m") as disk:
        done = command("load", archive, "--country", "US", TMPDIR=str(disk), **environment)
        assert done.returncode == 1
        assert "waits for a retry" in done.stdout
        job = world.one("select state, last_cause, last_error from jobs")
        assert (job["state"], job["last_cause"]) == ("scheduled", Cause.UNAVAILABLE)
        assert re.search(rf"temporary file in {disk}/\S+: No space left", job["last_error"])
        [run] = world.query("select reason from runs")
        assert run["reason"] == Reason.TEMPORARY_IO
    world.query("update jobs set run_at = now()")
    assert command("load", archive, "--country", "US", **environment).returncode == 0


@needs_root
def test_a_controller_without_a_temporary_folder_says_so(world: World) -> None:
    before = read_only(*(one for one in ("/tmp", "/var/tmp", "/usr/tmp", str(ROOT)) if Path(one).is_dir()))
    done = command("run", "--launcher", "process", "--until-idle", before=before, **world.environment)
    assert done.returncode == ExitCode.CONFIGURATION
    assert "no temporary folder can be written: set TMPDIR to a folder that can" in done.stderr


@needs_root
def test_a_thread_that_cannot_be_started_is_temporary() -> None:
    program = """
import threading
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.threads import start_thread
try:
    start_thread(threading.Thread(target=print))
except Unavailable as error:
    print(error.reason)
"""
    before = (*AS_NOBODY, "prlimit", "--nproc=1")
    done = subprocess.run([*before, sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "temporary_io\n", done.stderr


async def test_a_tick_without_open_files_is_repeated_and_goes_through(world: World) -> None:
    """It had to read a statement just then."""
    job_id = world.submit(YEAR_2023).job_id
    async with world.controller() as reconciler:
        assert await reconciler.tick_safely()  # it is connected from now on
        statements_of.cache_clear()
        with no_more_open_files():
            assert not await reconciler.tick_safely()
        assert "EMFILE" in reconciler.health.last_error
        async with asyncio.timeout(60):
            await reconciler.run(asyncio.Event(), until_idle=True)
    assert world.job(job_id)["state"] == "completed"
