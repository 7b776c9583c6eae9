"""The ParserPool that a controller makes of its settings' pool: once, and never over somebody's decision."""

import pytest

from controller.launchers.interface import ClusterSilent
from controller.launchers.kubernetes.api import ApiRefused
from tests.fakes.parser_pools import FakeParserPools
from tests.integration.parser_pools import SETTINGS, Controller, controlling
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres


async def started(world: World, controller: Controller) -> None:
    """As a controller starts: it sets its pool, and then looks."""
    async with world.store() as store:
        await store.set_pool("default", 10, 100)
    await controller.look()


async def test_it_is_made_once_and_never_after_a_deletion(world: World) -> None:
    cluster = FakeParserPools()
    async with controlling(world, cluster, makes_pool=True) as controller:
        await started(world, controller)
        assert cluster.pools["default"]["spec"] == {
            "controller": "affirm-worker", "maxParallelism": 10, "maxPendingPods": 100,
        }  # fmt: skip
        assert cluster.pools["default"]["metadata"]["labels"] == {"app.kubernetes.io/instance": "release"}
        assert controller.pools.reference("default"), "it counts at once"
        cluster.apply("default", maxParallelism=3)
        await controller.look()
        cluster.delete("default")
        await controller.look()
    async with controlling(world, cluster, makes_pool=True) as restarted:
        await started(world, restarted)
    assert cluster.pools == {}


async def test_two_controllers_make_one(world: World) -> None:
    """And one that died before it had noticed made it all the same."""
    cluster = FakeParserPools()
    async with (
        controlling(world, cluster, makes_pool=True) as first,
        controlling(world, cluster, makes_pool=True) as second,
    ):
        nothing_yet = await cluster.list_parser_pools()
        await started(world, first)
        assert first.pools._first and second.pools._first
        assert not await second.pools._first.make([*cluster.pools.values()])
        world.query("update pools set described = 0")
        second.pools._first._is_settled = False
        assert await second.pools._first.make(nothing_yet), "somebody has been faster: look again"
    assert [*cluster.pools] == ["default"]


async def test_what_was_set_by_command_goes_on(world: World) -> None:
    cluster = FakeParserPools()
    async with controlling(world, cluster) as controller:
        await started(world, controller)
        assert cluster.pools == {}, "nobody has asked for it"
    world.query("update pools set max_running = 4, max_pending = null, paused = true")
    async with controlling(world, cluster, makes_pool=True) as controller:
        await started(world, controller)
    assert cluster.pools["default"]["spec"] == {"controller": "affirm-worker", "maxParallelism": 4, "paused": True}
    assert world.one("select max_running, paused from pools") == {"max_running": 4, "paused": True}


async def test_it_is_made_when_the_definition_is_known(world: World) -> None:
    """The API server takes a moment to serve what an installation has just brought."""
    cluster = FakeParserPools(there=False)
    async with controlling(world, cluster, makes_pool=True) as controller:
        await started(world, controller)
        assert controller.pools.served == {"default": SETTINGS}
        cluster.there = True
        await controller.look()
        assert [*cluster.pools] == ["default"]


@pytest.mark.parametrize(
    ("error", "tries_again"),
    [(ApiRefused(403, "no right"), False), (ApiRefused(422, "a policy"), False), (ClusterSilent("a webhook"), True)],
)
async def test_without_it_the_settings_go_on(world: World, error: Exception, tries_again: bool) -> None:
    cluster = FakeParserPools()
    assert isinstance(error, ApiRefused | ClusterSilent)
    cluster.refuses_new = error
    async with controlling(world, cluster, makes_pool=True) as controller:
        await started(world, controller)
        assert controller.pools.served == {"default": SETTINGS}
        cluster.refuses_new = None
        await controller.look()
        assert bool(cluster.pools) is tries_again
