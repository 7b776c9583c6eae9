"""Acts do, and say, the same whichever way they are asked for: each on an installation of its own, as it was before."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.api.client import running
from tests.integration.command_line import Run, answer
from tests.integration.world import NO_RETRIES, World
from tests.remote.conftest import BothWays, both_ways, without_ids, without_where
from tests.servers.postgres import PostgresServer

ACTS: dict[str, str] = {
    "cancel": "jobs cancel {waiting}",
    "cancel twice": "jobs cancel {waiting}; jobs cancel {waiting}",
    "cancel what is done": "jobs cancel {loaded}; jobs cancel {failed}",
    "set": "jobs set {waiting} --priority 7; jobs set {waiting} --run-at 2h; jobs set {waiting} --run-at 0s --json",
    "set what is done": "jobs set {loaded} --priority 7",
    "retry": "jobs retry {failed} --dry-run; jobs retry {failed} --priority 5; jobs retry {failed}",
    "retry several": "jobs retry {failed} {loaded} {waiting}; jobs retry {loaded} --json",
    "retry all": "jobs retry --failed --dry-run; jobs retry --failed --yes; jobs retry --failed --yes",
    "purge": "jobs purge --older-than 0s --dry-run; jobs purge --older-than 0s --state failed --yes; "
    "jobs purge --older-than 0s --yes --json; jobs purge --older-than 90d --yes",
    "reprocess": "reprocess {dataset}; reprocess {dataset}; reprocess {waiting}",
    "reprocess later": "reprocess {dataset} --priority 3 --run-at 5h --json",
    "delete": "datasets delete {dataset} --yes; datasets show {dataset}; datasets delete {dataset} --yes",
    "delete failed": "datasets delete --status failed --yes --json; datasets delete --status failed --yes",
    "pause": "pools pause default --reason night; pools show default; pools resume default; pools pause nowhere",
    "probe": "pools probe default; pools probe default --json; pools probe nowhere",
    "maxima": "pools set default --max 5 --dry-run; pools set default --max 0 --max-pending 3; "
    "pools set default --max 3 --json; pools set nowhere --max 3",
    "schedules": "schedules add in --cron 0_3_*_*_* --location in/us -c US --no-check; schedules list; "
    "schedules add in --cron 0_3_*_*_* --location in/us -c US --no-check; "
    "schedules add b --cron nonsense --location in/us -c US --no-check; schedules pause in; schedules show in; "
    "schedules resume in; schedules remove in; schedules remove in",
    "keys": "keys make one --role viewer --expires-in 9d; keys make one --role viewer; keys revoke 00000000",
}


ANY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DECIDED = re.compile(r'"(?:desired|limited_by|reason)": .*\n')
"""What the controller of each installation decided last: that depends on the moment."""


@pytest.fixture
def make_world(postgres: PostgresServer, template: str, tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Makes installations, each with a database and a folder of its own."""
    with ExitStack() as opened:

        def make() -> World:
            number = len(list(tmp_path.iterdir()))
            name, folder = f"acts_{number}", tmp_path / str(number)
            folder.mkdir()
            made = World(postgres.create_database(name, template), folder)
            opened.callback(postgres.drop_database, name)
            opened.callback(made.client.close)
            return made

        yield make


def ids_of(world: World) -> dict[str, str]:
    loaded = world.submit_small(2020, "Mary,F,10\nAnna,F,9\n")
    failed = world.submit_small(2021, "Mary,F\n")
    asyncio.run(world.run_until_idle(retry=NO_RETRIES))
    waiting = world.submit_small(2022)
    return {
        "loaded": str(loaded.job_id), "failed": str(failed.job_id), "waiting": str(waiting.job_id),
        "dataset": str(loaded.dataset_id),
    }  # fmt: skip


def said_by(run: Run, script: str, ids: dict[str, str], both: BothWays) -> list[str]:
    """What the commands of a script say, without what differs between two installations."""
    said = []
    for line in script.split("; "):
        words = [word.format(**ids).replace("_", " ") for word in line.split()]
        done = run(*words, code=None)
        text = without_where(f"{done.stdout}\n{done.stderr}", both.world.folder)
        said.append(f"{line}: {done.returncode}\n{without_ids(text, ids)}")
    return said


@pytest.mark.parametrize("act", ACTS)
def test_an_act_says_the_same_both_ways(act: str, make_world: Callable[[], World]) -> None:
    said, left = [], []
    for way in ("direct", "remote"):
        world = make_world()
        ids = ids_of(world)
        with running(world) as api:
            both = both_ways(world, api)
            said.append([DECIDED.sub("", one) for one in said_by(getattr(both, way), ACTS[act], ids, both)])
            jobs = answer(both.direct("jobs", "list", "--json"))
            left.append([(one["filename"], one["state"], one["priority"]) for one in jobs])
    assert said[0] == said[1]
    assert left[0] == left[1]


@pytest.mark.parametrize("act", ["pause default", "set default --max 3"])
def test_a_described_pool_is_refused_alike(act: str, both: BothWays) -> None:
    both.world.query("update pools set described = 7, described_in = 'names'")
    direct, remote = (run("pools", *act.split(), code=65).stderr for run in (both.direct, both.remote))
    assert direct == remote
    assert remote.count("kubectl patch parserpool default") == 1


def test_a_run_of_a_schedule_names_its_files_both_ways(both: BothWays) -> None:
    folder = both.world.folder / "storage" / "in"
    folder.mkdir()
    both.direct("schedules", "add", "us", "--cron", "0 3 * * *", "--location", "in", "-c", "US")
    said = []
    for number, way in enumerate((both.direct, both.remote)):
        texts: list[str] = []
        for how in ((), ("--json",), ()):
            for year in (2020, 2021):
                (folder / f"yob{year}.txt").write_text(f"Mary,F,{len(texts) + 10 * number + year}\n")
            done = way("schedules", "run", "us", *how, code=None)
            text = without_where(f"{done.returncode} {done.stdout} {done.stderr}", both.world.folder)
            texts.append(ANY_ID.sub("ID", text))
            refused = folder / "a\nb.txt"
            refused.write_text("Mary,F,5\n")
        refused.unlink()
        said.append(texts)
    assert said[0] == said[1]
    assert said[0][0].count(".txt") == 2 and "b.txt" in said[0][2]
