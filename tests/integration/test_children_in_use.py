"""A process that runs file after file: which files it may, and what the next one finds of the last."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from dataset_jobs.model.errors import Rejected
from parser_runner.run import Reusable, run
from tests.integration.loads import claim_all, context_of
from tests.integration.world import DATA, World


def processes(world: World) -> list[str]:
    """Of the runs, in their order."""
    runs = world.query("select split_part(runner_uid, '/', 2) process from runs order by started_at")
    return [run["process"] for run in runs]


async def test_files_that_load_are_run_by_one_process_until_one_does_not(world: World) -> None:
    for year in range(2000, 2006):
        world.submit(world.file(f"yob{year}.txt", "Emma,F\n" if year == 2002 else f"Emma,F,{year}\n"))
    await world.run_until_idle(concurrency=1)
    first, second, third, *others = processes(world)
    assert first == second == third
    assert len(set(others)) == 1
    assert others[0] != first
    assert world.one("select count(*) n from names")["n"] == 5


async def test_each_of_two_processes_runs_one_file_at_a_time(world: World) -> None:
    for year in range(2000, 2010):
        world.submit(world.file(f"yob{year}.txt", f"Emma,F,{year}\n"))
    await world.run_until_idle(concurrency=2)
    assert len(processes(world)) == 10
    assert len(set(processes(world))) == 2


async def test_the_reader_of_a_workbook_ends_with_its_run(world: World) -> None:
    world.submit(DATA / "it/2018.xls", "IT")
    [one] = await claim_all(world)
    before = _children()
    run(context_of(world, one, None))
    assert _children() <= before


async def test_the_next_run_of_a_process_uses_connection_and_storage_of_the_last(world: World) -> None:
    for year in (2000, 2001, 2002):
        world.submit(world.file(f"yob{year}.txt", f"Emma,F,{year}\n"))
    reusable, backends, storages = Reusable(), [], set()
    for one in await claim_all(world):
        run(context_of(world, one, reusable))
        assert reusable.connection is not None
        storages.add(id(reusable.storage))
        backend = reusable.connection.info.backend_pid
        backends.append(backend)
        active = world.one("select application_name from pg_stat_activity where pid = %s", backend)
        assert active == {"application_name": f"parser-runner {one.key.job_id} {one.key.epoch}"}
        connection = reusable.connection
    assert len(set(backends)) == len(storages) == 1
    assert world.one("select count(*) n from names")["n"] == 3
    connection.close()


async def test_a_connection_that_broke_meanwhile_costs_a_new_one_and_no_attempt(world: World) -> None:
    for year in (2000, 2001):
        world.submit(world.file(f"yob{year}.txt", f"Emma,F,{year}\n"))
    reusable = Reusable()
    first, second = await claim_all(world)
    run(context_of(world, first, reusable))
    assert reusable.connection is not None
    broken = reusable.connection.info.backend_pid
    world.query("select pg_terminate_backend(%s)", broken)
    run(replace(context_of(world, second, reusable), take_waits=()))
    assert reusable.connection.info.backend_pid != broken
    reusable.connection.close()


async def test_a_run_that_fails_leaves_no_connection(world: World) -> None:
    world.submit(world.file("yob2000.txt", "Emma,F,5\n"))
    world.submit(world.file("yob2001.txt", "Emma,F\n"))
    reusable = Reusable()
    first, second = await claim_all(world)
    run(context_of(world, first, reusable))
    connection = reusable.connection
    with pytest.raises(Rejected):
        run(context_of(world, second, reusable))
    assert reusable.connection is None
    assert connection is not None
    assert connection.closed


async def test_a_pod_s_run_closes_its_connection(world: World) -> None:
    world.submit(world.file("yob2000.txt", "Emma,F,5\n"))
    [one] = await claim_all(world)
    run(context_of(world, one, None))
    async with asyncio.timeout(100):
        while world.query("select 1 from pg_stat_activity where application_name like 'parser-runner%%'"):
            await asyncio.sleep(0.01)


def _children() -> set[str]:
    threads = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {pid for thread in threads for pid in (thread / "children").read_text(encoding="ascii").split()}
