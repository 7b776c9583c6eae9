"""The controller's pool of connections: as many as are needed, and none that is known to be broken."""

import pytest
from psycopg_pool import AsyncConnectionPool

from dataset_jobs.model.errors import Unavailable
from dataset_jobs.store import controller_connection
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

TERMINATE = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'affirm-worker controller'"


async def test_what_is_asked_one_after_the_other_takes_one_connection(world: World) -> None:
    async with controller_pool(world.conninfo, 4) as pool:
        await pool.wait()
        for _ in range(50):
            await ControllerStore(pool).schedules_due()
        assert pool.get_stats()["pool_size"] == 1


async def test_a_connection_that_has_not_been_used_for_a_while_is_asked_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller_connection, "CHECKED_SECONDS", 0.0)
    async with controller_pool(world.conninfo, 4) as pool:
        await pool.wait()
        await ControllerStore(pool).schedules_due()
        world.query(TERMINATE)
        await ControllerStore(pool).schedules_due()


async def test_one_that_worked_a_moment_ago_is_not_and_is_replaced_when_it_breaks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controller_connection, "CHECKED_SECONDS", 3600.0)
    asked = []

    async def check(connection: object) -> None:
        asked.append(connection)

    monkeypatch.setattr(AsyncConnectionPool, "check_connection", staticmethod(check))
    async with controller_pool(world.conninfo, 4) as pool:
        await pool.wait()
        store = ControllerStore(pool)
        await store.schedules_due()
        await store.schedules_due()
        assert len(asked) == 1
        world.query(TERMINATE)
        with pytest.raises(Unavailable):
            await store.schedules_due()
        await store.schedules_due()
