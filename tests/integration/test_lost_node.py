"""A node that is not heard of any more: its runs are given up when their leases are over, and only then."""

import subprocess
import sys

import pytest

from controller.launchers.interface import ObservedRun, Phase
from dataset_jobs.store.runner import RunnerStore
from tests.fakes.launcher import FakeLauncher
from tests.integration.loads import launched, proven_environment, take
from tests.integration.world import World
from tests.kit.runners import proven

pytestmark = pytest.mark.every_postgres

LEASE_OVER = "update runs set lease_until = now() - interval '1 second' where released_at is null"


@pytest.mark.parametrize("taken", [True, False], ids=["taken by a runner", "not taken yet"])
@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.PENDING])
async def test_a_lost_nodes_run_is_requeued_after_its_lease(world: World, taken: bool, phase: Phase) -> None:
    """Although its pod is listed."""
    result = world.submit_small()
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        if taken:
            take(world, key)
        launcher.lose_node(key, phase)
        await reconciler.tick()
        assert world.job(result.job_id)["state"] == "running", "it may work on: its lease has not expired"
        assert launcher.stops == []
        world.query(LEASE_OVER)
        await reconciler.tick()
        await reconciler.tick()
        assert launcher.stops == [key], "a pod that is to go already is not asked again"
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["interruptions"], job["lease_epoch"]) == ("running", 0, 1, 2)
    run = world.one("select * from runs where epoch = 1")
    assert (run["cause"], run["node"], run["released_at"] is None) == ("node_lost", "node-7", False)
    assert "node-7" in run["error"]
    assert run["evidence"]["node_lost"] is True


async def test_its_runner_that_comes_back_has_lost_the_lease(world: World) -> None:
    result = world.submit_small()
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        with RunnerStore(world.conninfo, key, proven(world.conninfo, key, "pod-1")) as store:
            store.take()
            assert store.heartbeat(0, 0)
            launcher.lose_node(key, runner_uid="pod-1")
            world.query(LEASE_OVER)
            await reconciler.tick()
            assert not store.heartbeat(0, 0)


async def test_a_run_that_committed_before_its_node_was_lost_is_completed(world: World) -> None:
    result = world.submit_small()
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        command = [sys.executable, "-m", "parser_runner", "--job-id", str(key.job_id), "--epoch", str(key.epoch)]
        subprocess.run(command, env=proven_environment(world, key), check=True, timeout=120)
        launcher.lose_node(key)
        world.query(LEASE_OVER)
        await reconciler.tick()
    run = world.one("select * from runs")
    assert (run["cause"], run["released_at"] is None) == ("completed", False)
    job = world.job(result.job_id)
    assert (job["state"], job["interruptions"], world.rows(result.dataset_id)) == ("completed", 0, 1)


@pytest.mark.parametrize("listed", [True, False], ids=["Job and pod", "only the pod"])
async def test_a_cancelled_run_on_a_lost_node_does_not_hold_its_slot_for_ever(world: World, listed: bool) -> None:
    class OnlyByName(FakeLauncher):
        async def list_all(self) -> list[ObservedRun]:
            return await super().list_all() if listed else []

    result = world.submit_small()
    launcher = OnlyByName()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        take(world, key)
        launcher.lose_node(key, runner_uid="pod-1")
        world.client.jobs.cancel(result.job_id)
        await reconciler.tick()
        assert world.one("select released_at from runs")["released_at"] is None
        world.query(LEASE_OVER)
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["state"], job["interruptions"]) == ("cancelled", 0)
    run = world.one("select * from runs")
    assert (run["cause"], run["released_at"] is None) == ("cancelled", False)
