"""How often a run waits for an answer of the database: what a database far away costs."""

import signal
import threading
import time
from types import FrameType

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from dataset_jobs.store.runner import Loaded, RunnerStore
from parser_runner.run import RunnerContext, run
from tests.cluster.packages import program
from tests.integration.loads import claim_one
from tests.integration.world import World
from tests.kit.runners import proven
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import COPY_DATA, COPY_DONE, FaultProxy

pytestmark = [pytest.mark.every_postgres, pytest.mark.usefixtures("no_heartbeat")]

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


class Stopped(BaseException):
    """As what a runner raises when it is told to stop."""


def stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


async def test_a_runner_that_is_told_to_stop_amid_an_exchange_stops(world: World) -> None:
    """Another error in its place would use an attempt: the run was ended, and has not failed."""
    world.submit_small()
    claimed = await claim_one(world, "test")
    waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%runner_begin_load%'"

    def tell() -> None:
        while not world.query(waiting):
            time.sleep(0.01)
        signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with (
            RunnerStore(world.conninfo, claimed.key, proven(world.conninfo, claimed.key, "uid")) as store,
            psycopg.connect(world.conninfo) as owner,
        ):
            assignment = store.take()
            owner.execute("lock table affirm.runs in access exclusive mode")
            telling = threading.Thread(target=tell)
            telling.start()
            with pytest.raises(Stopped):
                store.load(assignment, [], Loaded("test", "births", None, None, []), 1)
            telling.join()
            # The owner still has its lock: a statement that was only left behind would wait for it for 30 s.
            await world.until(f"select 1 where not exists ({waiting})", seconds=100)
    finally:
        signal.signal(signal.SIGTERM, before)
