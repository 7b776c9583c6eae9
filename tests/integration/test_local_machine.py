"""Runners on a machine in trouble: a full disk, limits, helpers that are killed. A good file is never rejected for it.

Each is a real runner, as a process, on a file that loads well elsewhere.
"""

import contextlib
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import Outcome
from tests.faults.conditions import (
    AS_NOBODY,
    LIMITS_HOLD,
    needs_root,
    read_only,
    signalled,
    small_disk,
)
from tests.integration.command_line import ROOT
from tests.integration.loads import claim_one, proven_environment
from tests.integration.world import DATA, World
from tests.unit.parsing import zipped
from tests.unit.sample_contents import large_file

WORKBOOK = DATA / "gb-eaw" / "2020boysnames.xlsx"
MIB = 1024 * 1024
TEMPORARY_IO = (Cause.UNAVAILABLE, Reason.TEMPORARY_IO)
OF_THE_MACHINE = {Cause.UNAVAILABLE, Cause.OUT_OF_MEMORY, Cause.CANNOT_START, Cause.COMPLETED}


@pytest.fixture
def text(world: World) -> tuple[Path, str]:
    return world.file("AK.TXT", large_file()), "US"


@pytest.fixture
def archive(world: World) -> tuple[Path, str]:
    """A small archive with a large member."""
    return world.file("namesbystate.zip", zipped({"AK.TXT": large_file()})), "US"


@pytest.fixture
def workbook() -> tuple[Path, str]:
    return WORKBOOK, "GB"


