"""What stands behind the secret of a run: the key, its locks, and the functions that only a run at work may use."""

import asyncio
import hashlib
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from app.countries import iso_countries
from dataset_jobs import migrations
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.notifications import listen
from dataset_jobs.store.runner import Loaded, RunnerStore
from tests.integration.world import World
from tests.kit.roles import as_role
from tests.kit.runners import proven, secret_of

pytestmark = pytest.mark.every_postgres


def key_of(conninfo: str) -> bytes:
    with psycopg.connect(conninfo) as owner:
        row = owner.execute("select key from affirm.installation").fetchone()
    assert row is not None
    return bytes(row[0])


def nested(key: bytes, message: str) -> bytes:
    return hashlib.sha256(key + hashlib.sha256(key + message.encode()).digest()).digest()


def as_runner(world: World) -> "psycopg.Connection[tuple[Any, ...]]":
    """A session with a runner's rights, outside of any transaction."""
    connection = psycopg.connect(as_role(world.conninfo, "affirm_runner"), autocommit=True)
    connection.execute("set search_path = affirm")
    return connection


async def claimed(world: World, year: int = 2020) -> RunKey:
    """A run that nobody has taken."""
    result = world.submit_small(year)
    async with world.store() as store:
        [run] = await store.claim("default", 1, "kubernetes", "a", timedelta(hours=1))
    assert run.key.job_id == result.job_id
    return run.key


async def test_secrets_and_locks_are_nested_hashes(world: World) -> None:
    """Of the key: a plain hash could be continued, and a lock that can be told could be held beforehand."""
    run, key = await claimed(world), key_of(world.conninfo)
    assert secret_of(world.conninfo, run) == nested(key, f"run {run.job_id} 1").hex()
    for name, what in (("load_lock", "load"), ("run_lock", "transaction")):
        lock = world.one(f"select {name}(%s, 1) as number", run.job_id)["number"]
        assert lock == int.from_bytes(nested(key, f"{what} {run.job_id} 1")[:8], "big", signed=True)


def test_no_two_installations_have_the_same_key(empty_database: str, world: World) -> None:
    migrations.apply(empty_database, iso_countries())
    keys = {key_of(empty_database), key_of(world.conninfo)}
    assert [len(key) for key in keys] == [32, 32]


async def test_locks_of_others_end_no_session(world: World) -> None:
    """Another program may have taken a lock of the same number."""
    run = await claimed(world)
    with psycopg.connect(world.conninfo) as another:
        another.execute("select pg_advisory_lock(affirm.load_lock(%s, 1)) from affirm.pools", [run.job_id])
        assert world.one("select terminate_runners(%s, 1) as ended", run.job_id)["ended"] == 0
        assert another.execute("select 1").fetchone() == (1,)


async def test_a_load_is_over_with_its_commit(world: World) -> None:
    """Rows after it would be in no report, and count for nothing that is covered."""
    run = await claimed(world)
    with RunnerStore(world.conninfo, run, proven(world.conninfo, run, "own")) as store:
        dataset = store.take().dataset_key
    secret = secret_of(world.conninfo, run)
    loaded = Loaded("test", "births", None, None, [Covered(2020, "F", 1, 5)])
    with as_runner(world) as runner, runner.transaction(force_rollback=True):
        runner.execute("select runner_begin_load(%s, 1, %s, 'own', '60s')", [run.job_id, secret])
        runner.execute("insert into names values (%s, 2020, 'F', 'Mary', 'mary', 5)", [dataset])
        runner.execute(
            "select runner_commit_load(%s, 1, %s, 'own', %s, 1, null)", [run.job_id, secret, Jsonb(loaded.as_dict())]
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="does not load"), runner.transaction():
            runner.execute("insert into names values (%s, 2020, 'F', 'Anna', 'anna', 5)", [dataset])


async def test_a_run_that_is_over_ends_no_load(world: World) -> None:
    """Its secret is right for ever."""
    run = await claimed(world)
    with RunnerStore(world.conninfo, run, proven(world.conninfo, run, "own")) as store:
        store.take()
    secrets = [secret_of(world.conninfo, RunKey(run.job_id, epoch)) for epoch in (1, 2)]
    with as_runner(world) as loading, as_runner(world) as over, loading.transaction(force_rollback=True):
        loading.execute("select runner_begin_load(%s, 1, %s, 'own', '60s')", [run.job_id, secrets[0]])
        ended = over.execute("select runner_end_earlier_loads(%s, 2, %s, 'own')", [run.job_id, secrets[1]]).fetchone()
        assert ended == (0,)
        assert loading.execute("select 1").fetchone() == (1,)


async def test_a_run_asks_for_so_many_names(world: World) -> None:
    """Each is looked for in twenty lists; more names would be a way to keep the database busy."""
    names = [f"Anna{chr(ord('a') + number // 20)}{chr(ord('a') + number % 20)}" for number in range(201)]
    world.submit(world.file("yob2019.txt", "".join(f"{name},F,{5}\n" for name in names)))
    await world.run_until_idle()
    world.query(
        "update pools set (desired, reason, decided_at, decided_by, decided_until) = row (null, null, null, null, null)"
    )
    run = await claimed(world)
    with RunnerStore(world.conninfo, run, proven(world.conninfo, run, "own")) as store:
        store.take()
        assert set(store.sexes_of(2020, names)) == {*names[:200]}


async def test_a_flood_of_notifications_wakes_now_and_then(world: World) -> None:
    """Also of somebody who knows the channel."""
    calls = 0
    arrived = asyncio.Event()

    def notified() -> None:
        nonlocal calls
        calls += 1
        arrived.set()

    listening = asyncio.create_task(listen(world.conninfo, notified))
    async with asyncio.timeout(60):
        await arrived.wait()
        arrived.clear()
        flood = "select count(pg_notify(jobs_channel(), number::text)) from generate_series(1, 5000) as number"
        world.query(flood)
        await arrived.wait()
        # Wakes once more when all is read.
        calls_before_the_end = -1
        while calls_before_the_end != calls:
            calls_before_the_end = calls
            arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), 0.5)
    listening.cancel()
    assert calls < 500
