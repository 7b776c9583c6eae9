"""Pools whose runs cannot start: blocked, probed, and open again by themselves; over a real Postgres."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.commands.status import remarks
from cli.wording.story import story
from controller.background import unreachable
from controller.context import Notice
from controller.launchers.interface import ClusterRefused, ClusterSilent, LaunchRefused
from controller.loop import Reconciler
from controller.outcomes.retry import RetryPolicy
from controller.pools.runner_pod import Memory, RunnerTemplate
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.settlement import Evidence
from dataset_jobs.store.runner import RunnerStore
from services.explain import explanation
from services.story import story as tell
from tests.fakes.launcher import Moody
from tests.integration.world import World, key_of
from tests.kit.runners import proven

pytestmark = pytest.mark.every_postgres

QUOTA = LaunchRefused("exceeded quota", Reason.QUOTA)
NO_IMAGE = Evidence(pod_name="p", seen_as="ImagePull", message="Back-off pulling image")
MIB = 2**20
LIMITED = RunnerTemplate("parser-runner:1", memory=Memory(128 * MIB, 128 * MIB, 2048 * MIB))
NO_ROOM = Evidence(
    pod_name="p",
    conditions={"PodScheduled": "Unschedulable"},
    message="0/1 nodes are available: 1 Insufficient memory.",
)


class Controller:
    """A controller with a launcher that fails on demand, and its announcements."""

    def __init__(self, world: World, reconciler: Reconciler, launcher: Moody) -> None:
        self.world = world
        self.launcher = launcher
        self.notices: list[Notice] = []
        self._reconciler = reconciler
        reconciler.context = replace(reconciler.context, announce=self._announce)

    async def _announce(self, notice: Notice) -> None:
        self.notices.append(notice)

    async def tick(self) -> None:
        await self._reconciler.tick()

    async def tick_safely(self) -> bool:
        return await self._reconciler.tick_safely()

    async def probe(self) -> None:
        """A tick at the time of the next probe, when every job that was given back is due too."""
        self.world.query("update pools set probe_at = now() where blocked_since is not null")
        self.world.query("update jobs set run_at = now() where state = 'scheduled'")
        await self.tick()

    def starts(self, key: RunKey) -> None:
        """The run's runner starts, and takes the run."""
        with RunnerStore(self.world.conninfo, key, proven(self.world.conninfo, key, f"uid-{key}")) as store:
            store.take()
        self.launcher.work(key)

    def states(self) -> list[str]:
        return [row["state"] for row in self.world.query("select state from jobs order by key")]

    def pool(self) -> dict[str, Any]:
        return self.world.one("select * from pools")

    def status(self) -> str:
        return "\n".join(remarks(self.world.client.status(), datetime.now(UTC)))


@asynccontextmanager
async def controlling(world: World, **how: Any) -> AsyncIterator[Controller]:
    launcher = Moody()
    async with world.controller(launcher, concurrency=None, **how) as reconciler:
        yield Controller(world, reconciler, launcher)


async def test_a_full_quota_blocks_the_pool(
    world: World,
) -> None:
    """The pool is probed with one run, and goes on when there is room."""
    for year in range(2001, 2009):
        world.submit_small(year)
    async with controlling(world) as controller:
        controller.launcher.launch_error = QUOTA
        await controller.tick()
        assert sorted(controller.states()) == ["queued"] * 7 + ["scheduled"], "the first refusal is enough"
        await controller.tick()
        assert world.one("select count(*) from runs")["count"] == 1, "blocked, and the probe is not due"
        assert "is blocked since" in controller.status()
        assert "cannot_start (quota): exceeded quota; one run is tried at" in controller.status()

        await controller.probe()
        assert world.one("select count(*) from runs")["count"] == 2, "one probe"
        assert (controller.pool()["probes"], controller.pool()["blocked_reason"]) == (1, "quota")

        controller.launcher.launch_error = None
        await controller.probe()
        assert world.one("select count(*) from runs where released_at is null")["count"] == 1
        await controller.tick()
        assert controller.states() == ["running"] * 8
    assert controller.pool()["blocked_since"] is None
    assert [notice.reason for notice in controller.notices] == ["PoolBlocked", "PoolUnblocked"]
    used = world.one("select sum(attempts) as attempts, sum(interruptions) as interruptions from jobs")
    assert used == {"attempts": 0, "interruptions": 0}


async def test_where_a_quota_is_full_the_end_of_a_run_makes_the_probe_due(world: World) -> None:
    first = world.submit_small(2001)
    async with controlling(world, retry=RetryPolicy(waits=(timedelta(hours=1),))) as controller:
        await controller.tick()
        world.submit_small(2002)
        controller.launcher.launch_error = QUOTA
        await controller.tick()
        assert controller.pool()["blocked_reason"] == "quota"
        world.query("update jobs set run_at = now() where state = 'scheduled'")
        controller.launcher.launch_error = None
        controller.launcher.end(key_of(world.job(first.job_id)), Evidence(exit_code=1))
        await controller.tick()
    assert controller.states() == ["scheduled", "running"]


