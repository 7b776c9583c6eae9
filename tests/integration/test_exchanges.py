"""How often a run waits for an answer of the database: what a database far away costs."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from parser_runner.run import RunnerContext, run
from tests.cluster.packages import program
from tests.integration.loads import claim_one
from tests.integration.world import World
from tests.kit.runners import proven
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import COPY_DATA, COPY_DONE, FaultProxy

pytestmark = pytest.mark.every_postgres

A_RUN = ["session.at_connect", "runner.take", "load.begin", "load.copy_rows", COPY_DONE, "load.commit"]
"""Every exchange of a run that is over before its first heartbeat."""


async def exchanges(world: World, proxy: FaultProxy, conninfo: str) -> list[str]:
    """The exchanges of one run, by their statements' names."""
    world.submit_small()
    claimed = await claim_one(world, "test")
    proxy.arm(None)
    run(RunnerContext(claimed.key, proven(world.conninfo, claimed.key, "uid"), conninfo, world.storage_config))
    texts = [one.sql for one in proxy.statements if one.who.startswith("parser-runner") and one.sql != COPY_DATA]
    names = [[line.removeprefix("-- ") for line in text.splitlines() if line.startswith("-- ")] for text in texts]
    return [found[-1] if found else text for found, text in zip(names, texts, strict=True)]


async def test_a_run_costs_six_exchanges_with_the_database(world: World) -> None:
    port = int(str(conninfo_to_dict(world.conninfo)["port"]))
    with FaultProxy(port) as proxy:
        assert await exchanges(world, proxy, proxy.url(world.conninfo)) == A_RUN


@pytest.mark.needs("pgbouncer")
async def test_a_run_costs_as_many_behind_a_pooler(world: World, postgres: PostgresServer) -> None:
    with PgBouncer(program("pgbouncer"), postgres) as bouncer, FaultProxy(bouncer.port) as proxy:
        pooled = bouncer.url(world.conninfo)
        assert await exchanges(world, proxy, proxy.url(pooled)) == A_RUN
