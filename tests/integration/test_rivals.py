"""Controllers of one database that describe one pool in different ways: the last one counts, and the other says so."""

from dataclasses import replace

import pytest

from controller.pools.spec import PoolSpec
from tests.fakes.parser_pools import FakeParserPools
from tests.integration.command_line import runner
from tests.integration.parser_pools import SETTINGS, controlling
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

TEN, FIVE = replace(SETTINGS, max_parallelism=10, max_pending=7), replace(SETTINGS, max_parallelism=5, max_pending=7)


async def start(world: World, settings: PoolSpec) -> None:
    async with world.store() as store:
        await store.set_pool(settings.name, settings.max_parallelism, settings.max_pending)


async def test_the_first_of_two_settings_says_that_the_last_counts(world: World) -> None:
    """As two releases of the chart do; `status` and `doctor` show it."""
    cluster = FakeParserPools()
    async with controlling(world, cluster, settings=TEN) as first, controlling(world, cluster, settings=FIVE) as last:
        await start(world, TEN)
        await first.look()
        assert first.pools.warnings == []
        await start(world, FIVE)
        await first.look()
        await last.look()
        [warning] = first.pools.warnings
        assert warning.startswith(
            "POOL_MAX_PARALLELISM is 10 for pool default here, and 5 where a controller of the same database has"
            " started last, which counts"
        )
        assert last.pools.warnings == []
        assert world.one("select max_running from pools")["max_running"] == 5
        async with world.store() as store:
            await store.controller_seen("first/1", "kubernetes", ["default"], None, 0.0, first.pools.warnings)
        assert f"controller first/1 warns: {warning}" in " ".join(
            runner(world.environment, world.folder)("status").stdout.split()
        )
        await start(world, replace(TEN, max_parallelism=None, max_pending=None))
        await first.look()
        assert first.pools.warnings == [], "who asks for nothing is no rival"
        cluster.apply("default", maxParallelism=3)
        await start(world, FIVE)
        await first.look()
        assert first.pools.warnings == [], "a ParserPool decides"


async def test_of_parser_pools_in_two_namespaces_the_newer_counts(world: World) -> None:
    ours, theirs = FakeParserPools(), FakeParserPools()
    ours.namespace, theirs.namespace = "ours", "theirs"
    ours.apply("default", maxParallelism=3)
    for number in (1, 2):
        theirs.apply("default", maxParallelism=number)
    async with controlling(world, ours) as us, controlling(world, theirs) as them:
        await us.look()
        assert us.pools.warnings == []
        await them.look()
        await us.look()
        [warning] = us.pools.warnings
        assert warning.startswith(
            "ParserPool default of namespace ours does not count: that of namespace theirs is newer"
        )
        assert them.pools.warnings == []
        assert world.one("select max_running from pools")["max_running"] == 2
