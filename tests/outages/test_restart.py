"""Postgres crashes and comes back, in the middle of everything."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.countries import iso_countries
from dataset_jobs import migrations
from tests.integration.command_line import running
from tests.integration.loads import DONE, LISTENING, QUIET
from tests.integration.world import World
from tests.outages.inline import InlineLauncher, until_idle
from tests.outages.invariants import check_finished
from tests.servers.postgres import DURABLE, PostgresServer
from tests.servers.postgres_faults import COPY_DATA, Fault, FaultProxy, Kind


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that may be crashed."""
    with PostgresServer(settings=DURABLE) as server:
        migrations.apply(server.create_database("migrated"), iso_countries())
        yield server


@pytest.fixture
def world(server: PostgresServer, tmp_path: Path) -> Iterator[World]:
    made = World(server.create_database("test", "migrated"), tmp_path)
    with closing(made.client):
        yield made
    server.drop_database("test")


@pytest.mark.parametrize(
    ("who", "sql", "interruptions"),
    [
        ("affirm-worker controller", "-- claim.pick", 0),
        ("affirm-worker controller", "-- runs.record_launches", 0),
        ("parser-runner", "-- runner.take", 0),
        ("parser-runner", COPY_DATA, 1),
        ("parser-runner", "COMMIT", 1),
        ("affirm-worker controller", "-- settle.run", 0),
    ],
)
async def test_a_restart_of_postgres_costs_no_attempt(
    server: PostgresServer, world: World, who: str, sql: str, interruptions: int
) -> None:
    """A load that it breaks off is an interruption: its job is queued again at once."""

    def crash() -> None:
        server.stop("immediate")
        server.start()

    result = world.submit(world.file("yob2020.txt", "Mary,F,2020\n"))
    with FaultProxy(server.port) as proxy:
        url = proxy.url(world.conninfo)
        proxy.arm(Fault(Kind.CUT_BEFORE, who=who, sql=sql, meanwhile=crash))
        async with world.controller(InlineLauncher(world.storage_config, url), conninfo=url) as reconciler:
            await until_idle(world, reconciler)
        assert proxy.fired is not None
    check_finished(world)
    job = world.job(result.job_id)
    assert job["state"] == "completed"
    assert job["attempts"] == 0
    assert job["interruptions"] <= interruptions
    assert world.rows(result.dataset_id) == 1


async def test_after_a_crash_of_postgres_the_controller_listens_again(server: PostgresServer, world: World) -> None:
    with running(world, WORKER_POLL_INTERVAL="1h"):
        await world.until(LISTENING)
        await world.until(QUIET)
        server.stop("immediate")
        server.start()
        await world.until(LISTENING)
        await world.until(QUIET)
        result = world.submit(world.file("yob2020.txt", "Mary,F,2020\n"))
        await world.until(DONE)
    assert world.rows(result.dataset_id) == 1
