"""Children of the process launcher: one runs run after run as long as each completes, and never outlives its use."""

import asyncio
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from controller.launchers.interface import LaunchRefused, Phase
from controller.launchers.process import launcher as process
from controller.launchers.process.launcher import ProcessLauncher
from controller.outcomes.diagnosis import diagnose
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import Unavailable
from tests.conformance.acting_runner import act
from tests.conformance.launcher_contract import EXITS_0, IS_KILLED, REJECTS, WORKS, a_launch, ended, until
from tests.faults.conditions import no_more_open_files

COMPLETES, IGNORES_SIGTERM = "7", "8"


@pytest.fixture
async def launcher() -> AsyncIterator[ProcessLauncher]:
    launcher = ProcessLauncher(act, ["tests.conformance.acting_runner"], lambda: None)
    yield launcher
    await launcher.close()


def pid_of(name: str) -> int:
    return int(name.removeprefix("pid-"))


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(100):
        while lives(pid):
            await asyncio.sleep(0.01)


async def test_the_end_of_a_run_wakes_the_loop() -> None:
    for acts in (EXITS_0, COMPLETES):
        woken = asyncio.Event()
        launcher = ProcessLauncher(act, [], woken.set)
        try:
            await launcher.launch(a_launch(acts))
            await asyncio.wait_for(woken.wait(), 100)
        finally:
            await launcher.close()


async def test_what_we_stopped_is_told_from_what_died(launcher: ProcessLauncher) -> None:
    launch = a_launch(WORKS)
    await launcher.launch(launch)
    await launcher.stop(launch.key, now=True)
    assert (await until(launcher, launch.key, Phase.ENDED)).evidence.seen_as == "Stopped"


async def test_a_run_ends_at_its_deadline() -> None:
    launcher = ProcessLauncher(act, [], lambda: None, deadline=timedelta(seconds=0.5))
    try:
        launch = a_launch(WORKS)
        await launcher.launch(launch)
        seen = await until(launcher, launch.key, Phase.ENDED)
        assert diagnose(seen.evidence, None, held_for=timedelta(seconds=0.5)).cause is Cause.TIMED_OUT
    finally:
        await launcher.close()


async def test_a_child_whose_run_completed_is_used_for_the_next(launcher: ProcessLauncher) -> None:
    first, second = await ended(launcher, COMPLETES), await ended(launcher, COMPLETES)
    assert first.evidence.exit_code == second.evidence.exit_code == 0
    assert first.name == second.name
    assert first.key != second.key