async def test_a_missing_image_blocks_the_pool_at_once(world: World) -> None:
    first = world.submit_small(2001)
    async with controlling(world) as controller:
        await controller.tick()
        world.submit_small(2002)
        key = key_of(world.job(first.job_id))
        controller.launcher.pend(key, NO_IMAGE)
        await controller.tick()
        await controller.probe()
        assert controller.states() == ["running", "queued"], "the pod that is there is probe enough"
        run = world.one("select * from runs")
        assert (run["waits_for"], run["waits_for_error"]) == ("image", "Back-off pulling image")
        controller.starts(key)
        await controller.tick()
    assert controller.states() == ["running", "running"]
    assert controller.pool()["blocked_since"] is None
    assert [notice.warning for notice in controller.notices] == [True, False]


async def test_trouble_of_one_pod_alone_does_not_block_the_pool(world: World) -> None:
    first, second = world.submit_small(2001), world.submit_small(2002)
    async with controlling(world) as controller:
        await controller.tick()
        controller.starts(key_of(world.job(second.job_id)))
        controller.launcher.pend(key_of(world.job(first.job_id)), NO_IMAGE)
        await controller.tick()
    assert controller.pool()["blocked_since"] is None
    assert controller.notices == []


async def test_a_right_that_runners_lack_blocks_the_pool_until_one_has_done_its_work(world: World) -> None:
    first = world.submit_small(2001)
    world.submit_small(2002)
    world.query("update pools set max_running = 1")
    forbidden = Outcome(Cause.FORBIDDEN, Reason.STORAGE, "storage: access denied")
    async with controlling(world) as controller:
        await controller.tick()
        key = key_of(world.job(first.job_id))
        controller.starts(key)
        controller.launcher.end(key, Evidence(exit_code=77, message=forbidden.to_message()))
        await controller.tick()
        assert (controller.pool()["blocked_cause"], controller.pool()["blocked_reason"]) == ("forbidden", "storage")
        await controller.probe()
        [probe] = [RunKey(**row) for row in world.query("select job_id, epoch from runs where released_at is null")]
        controller.starts(probe)
        await controller.tick()
        assert controller.pool()["blocked_since"] is not None, "to have started proves nothing here"
        world.query("update runs set committed_at = now() where released_at is null")
        await controller.tick()
    assert controller.pool()["blocked_since"] is None


async def test_pods_without_room_do_not_block_the_pool(
    world: World,
) -> None:
    """Their number is bounded, and they are reported in the scheduler's words."""
    for year in range(2001, 2008):
        world.submit_small(year)
    world.query("update pools set max_pending = 3")
    async with controlling(world) as controller:
        await controller.tick()
        assert controller.states().count("running") == 3
        for key in controller.launcher.launches:
            controller.launcher.pend(key, NO_ROOM)
        await controller.tick()
        assert controller.states().count("running") == 3
        assert "3 pods wait for room in the cluster: 0/1 nodes are available: 1 Insufficient" in controller.status()
        controller.starts(controller.launcher.launches[0])
        await controller.tick()
        assert controller.states().count("running") == 4
    assert controller.pool()["blocked_since"] is None


async def test_a_run_out_of_memory_gets_twice_as_much(
    world: World,
) -> None:
    """And the larger one does not wait for room for ever."""
    result = world.submit_small()
    async with controlling(world, template=LIMITED) as controller:
        for doublings in range(3):
            await controller.tick()
            assert controller.launcher.asked[-1].memory_doublings == doublings
            key = key_of(world.job(result.job_id))
            controller.starts(key)
            controller.launcher.end(key, Evidence(seen_as="OOMKilled", exit_code=137))
            await controller.tick()
        key = key_of(world.job(result.job_id))
        controller.launcher.pend(key, NO_ROOM)
        world.query("update runs set launched_at = now() - interval '10 minutes' where released_at is null")
        await controller.tick()
        controller.launcher.lose(key)
        await controller.tick()
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["give_backs"], job["last_cause"]) == ("scheduled", 3, 1, "cannot_start")
    assert controller.pool()["blocked_since"] is None, "the room that a retry lacks is its own trouble"


WITHOUT_POD = Evidence(seen_as="Quota", message='pods "x" is forbidden: exceeded quota: few')
"""Kubernetes has taken the Job, and makes no pod for it."""


