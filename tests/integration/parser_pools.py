"""A controller whose pools are ParserPools, without its loop."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from controller.pools.first_pool import FirstPool
from controller.pools.parser_pools import ParserPools
from controller.pools.runner_pod import RunnerTemplate
from controller.pools.spec import PoolSpec
from dataset_jobs.store.controller_connection import controller_pool
from dataset_jobs.store.pools import PoolStore
from tests.fakes.parser_pools import FakeParserPools
from tests.integration.world import World

SETTINGS = PoolSpec("default", max_parallelism=64, template=RunnerTemplate("runner:1"), retention=timedelta(days=30))
LABELS = {"app.kubernetes.io/instance": "release", "team": "names"}
"""Of runners."""


class Controller:
    """The pools of one controller, and its notices about them."""

    def __init__(self, cluster: FakeParserPools, pools: ParserPools, told: list[str]) -> None:
        self.cluster = cluster
        self.pools = pools
        self.told = told

    async def look(self) -> Mapping[str, PoolSpec]:
        """As after an event."""
        self.pools._next_list = 0.0
        await self.pools.refresh()
        return self.pools.served

    async def status(self, name: str) -> dict[str, Any]:
        """The status of a pool, after a report."""
        self.pools._next_report = 0.0
        await self.pools.report({name})
        status: dict[str, Any] = self.cluster.pools[name]["status"]
        return status


@asynccontextmanager
async def controlling(
    world: World,
    cluster: FakeParserPools,
    name: str = "affirm-worker",
    makes_pool: bool = False,
    settings: PoolSpec = SETTINGS,
) -> AsyncIterator[Controller]:
    told: list[str] = []

    async def tell(reason: str, message: str, about: Mapping[str, str]) -> None:
        told.append(f"{about['name']}: {reason}: {message}")

    async with controller_pool(world.conninfo, 2) as connections:
        store = PoolStore(connections)
        first = FirstPool(cluster.api, store, name, settings.name, LABELS) if makes_pool else None
        pools = ParserPools(cluster.api, store, name, UUID(int=3), settings, tell, first=first)
        yield Controller(cluster, pools, told)