@pytest.mark.parametrize("acts", [EXITS_0, REJECTS, IS_KILLED])
async def test_a_child_that_ended_with_its_run_is_not(launcher: ProcessLauncher, acts: str) -> None:
    first = await ended(launcher, acts)
    assert (await ended(launcher, COMPLETES)).name != first.name


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "Too many open files"), EOFError()], ids=["files", "parent"])
@pytest.mark.parametrize("what", ["Pipe", "Process"])
async def test_a_process_that_cannot_be_started_is_to_be_tried_again(
    launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch, what: str, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    open_files = len([*Path("/proc/self/fd").iterdir()])
    with monkeypatch.context() as patched:
        patched.setattr(launcher._context, what, fail)
        with pytest.raises(Unavailable, match="cannot start a process"):
            await launcher.launch(a_launch(COMPLETES))
    assert len([*Path("/proc/self/fd").iterdir()]) <= open_files
    assert await launcher.list_all() == []
    assert (await ended(launcher, COMPLETES)).evidence.exit_code == 0


async def test_a_child_goes_on_when_the_warm_parent_dies(launcher: ProcessLauncher) -> None:
    """A fork that fails for want of processes ends the warm parent, not those that it has forked."""
    first, second = a_launch(IGNORES_SIGTERM), a_launch(WORKS)
    names = [await launcher.launch(launch) for launch in (first, second)]
    warm = int(Path(f"/proc/{pid_of(names[0])}/stat").read_text().rpartition(")")[2].split()[1])
    assert warm != os.getpid()
    os.kill(warm, signal.SIGKILL)
    await asyncio.sleep(0.3)  # for the launcher to see it
    assert {seen.phase for seen in await launcher.list_all()} == {Phase.RUNNING}
    completed = await until(launcher, first.key, Phase.ENDED)
    assert completed.evidence.exit_code == 0
    os.kill(pid_of(names[1]), signal.SIGKILL)
    await until(launcher, second.key, Phase.ENDED)
    await launcher.release(second.key)
    assert (await ended(launcher, COMPLETES)).name != names[1]


async def test_a_run_goes_well_when_the_folder_of_messages_is_gone(launcher: ProcessLauncher) -> None:
    """Cleaners of temporary folders remove it after some days."""
    await ended(launcher, COMPLETES)
    shutil.rmtree(launcher._messages.name)
    seen = await ended(launcher, REJECTS)
    assert seen.evidence.exit_code == 65
    assert "rejected" in seen.evidence.message


async def test_a_message_that_cannot_be_read_is_not_taken_for_none(launcher: ProcessLauncher) -> None:
    """Without its words a run would count as crashed."""
    seen = await ended(launcher, REJECTS)
    with no_more_open_files(), pytest.raises(Unavailable, match="EMFILE"):
        await launcher.get(seen.key)


async def test_runs_at_the_same_time_have_a_child_each(launcher: ProcessLauncher) -> None:
    waits = await ended(launcher, COMPLETES)
    names = {await launcher.launch(a_launch(WORKS)) for _ in range(3)}
    assert len(names) == 3
    assert waits.name in names


async def test_a_run_is_told_from_the_next_one_of_its_child(launcher: ProcessLauncher) -> None:
    first, second = await ended(launcher, COMPLETES), a_launch(WORKS)
    assert await launcher.launch(second) == first.name
    await launcher.stop(first.key, now=True)
    await launcher.release(second.key)
    assert {seen.key: seen.phase for seen in await launcher.list_all()} == {
        first.key: Phase.ENDED,
        second.key: Phase.RUNNING,
    }
    os.kill(pid_of(first.name), signal.SIGKILL)
    died = await until(launcher, second.key, Phase.ENDED)
    assert (died.evidence.exit_code, died.evidence.signal) == (None, signal.SIGKILL)
    found = await launcher.get(first.key)
    assert found is not None
    assert (found.evidence.exit_code, found.evidence.seen_as) == (0, None)
    await launcher.release(first.key)
    await launcher.release(second.key)
    assert await launcher.list_all() == []
    assert (await ended(launcher, COMPLETES)).evidence.exit_code == 0


async def test_a_child_that_died_while_it_waited_is_not_used(launcher: ProcessLauncher) -> None:
    first = await ended(launcher, COMPLETES)
    os.kill(pid_of(first.name), signal.SIGTERM)
    await until_gone(pid_of(first.name))
    second = await ended(launcher, COMPLETES)
    assert second.name != first.name
    assert second.evidence.exit_code == 0


async def test_a_stopped_run_that_completes_ends_its_child(
    launcher: ProcessLauncher,
) -> None:
    """A run that completes in spite of SIGTERM is the last one of its child."""
    launch = a_launch(IGNORES_SIGTERM)
    pid = pid_of(await launcher.launch(launch))
    async with asyncio.timeout(100):
        while not _ignores(pid, signal.SIGTERM):
            await asyncio.sleep(0.01)
    await launcher.stop(launch.key)
    seen = await until(launcher, launch.key, Phase.ENDED)
    assert (seen.evidence.exit_code, seen.evidence.seen_as) == (0, "Stopped")
    await until_gone(pid)
    assert (await ended(launcher, COMPLETES)).name != seen.name


async def test_a_child_is_used_for_so_many_runs(launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "RUNS_OF_A_CHILD", 2)
    names = [(await ended(launcher, COMPLETES)).name for _ in range(4)]
    assert names[0] == names[1] != names[2] == names[3]
    await until_gone(pid_of(names[0]))


async def test_a_child_does_not_wait_for_ever(launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "IDLE_SECONDS", 0.05)
    await until_gone(pid_of((await ended(launcher, COMPLETES)).name))


async def test_children_that_wait_end_with_the_launcher() -> None:
    launcher = ProcessLauncher(act, [], lambda: None)
    first = await ended(launcher, COMPLETES)
    await launcher.close()
    await until_gone(pid_of(first.name))


_TO_BE_KILLED = """
import asyncio, time
from controller.launchers.process.launcher import ProcessLauncher
from tests.conformance.acting_runner import act
from tests.conformance.launcher_contract import ended
async def wait():
    launcher = ProcessLauncher(act, [], lambda: None)
    print((await ended(launcher, "7")).name, flush=True)
    time.sleep(600)
asyncio.run(wait())
"""


def test_a_child_that_waits_ends_with_a_controller_that_is_killed() -> None:
    command = [sys.executable, "-c", _TO_BE_KILLED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as controller:
        assert controller.stdout is not None
        pid = pid_of(controller.stdout.readline().strip())
        assert lives(pid)
        controller.kill()
    deadline = time.monotonic() + 100
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not lives(pid)


def _ignores(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    [ignored] = [line.split()[1] for line in status.splitlines() if line.startswith("SigIgn")]
    return bool(int(ignored, 16) >> (number - 1) & 1)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "ulimit -u"),
        (OSError(errno.EMFILE, "Too many open files"), "ulimit -n"),
        (OSError("AF_UNIX path too long"), "see TMPDIR"),
    ],
)
async def test_a_process_that_cannot_be_started_names_the_limit(
    launcher: ProcessLauncher, monkeypatch: pytest.MonkeyPatch, error: OSError, advice: str
) -> None:
    """At first it is tried again; after a while the launch is refused, and the claim is released."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(launcher._context, "Process", fail)
    with pytest.raises(Unavailable, match=advice):
        await launcher.launch(a_launch(COMPLETES))
    monkeypatch.setattr(process, "REFUSED_AFTER_SECONDS", 0.0)
    with pytest.raises(LaunchRefused, match=advice):
        await launcher.launch(a_launch(COMPLETES))
