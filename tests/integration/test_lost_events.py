"""What a watch has not told of: a run is settled by what the API server says all the same."""

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest

from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.launchers.kubernetes.objects import job_of, pod_of
from controller.outcomes.retry import RetryPolicy
from controller.pools.runner_pod import RunnerTemplate
from tests.fakes.cluster import FakeCluster, FakePod
from tests.integration.world import World

RELEASED = "select released_at is not null as released from runs where epoch = 1"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(partial(datetime.now, UTC))


def launcher_on(cluster: FakeCluster) -> KubernetesLauncher:
    return KubernetesLauncher(cluster.api, UUID(int=1), RunnerTemplate("image"))


def runs(cluster: FakeCluster) -> FakePod:
    [pod] = cluster.pods.values()
    cluster.schedule(pod, "node-1")
    cluster.start(pod)
    return pod


async def test_a_pod_that_the_watch_missed_holds_its_slot(world: World, cluster: FakeCluster) -> None:
    world.submit(world.file("yob2001.txt", "Ada,F,7\n"))
    launcher = launcher_on(cluster)
    async with world.controller(launcher=launcher, concurrency=None) as reconciler:
        await reconciler.tick()
        first = runs(cluster)
        await reconciler.tick()
        second = cluster.twin(first.job)
        assert second is not None
        cluster.end(first, 137)
        launcher.on_event(pod_of(first.shown()), deleted=False)
        await reconciler.tick(resync=False)
        assert world.one(RELEASED) == {"released": False}, "the second pod lives"
        cluster.end(second, 137)
        launcher.on_event(pod_of(second.shown()), deleted=False)
        await reconciler.tick(resync=False)
        assert world.one(RELEASED) == {"released": True}


async def test_how_a_pod_ended_is_asked_for_where_only_its_job_was_told_of(world: World, cluster: FakeCluster) -> None:
    world.submit(world.file("yob2002.txt", "Ada,F,7\n"))
    launcher = launcher_on(cluster)
    async with world.controller(launcher=launcher, concurrency=None) as reconciler:
        await reconciler.tick()
        pod = runs(cluster)
        cluster.end(pod, 137, container_reason="OOMKilled")
        launcher.on_event(job_of(pod.job.shown()), deleted=False)
        await reconciler.tick(resync=False)
        assert world.one("select cause from runs where epoch = 1") == {"cause": "out_of_memory"}


async def test_the_job_of_a_run_settled_elsewhere_is_kept(world: World, cluster: FakeCluster) -> None:
    """Another controller has settled it; people can still look at the Job."""
    world.submit(world.file("yob2003.txt", "Ada,F,7\n"))
    one, other = launcher_on(cluster), launcher_on(cluster)
    async with (
        world.controller(launcher=one, concurrency=None, owner="one", retry=RetryPolicy(max_retries=0)) as first,
        world.controller(launcher=other, concurrency=None, owner="other") as second,
    ):
        await first.tick()
        pod = runs(cluster)
        await second.tick()
        cluster.end(pod, 137)
        await first.tick()
        assert world.one(RELEASED) == {"released": True}
        other.on_event(job_of(pod.job.shown() | {"status": {}, "spec": {}}), deleted=False)
        await second.tick(resync=False)
        assert pod.job.name in cluster.jobs