async def test_a_quota_for_pods_is_not_over_because_a_job_was_launched(world: World) -> None:
    for year in range(2001, 2006):
        world.submit_small(year)
    async with controlling(world) as controller:
        world.query("update pools set max_running = 1")
        await controller.tick()
        world.query("update pools set max_running = 10")
        first = controller.launcher.launches[0]
        controller.launcher.pend(first, WITHOUT_POD)
        await controller.tick()
        assert controller.pool()["blocked_reason"] == "quota"
        world.query("update runs set launched_at = now() - interval '10 minutes'")
        await controller.tick()
        controller.launcher.lose(first)
        await controller.tick()
        await controller.probe()
        await controller.tick()
        assert controller.states().count("running") == 1, "the probe has no pod either, as far as is known"
        assert controller.pool()["blocked_reason"] == "quota"
        controller.starts(controller.launcher.launches[-1])
        await controller.tick()
    assert controller.pool()["blocked_since"] is None


async def test_launches_without_an_answer_are_told_and_few(world: World) -> None:
    for year in range(2001, 2010):
        world.submit_small(year)
    async with controlling(world) as controller:
        controller.launcher.launch_error = ClusterSilent('500: failed calling webhook "policy.example.com"')
        for _ in range(8):
            await controller.tick()
        assert controller.states().count("running") == 4
        assert "pool default: 4 launches have no answer since" in controller.status()
        assert 'failed calling webhook "policy.example.com"' in controller.status()
        job = world.query("select id from jobs where state = 'running' order by key")[0]
        told = "\n".join(
            story(tell(explanation(*world.client.jobs.get(job["id"]), world.client.status(), datetime.now(UTC))))
        )
        assert "about to be launched: no answer yet, and the same is asked again: 500: failed calling" in told
        controller.launcher.launch_error = None
        await controller.tick()
        assert "no answer" not in controller.status()
        await controller.tick()
    assert controller.states() == ["running"] * 9
    assert len(controller.launcher.launches) == 9


async def test_a_controller_that_the_cluster_refuses_says_so_in_its_pools(world: World) -> None:
    world.submit_small()
    async with controlling(world) as controller:
        controller.launcher.seen_error = ClusterRefused('403: pods is forbidden: User "x" cannot list resource "pods"')
        assert not await controller.tick_safely()
        assert not await controller.tick_safely()
        assert "pool default is blocked since" in controller.status()
        assert 'cannot_start (refused): 403: pods is forbidden: User "x" cannot list' in controller.status()
        controller.launcher.seen_error = None
        assert await controller.tick_safely()
        assert controller.pool()["blocked_since"] is None
        assert await controller.tick_safely()
    assert controller.states() == ["running"]
    assert [notice.reason for notice in controller.notices] == ["PoolBlocked"]


async def test_a_cluster_that_is_silent_for_long_is_told_in_the_pools(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.submit_small()
    async with controlling(world) as controller:
        controller.launcher.seen_error = ClusterSilent("Kubernetes API: ClientConnectorError")
        assert not await controller.tick_safely()
        assert controller.pool()["blocked_since"] is None
        monkeypatch.setattr(unreachable, "SILENT_SECONDS", 0.0)
        assert not await controller.tick_safely()
        assert "unavailable: Kubernetes API: ClientConnectorError" in controller.status()
        controller.launcher.seen_error = None
        assert await controller.tick_safely()
        assert controller.pool()["blocked_since"] is None


async def test_a_pool_from_which_another_controller_launches_is_not_blocked(world: World) -> None:
    world.submit_small()
    async with controlling(world) as controller:
        await controller.tick()
    async with controlling(world, owner="another") as other:
        other.launcher.seen_error = ClusterRefused("403: no right")
        assert not await other.tick_safely()
        assert other.pool()["blocked_since"] is None
        world.query("update runs set launched_at = now() - interval '2 minutes'")
        assert not await other.tick_safely()
        assert "403: no right" in other.status(), "nobody has launched any for long"


async def test_more_memory_that_the_cluster_refuses_blocks_no_pool_and_is_given_up(world: World) -> None:
    result = world.submit_small()
    async with controlling(world, template=LIMITED) as controller:
        await controller.tick()
        key = key_of(world.job(result.job_id))
        controller.starts(key)
        controller.launcher.end(key, Evidence(seen_as="OOMKilled", exit_code=137))
        refused = Evidence(seen_as="Refused", message="maximum memory usage per Container is 200Mi, but limit is 256Mi")
        for give_backs in range(1, 4):
            await controller.probe()
            assert controller.launcher.asked[-1].memory_doublings == 1
            key = key_of(world.job(result.job_id))
            controller.launcher.pend(key, refused)
            world.query("update runs set launched_at = now() - interval '10 minutes' where released_at is null")
            await controller.tick()
            controller.launcher.lose(key)
            await controller.tick()
            assert world.job(result.job_id)["give_backs"] == give_backs
            assert controller.pool()["blocked_since"] is None
        await controller.probe()
    assert controller.launcher.asked[-1].memory_doublings == 0
    assert world.job(result.job_id)["attempts"] == 1
