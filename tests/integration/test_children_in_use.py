"""A process that runs file after file: which files it may, and what is left of one when the next one comes."""

import os
from datetime import timedelta
from pathlib import Path

from dataset_jobs.store.for_runner import Runner
from parser_runner.run import Job, run
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
    async with world.store() as store:
        [claimed] = await store.claim("default", 1, "process", "test", timedelta(minutes=1))
    before = _children()
    run(Job(claimed.key, Runner("uid", "pod", "node"), world.conninfo, world.storage_config))
    assert _children() <= before


def _children() -> set[str]:
    threads = Path(f"/proc/{os.getpid()}/task").iterdir()
    return {pid for thread in threads for pid in (thread / "children").read_text(encoding="ascii").split()}