@contextlib.contextmanager
def runner(
    world: World,
    key: tuple[str, str],
    before: Sequence[str] = (),
    python: str = sys.executable,
    **environment: str,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A runner's process in these conditions; its message goes to the file `message`."""
    job_id, epoch = key
    runs = [python, "-m", "parser_runner", "--job-id", job_id, "--epoch", epoch]
    process = subprocess.Popen(
        [*before, *runs, "--message-file", str(world.folder / "message")],
        cwd=ROOT, env={**proven_environment(world, RunKey(UUID(job_id), int(epoch))), **environment},
        stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def claimed(world: World, file: tuple[Path, str]) -> tuple[str, str]:
    """The run of a file that was submitted."""
    world.submit(*file)
    run = await claim_one(world, "test")
    return str(run.key.job_id), str(run.key.epoch)


def said(world: World, process: "subprocess.Popen[bytes]") -> Outcome:
    """What a runner has said when it has ended."""
    _, log = process.communicate(timeout=120)
    message = world.folder / "message"
    outcome = Outcome.from_message(message.read_text()) if message.exists() else None
    if process.returncode == 0:
        return Outcome(Cause.COMPLETED)
    assert outcome is not None, (process.returncode, log[-2000:])
    assert process.returncode == outcome.exit_code
    return outcome


@needs_root
@pytest.mark.parametrize("kind", ["text", "archive"])
async def test_a_full_disk_is_temporary(
    world: World, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    key = await claimed(world, request.getfixturevalue(kind))
    with small_disk(tmp_path / "small", "1m") as folder, runner(world, key, TMPDIR=str(folder)) as process:
        outcome = said(world, process)
    assert (outcome.cause, outcome.reason) == TEMPORARY_IO
    assert f"temporary file in {folder}" in outcome.error
    assert outcome.error.endswith(": No space left on device (ENOSPC)")


@pytest.mark.parametrize("kind", ["text", "archive"])
async def test_a_limit_of_file_sizes_is_temporary(world: World, kind: str, request: pytest.FixtureRequest) -> None:
    key = await claimed(world, request.getfixturevalue(kind))
    with runner(world, key, ("prlimit", f"--fsize={MIB}")) as process:
        outcome = said(world, process)
    assert (outcome.cause, outcome.reason) == TEMPORARY_IO
    assert "(EFBIG)" in outcome.error


@needs_root
@pytest.mark.parametrize("kind", ["text", "archive"])
async def test_no_folder_for_temporary_files_is_temporary(
    world: World, kind: str, request: pytest.FixtureRequest
) -> None:
    key = await claimed(world, request.getfixturevalue(kind))
    folders = [one for one in ("/tmp", "/var/tmp", "/usr/tmp", str(ROOT)) if Path(one).is_dir()]
    (world.folder / "message").touch()
    with runner(world, key, read_only(*folders), TMPDIR="/nowhere") as process:
        process.wait(100)
    run = world.one("select outcome from runs")["outcome"]  # its message had no place either
    assert (run["cause"], run["reason"]) == TEMPORARY_IO
    assert "No usable temporary directory found" in run["error"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [(signal.SIGKILL, (Cause.OUT_OF_MEMORY, None)), (signal.SIGTERM, TEMPORARY_IO), (signal.SIGBUS, TEMPORARY_IO)],
)
async def test_a_reader_of_workbooks_that_is_killed_rejects_nothing(
    world: World, workbook: tuple[Path, str], number: signal.Signals, expected: tuple[Cause, Reason | None]
) -> None:
    key = await claimed(world, workbook)
    with runner(world, key) as process, signalled(process.pid, "workbook_reader.py", number) as hit:
        outcome = said(world, process)
    assert hit
    assert (outcome.cause, outcome.reason) == expected
    assert number.name in outcome.error


def installed(folder: Path, without: str = "") -> tuple[str, str]:
    """A Python without any package, and a folder that has them, as `pip install --target` leaves it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (folder / "target").mkdir()
    for package in Path(sysconfig.get_path("platlib")).iterdir():
        if package.name != without:
            (folder / "target" / package.name).symlink_to(package)
    return str(folder / "venv" / "bin" / "python"), str(folder / "target")


async def test_workbooks_are_read_where_packages_are_only_on_pythonpath(
    world: World, workbook: tuple[Path, str], tmp_path: Path
) -> None:
    python, packages = installed(tmp_path)
    key = await claimed(world, workbook)
    with runner(world, key, python=python, PYTHONPATH=packages) as process:
        assert said(world, process).cause is Cause.COMPLETED


async def test_a_library_that_is_missing_is_the_installations_fault(
    world: World, workbook: tuple[Path, str], tmp_path: Path
) -> None:
    python, packages = installed(tmp_path, without="python_calamine")
    key = await claimed(world, workbook)
    with runner(world, key, python=python, PYTHONPATH=packages) as process:
        outcome = said(world, process)
    assert (outcome.cause, outcome.reason) == (Cause.CANNOT_START, Reason.CONFIG)
    assert "cannot import python_calamine" in outcome.error


async def test_a_library_that_cannot_be_loaded_is_the_installations_fault(
    world: World, workbook: tuple[Path, str], tmp_path: Path
) -> None:
    python, packages = installed(tmp_path, without="python_calamine")
    (Path(packages) / "python_calamine").mkdir()
    (Path(packages) / "python_calamine" / "__init__.py").write_text("from . import _python_calamine\n")
    (Path(packages) / "python_calamine" / "_python_calamine.abi3.so").write_bytes(b"of another machine")
    key = await claimed(world, workbook)
    with runner(world, key, python=python, PYTHONPATH=packages) as process:
        assert said(world, process).cause is Cause.CANNOT_START


@needs_root
async def test_workbooks_are_read_within_a_lower_limit_of_the_machine(world: World, workbook: tuple[Path, str]) -> None:
    key = await claimed(world, workbook)
    # Room for the runner itself, but less than LIMIT_WORKBOOK_MEMORY_MIB.
    with runner(
        world, key, (*LIMITS_HOLD, "prlimit", f"--as={1000 * MIB}"), LIMIT_WORKBOOK_MEMORY_MIB="2000"
    ) as process:
        assert said(world, process).cause is Cause.COMPLETED


@needs_root
@pytest.mark.parametrize("kind", ["archive", "workbook"])
async def test_no_process_more_is_temporary(world: World, kind: str, request: pytest.FixtureRequest) -> None:
    key = await claimed(world, request.getfixturevalue(kind))
    with runner(world, key, (*AS_NOBODY, "prlimit", "--nproc=1")) as process:
        outcome = said(world, process)
    assert (outcome.cause, outcome.reason) == TEMPORARY_IO


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "limits"),
    [
        ("nofile", range(5, 18)),
        ("as", range(60 * MIB, 400 * MIB, 4 * MIB)),
        ("data", range(20 * MIB, 100 * MIB, 2 * MIB)),
    ],
    ids=["files", "address space", "memory"],
)
async def test_whatever_limit_is_reached_no_good_file_is_rejected(
    world: World, workbook: tuple[Path, str], what: str, limits: range
) -> None:
    ends = []
    job_id = world.submit(*workbook).job_id
    for limit in limits:
        world.query("update jobs set state = 'queued', run_at = now() where id = %s and state = 'running'", job_id)
        world.query("update runs set released_at = now(), ended_at = now(), cause = 'crashed' where cause is null")
        run = await claim_one(world, "test")
        (world.folder / "message").unlink(missing_ok=True)
        with runner(
            world, (str(run.key.job_id), str(run.key.epoch)), (*LIMITS_HOLD, "prlimit", f"--{what}={limit}")
        ) as process:
            process.communicate(timeout=100)
        message = world.folder / "message"
        outcome = Outcome.from_message(message.read_text()) if message.exists() else None
        ends.append((limit, process.returncode, outcome and (outcome.cause, outcome.error)))
        if process.returncode == 0:
            break
    # One that cannot even import its code has no words.
    assert {outcome[0] for *_, outcome in ends if outcome} <= OF_THE_MACHINE, ends
    assert ends[-1][1] == 0, ends
    assert any(outcome for *_, outcome in ends), ends
