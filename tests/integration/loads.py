"""Runs that a test claims by hand, loads that it holds up, and the queries that it waits for."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from controller.launchers.interface import Launch
from controller.loop import Reconciler
from dataset_jobs.model.keys import RUN_SECRET, RunKey
from dataset_jobs.model.settlement import Evidence
from dataset_jobs.store.controller_views import ClaimedRun
from dataset_jobs.store.runner import RunnerStore
from parser_runner.run import Reusable, RunnerContext
from tests.fakes.launcher import FakeLauncher
from tests.integration.world import NATIONAL, SubmittedFile, World, key_of
from tests.kit.runners import proven, secret_of

YEAR_2023 = NATIONAL / "yob2023.txt"
ROWS_2023 = YEAR_2023.read_bytes().count(b"\n")

COPY_WAITS = "select 1 from pg_stat_activity where query like '%load.copy_rows%' and wait_event_type = 'Lock'"
COPY_STANDS_STILL = "select 1 from pg_stat_activity where query like '%load.copy_rows%' and wait_event = 'ClientRead'"
AT_THE_END = "select 1 from pg_stat_activity where query like '%load.commit%' and wait_event = 'advisory'"
COPY_OVER = "select 1 where not exists (select from pg_stat_progress_copy)"
RUNNERS_GONE = "select 1 where not exists (select from pg_stat_activity where application_name like 'parser-runner%')"
DONE = "select 1 where not exists (select from jobs where finished_at is null)"
LISTENING = "select 1 from pg_stat_activity where application_name = 'affirm-worker listen'"
QUIET = """select 1 where not exists (select from pg_stat_activity where application_name = 'affirm-worker controller'
    and datname = current_database() and state_change > clock_timestamp() - interval '1 second')"""
"""Queries for `World.until`: each has a row as soon as it is so."""

LEASE_OVER = "update runs set lease_until = now() - interval '1 second' where released_at is null"


@contextmanager
def copy_held_up(world: World, dataset_id: Any, name: str) -> Iterator[None]:
    """Holds up the COPY of a dataset at one of its rows: another transaction has just inserted it."""
    with psycopg.connect(world.conninfo) as blocker:
        key = world.dataset(dataset_id)["key"]
        row = (key, 2023, "F", name, name.lower(), 1)
        blocker.execute(
            "insert into names (dataset_key, year, gender, name, folded_name, count) values (%s, %s, %s, %s, %s, %s)",
            row,
        )
        yield
        blocker.rollback()


@contextmanager
def commit_held_up(world: World, submitted: SubmittedFile) -> Iterator[None]:
    """Holds up a load after it has written its coverage, and before it commits."""
    world.query(
        "create function hold_up() returns trigger language plpgsql as"
        " $$ begin perform pg_advisory_xact_lock(99); return null; end $$"
    )
    world.query(
        "create trigger held_up after update of committed_at on runs for each row"
        f" when (new.job_id = '{submitted.job_id}' and new.committed_at is not null) execute function hold_up()"
    )
    with psycopg.connect(world.conninfo) as blocker:
        blocker.execute("select pg_advisory_xact_lock(99)")
        yield


async def claim_one(world: World, owner: str) -> ClaimedRun:
    """Claims one job as a controller would."""
    async with world.store() as store:
        [run] = await store.claim("default", 1, "process", owner, timedelta(seconds=60))
    return run


def proven_environment(world: World, key: RunKey) -> dict[str, str]:
    """The environment of a runner that is started by hand for a run."""
    return {**os.environ, **world.environment, RUN_SECRET: secret_of(world.conninfo, key)}


def launch_of(run: ClaimedRun) -> Launch:
    """The launch of a run that was claimed."""
    return Launch(run.key, run.dataset_id, run.type, 1, secret=run.secret)


def pid_of(name: str) -> int:
    """The process of a run, by the name that the launcher gave it."""
    return int(name.removeprefix("pid-"))


async def claim_all(world: World) -> list[ClaimedRun]:
    """Claims up to ten jobs as a controller would."""
    async with world.store() as store:
        return await store.claim("default", 10, "process", "test", timedelta(minutes=1))


def context_of(world: World, run: ClaimedRun, reusable: Reusable | None) -> RunnerContext:
    """A runner of a claimed run in this process."""
    return RunnerContext(
        run.key,
        proven(world.conninfo, run.key, "uid", "pod", "node"),
        world.conninfo,
        world.storage_config,
        reusable=reusable,
    )


async def launched(world: World, reconciler: Reconciler, result: SubmittedFile) -> RunKey:
    """The run of a job that is claimed and launched, in a pool that has room for no other."""
    world.query("update pools set max_running = 1")
    await reconciler.tick()
    return key_of(world.job(result.job_id))


def take(world: World, key: RunKey, uid: str = "pod-1") -> None:
    """A runner takes the run, and goes on somewhere."""
    with RunnerStore(world.conninfo, key, proven(world.conninfo, key, uid)) as store:
        store.take()


async def settled(world: World, reconciler: Reconciler) -> None:
    """Ticks, without claiming anything, until no run holds a slot."""
    reconciler.stop_claiming()
    async with asyncio.timeout(100):
        while world.query("select 1 from runs where released_at is null"):
            await reconciler.tick()
            await asyncio.sleep(0.02)


async def fail(world: World, reconciler: Reconciler, job_id: UUID) -> None:
    """Its run exits with code 1, and it has no retries."""
    await reconciler.tick()
    launcher = reconciler.context.launcher
    assert isinstance(launcher, FakeLauncher)
    launcher.end(key_of(world.job(job_id)), Evidence(exit_code=1))
    await reconciler.tick()
    assert world.job(job_id)["state"] == "failed"
