"""Jobs that are suspended, as Kueue does: before they start they wait, and while they run they are interrupted."""

import pytest

from controller.launchers.kubernetes.launcher import SUSPENDED_JOB
from tests.fakes.launcher import FakeLauncher
from tests.integration.loads import launched, take
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

LONG_AGO = "update runs set claimed_at = now() - interval '1 hour', launched_at = now() - interval '1 hour'"


async def test_a_suspended_job_waits_and_blocks_no_pool(world: World) -> None:
    result = world.submit_small()
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        launcher.pend(key, SUSPENDED_JOB)
        world.query(LONG_AGO)
        await reconciler.tick()
        assert launcher.stops == []
    run = world.one("select * from runs")
    assert (run["released_at"], run["ended_at"], run["waits_for"]) == (None, None, "unschedulable")
    assert world.one("select blocked_since from pools where name = 'default'")["blocked_since"] is None


async def test_one_that_is_suspended_while_it_runs_is_an_interruption_and_is_removed(world: World) -> None:
    result = world.submit_small()
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        key = await launched(world, reconciler, result)
        take(world, key)
        launcher.pend(key, SUSPENDED_JOB)
        await reconciler.tick()
    assert launcher.stops == [key]
    [run] = world.query("select * from runs where epoch = %s", key.epoch)
    assert (run["cause"], run["released_at"] is None) == ("preempted", False)
    job = world.job(result.job_id)
    assert (job["attempts"], job["interruptions"]) == (0, 1)
