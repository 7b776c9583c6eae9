"""What every launcher must do: one suite, for the fake, for processes and for a real Kubernetes."""

import asyncio
import time
from uuid import UUID, uuid4

from controller.launchers.interface import Launch, Launcher, ObservedRun, Phase
from controller.launchers.process.launcher import ProcessLauncher
from dataset_jobs.model.keys import RunKey
from tests.conformance.acting_runner import MESSAGE

PATIENCE_SECONDS = 100.0

EXITS_0, REJECTS, WORKS, IS_KILLED = "0", "1", "2", "3"


def a_launch(acts: str, epoch: int = 1) -> Launch:
    """A launch of a run that acts as its digit says."""
    job_id = UUID(uuid4().hex[:-1] + acts)
    return Launch(RunKey(job_id, epoch), uuid4(), "parse_dataset", 1)


async def until(launcher: Launcher, key: RunKey, *phases: Phase, pause_seconds: float = 0.02) -> ObservedRun:
    """The run as soon as it is in one of these phases.

    Args:
        pause_seconds: between two looks; longer where many look at the same time and nothing passes by.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for seen in await launcher.list_all():
            if seen.key == key and seen.phase in phases:
                return seen
        await asyncio.sleep(pause_seconds)
    raise AssertionError(f"{key} has not come to {phases}")


class LauncherContract:
    """Subclasses give the fixture `launcher`."""

    async def test_a_launched_run_is_seen_under_the_name_that_launch_returned(self, launcher: Launcher) -> None:
        launch = a_launch(WORKS)
        name = await launcher.launch(launch)
        assert [seen.name for seen in await launcher.list_all() if seen.key == launch.key] == [name]

    async def test_what_was_seen_is_known_and_nothing_else(self, launcher: Launcher) -> None:
        launch, other = a_launch(WORKS), a_launch(WORKS)
        await launcher.launch(launch)
        await until(launcher, launch.key, Phase.RUNNING)
        [known] = await launcher.get_cached({launch.key, other.key})
        assert (known.key, known.phase) == (launch.key, Phase.RUNNING)
        assert await launcher.get_cached(set()) == []

    async def test_launching_again_adopts_the_run(self, launcher: Launcher) -> None:
        launch = a_launch(WORKS)
        first = await launcher.launch(launch)
        await until(launcher, launch.key, Phase.RUNNING)
        assert await launcher.launch(launch) == first
        assert len([seen for seen in await launcher.list_all() if seen.key == launch.key]) == 1

    async def test_epochs_of_a_job_are_runs_of_their_own(self, launcher: Launcher) -> None:
        first = a_launch(WORKS)
        second = Launch(RunKey(first.key.job_id, 2), first.dataset_id, first.job_type, 2)
        assert await launcher.launch(first) != await launcher.launch(second)
        assert {first.key, second.key} <= {seen.key for seen in await launcher.list_all()}

    async def test_an_exit_code_and_the_termination_message_are_evidence(self, launcher: Launcher) -> None:
        launch = a_launch(REJECTS)
        await launcher.launch(launch)
        seen = await until(launcher, launch.key, Phase.ENDED)
        assert (seen.evidence.exit_code, seen.evidence.message) == (65, MESSAGE)
        assert seen.evidence.container_started

    async def test_exit_code_0_is_evidence_too(self, launcher: Launcher) -> None:
        launch = a_launch(EXITS_0)
        await launcher.launch(launch)
        assert (await until(launcher, launch.key, Phase.ENDED)).evidence.exit_code == 0

    async def test_a_killing_signal_is_evidence(self, launcher: Launcher) -> None:
        launch = a_launch(IS_KILLED)
        await launcher.launch(launch)
        evidence = (await until(launcher, launch.key, Phase.ENDED)).evidence
        assert evidence.signal == 9 or evidence.exit_code == 137

    async def test_find_gives_one_run_or_definitely_none(self, launcher: Launcher) -> None:
        launch = a_launch(REJECTS)
        assert await launcher.get(launch.key) is None
        await launcher.launch(launch)
        await until(launcher, launch.key, Phase.ENDED)
        found = await launcher.get(launch.key)
        assert found is not None
        assert (found.phase, found.evidence.exit_code) == (Phase.ENDED, 65)

    async def test_of_several_runs_those_are_found_that_there_are(self, launcher: Launcher) -> None:
        ended, other, none = a_launch(REJECTS), a_launch(WORKS), a_launch(WORKS)
        for launch in (ended, other):
            await launcher.launch(launch)
        await until(launcher, ended.key, Phase.ENDED)
        await until(launcher, other.key, Phase.RUNNING)
        found = await launcher.get_many({ended.key, other.key, none.key})
        assert {key: seen.phase for key, seen in found.items()} == {
            ended.key: Phase.ENDED,
            other.key: Phase.RUNNING,
        }
        assert found[ended.key] == await launcher.get(ended.key)
        await launcher.stop(other.key, now=True)

    async def test_a_stopped_run_ends_or_is_gone(self, launcher: Launcher) -> None:
        launch = a_launch(WORKS)
        await launcher.launch(launch)
        await until(launcher, launch.key, Phase.RUNNING)
        await launcher.stop(launch.key, now=True)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := await launcher.get(launch.key)) is not None and found.phase is not Phase.ENDED:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    async def test_stopping_or_forgetting_what_is_not_there_is_fine(self, launcher: Launcher) -> None:
        launch = a_launch(WORKS)
        await launcher.stop(launch.key)
        await launcher.release(launch.key)

    async def test_an_ended_run_is_seen_until_it_is_forgotten(self, launcher: Launcher) -> None:
        launch = a_launch(EXITS_0)
        await launcher.launch(launch)
        await until(launcher, launch.key, Phase.ENDED)
        await until(launcher, launch.key, Phase.ENDED)
        await launcher.release(launch.key)
        assert all(seen.released for seen in await launcher.list_all() if seen.key == launch.key)


async def ended(launcher: ProcessLauncher, acts: str) -> ObservedRun:
    """A run that was launched and has ended."""
    launch = a_launch(acts)
    await launcher.launch(launch)
    return await until(launcher, launch.key, Phase.ENDED)
