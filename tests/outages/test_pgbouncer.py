"""Everything by way of PgBouncer in transaction mode: clients, controller, runners."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cluster.packages import program
from tests.integration.command_line import log_of, running
from tests.integration.loads import DONE, LISTENING, QUIET
from tests.integration.stories import Stories
from tests.integration.world import World
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.needs("pgbouncer")


@pytest.fixture(scope="module")
def bouncer(postgres: PostgresServer) -> Iterator[PgBouncer]:
    with PgBouncer(program("pgbouncer"), postgres, server_connections=10) as bouncer:
        yield bouncer


@pytest.fixture
def world(bouncer: PgBouncer, database: str, tmp_path: Path) -> Iterator[World]:
    """An installation that knows of no other way to its database."""
    made = World(bouncer.url(database), tmp_path)
    with closing(made.client):
        yield made


class TestStories(Stories):
    """As without it."""


async def test_with_a_direct_url_a_job_is_claimed_as_soon_as_it_is_there(world: World, database: str) -> None:
    direct = World(database, world.folder)
    with running(world, WORKER_POLL_INTERVAL="1h", DATABASE_DIRECT_URL=database):
        await world.until(LISTENING)
        for year in (2020, 2021):
            await direct.until(QUIET)
            world.submit(world.file(f"yob{year}.txt", f"Mary,F,{year}\n"))
            await world.until(DONE)


async def test_without_one_the_controller_polls_and_leaves_no_listening_connection_behind(world: World) -> None:
    with running(world, WORKER_POLL_INTERVAL="200ms") as process:
        for year in (2020, 2021):
            world.submit(world.file(f"yob{year}.txt", f"Mary,F,{year}\n"))
            await world.until(DONE)
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
        log = log_of(process)
    said = [line for line in log if "DATABASE_DIRECT_URL" in str(line["msg"])]
    assert [line["level"] for line in said] == ["INFO"]
    assert not [line for line in log if line["level"] in ("WARNING", "ERROR")]
