"""Connections that stay, and on which nothing is said any more: every waiting has a limit, and so has every lock."""

import asyncio
from datetime import timedelta

import pytest

from controller.loop import Reconciler
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.runner import RunnerStore
from parser_runner.heartbeat import Heartbeat
from services.client import Client
from tests.integration.loads import claim_one
from tests.integration.world import World
from tests.kit.runners import proven
from tests.outages.inline import InlineLauncher, until_idle
from tests.outages.invariants import check, check_finished
from tests.servers.postgres_faults import Fault, FaultProxy, Kind

ANSWER_TIMEOUT = timedelta(seconds=2)
LIMIT = 60
"""Seconds that nothing here takes; the longest is psycopg's patience with a cancel that is not answered, 10 s."""


@pytest.mark.parametrize("sql", ["-- claim.pick", "-- settle.lock\n"])
async def test_a_cut_off_controller_does_not_delay_the_others(world: World, proxy: FaultProxy, sql: str) -> None:
    """It is cut off in a transaction."""
    results = [world.submit(world.file(f"yob{year}.txt", f"Mary,F,{year}\n")) for year in (2020, 2021)]
    launcher = InlineLauncher(world.storage_config, world.conninfo)
    async with (
        world.controller(launcher, "cut off", conninfo=proxy.url(world.conninfo), patience=ANSWER_TIMEOUT) as cut_off,
        world.controller(launcher, "other") as other,
    ):
        proxy.arm(Fault(Kind.SILENT, who="affirm-worker controller", sql=sql))
        ticking = asyncio.create_task(_until_cut_off(cut_off, proxy))
        async with asyncio.timeout(LIMIT):
            while proxy.fired is None:
                await asyncio.sleep(0.01)
        # Postgres keeps the transaction open, with the lock on the pool's row, or the job's: it has not noticed.
        await until_idle(world, other, LIMIT)
        async with asyncio.timeout(LIMIT):
            await ticking
    check_finished(world)
    assert [world.job(result.job_id)["state"] for result in results] == ["completed"] * 2


async def test_a_silent_database_is_given_up(world: World, proxy: FaultProxy) -> None:
    """All goes on when it is back."""
    result = world.submit(world.file("yob2020.txt", "Mary,F,2020\n"))
    url = proxy.url(world.conninfo)
    launcher = InlineLauncher(world.storage_config, url, ANSWER_TIMEOUT)
    with Client.connect(url, ANSWER_TIMEOUT) as client:
        async with world.controller(launcher, conninfo=url, patience=ANSWER_TIMEOUT) as reconciler:
            assert client.status() is not None
            proxy.stall()
            async with asyncio.timeout(LIMIT):
                went_through, asked = await asyncio.gather(
                    reconciler.tick_safely(), asyncio.to_thread(client.status), return_exceptions=True
                )
            assert went_through is False
            assert isinstance(asked, Unavailable)
            check(world)
            proxy.flow()
            await until_idle(world, reconciler, LIMIT)
        assert client.status() is not None
    check_finished(world)
    assert world.job(result.job_id)["state"] == "completed"


async def test_an_unanswered_heartbeat_is_given_up(world: World, proxy: FaultProxy) -> None:
    """The next one renews the lease."""
    world.submit(world.file("yob2020.txt", "Mary,F,2020\n"))
    run = await claim_one(world, "a")
    key = RunKey(run.job_id, run.epoch)
    with RunnerStore(world.conninfo, key, proven(world.conninfo, key, "one")) as store:
        store.take()
    world.query("update runs set lease_until = now()")
    proxy.arm(Fault(Kind.SILENT, sql="-- runner.heartbeat"))
    with Heartbeat(
        lambda: RunnerStore(proxy.url(world.conninfo), key, proven(world.conninfo, key, "one"), ANSWER_TIMEOUT)
    ) as heartbeat:
        heartbeat.bytes_done = 5
        async with asyncio.timeout(LIMIT):
            while len(proxy.statements) < 2:
                await asyncio.sleep(0.05)
            while not world.query("select 1 from runs where lease_until > now() + interval '50 s' and bytes_done = 5"):
                await asyncio.sleep(0.05)


async def _until_cut_off(controller: Reconciler, proxy: FaultProxy) -> None:
    while await controller.tick_safely():
        pass
    assert proxy.fired is not None
