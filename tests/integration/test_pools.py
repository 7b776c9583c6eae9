"""Pools as people look at them and change them, beside controllers that claim; over a real Postgres."""

import asyncio
import shlex
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import typer

from cli.main import app
from cli.options import complete
from cli.wording.hints import error_in_words, with_commands
from controller.background.waiting import waits
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from services.client import Client
from services.pools import Pools
from tests.fakes.parser_pools import FakeParserPools
from tests.integration.command_line import Run, answer, runner
from tests.integration.loads import claim_one
from tests.integration.parser_pools import controlling
from tests.integration.world import World

pytestmark = pytest.mark.every_postgres

BLOCK = """update pools set blocked_since = now(), blocked_cause = 'cannot_start', blocked_reason = 'image',
    blocked_error = 'no image', probes = 3, probe_at = now() + interval '1 minute'"""


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    settings = {"DATABASE_URL": world.conninfo, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}
    return runner({**settings, **world.storage_config.to_env()}, tmp_path)


@pytest.fixture
def pools(world: World) -> Pools:
    return world.client.pools


@pytest.fixture
def other(world: World) -> Iterator[Client]:
    """A client with a connection of its own."""
    with Client.connect(world.conninfo) as client:
        yield client


async def claimed(world: World, limit: int = 1) -> int:
    async with world.store() as store:
        return len(await store.claim("default", limit, "process", "test", timedelta(seconds=60)))


async def test_a_paused_pool_starts_nothing_until_resumed(world: World, pools: Pools) -> None:
    """A run at work goes on."""
    for year in (2020, 2021):
        world.submit_small(year)
    await claim_one(world, "test")
    paused = pools.pause("default", "the database moves")
    assert (paused.paused, paused.paused_reason, paused.in_use) == (True, "the database moves", 1)
    assert paused.paused_since is not None
    assert await claimed(world) == 0
    with world.listening() as notified:
        resumed = pools.resume("default")
        assert notified(), "controllers wake up at once"
    assert (resumed.paused, resumed.paused_since, resumed.paused_reason) == (False, None, None)
    assert await claimed(world) == 1


async def test_whoever_waits_for_a_paused_pool_is_told_how_to_resume_it(world: World, pools: Pools) -> None:
    world.submit_small()
    pools.pause("default")
    async with world.controller() as reconciler:
        [said] = await waits(reconciler.context, with_commands)
    assert said.endswith("until somebody resumes it: affirm-worker pools resume default")


def test_a_second_pause_keeps_the_time_of_the_first(pools: Pools) -> None:
    """Its reason replaces the other one, if it has one."""
    first = pools.pause("default", "one")
    assert pools.pause("default") == first
    second = pools.pause("default", "two")
    assert (second.paused_since, second.paused_reason) == (first.paused_since, "two")
    pools.resume("default")
    pools.resume("default")
    assert pools.pause("default").paused_reason is None


async def test_resuming_a_blocked_pool_tries_one_run_at_once(world: World, pools: Pools) -> None:
    """It stays blocked until a run starts: the fault may still be there."""
    for year in (2020, 2021):
        world.submit_small(year)
    world.query(BLOCK)
    assert await claimed(world, 2) == 0
    assert pools.resume("default").blocked_since is not None
    assert await claimed(world, 2) == 1
    assert await claimed(world, 2) == 0


async def test_a_probe_tries_one_run_and_leaves_a_pause(world: World, pools: Pools, run: Run) -> None:
    world.submit_small()
    assert "is not blocked" in run("pools", "probe", "default").stdout
    world.query(BLOCK)
    assert await claimed(world, 2) == 0
    assert "one run is tried now" in run("pools", "probe", "default").stdout
    assert await claimed(world, 2) == 1
    pools.pause("default")
    assert "nothing is tried until somebody resumes it" in run("pools", "probe", "default").stdout
    assert pools.get("default").paused


async def test_a_lower_maximum_ends_no_run_and_starts_none(world: World, pools: Pools) -> None:
    for year in range(2010, 2016):
        world.submit_small(year)
    assert await claimed(world, 4) == 4
    change = pools.set("default", max_running=2)
    assert (change.before.max_running, change.after.max_running, change.after.in_use) == (64, 2, 4)
    assert await claimed(world) == 0
    assert pools.get("default").in_use == 4
    assert pools.set("default", max_running=5).before.max_running == 2
    assert await claimed(world, 9) == 1


async def test_a_change_waits_for_a_claim_that_is_under_way(world: World, other: Client) -> None:
    """So no claim counts with a maximum that is not in force any more."""
    with psycopg.connect(world.conninfo) as claim:
        claim.execute("select from pools where name = 'default' for no key update")
        change = asyncio.create_task(asyncio.to_thread(other.pools.set, "default", max_running=0))
        await world.until("select 1 from pg_stat_activity where query like '%pools.lock%' and wait_event_type = 'Lock'")
        assert not change.done()
        claim.rollback()
    assert (await change).before.max_running == 64


async def test_the_maximum_holds_while_it_is_changed(world: World, other: Client) -> None:
    """Four claim at once while it goes up and down; each claim's slots are within the maximum that it saw."""
    for number in range(60):
        world.submit_small(2020, f"Mary,F,{number + 5}\n")
    world.query(
        "create table seen (in_use bigint, maximum int);"
        "create function note() returns trigger language plpgsql as $$ begin"
        " insert into seen select count(*), (select max_running from pools) from runs where released_at is null;"
        " return null; end $$;"
        "create trigger note after insert on runs for each statement execute function note()"
    )

    async def claim() -> None:
        async with world.store() as store:
            for _ in range(15):
                await store.claim("default", 3, "process", "test", timedelta(seconds=60))

    def change() -> None:
        for maximum in (3, 9, 6, 20, 15, 30, 10, 40):
            other.pools.set("default", max_running=maximum)

    await asyncio.gather(asyncio.to_thread(change), *(claim() for _ in range(4)))
    assert world.one("select count(*) as claims from seen where in_use > maximum") == {"claims": 0}
    assert world.one("select max(in_use) as most from seen")["most"] <= 40


@pytest.mark.parametrize(("max_running", "max_pending"), [(-1, None), (100_001, None), (None, 0)])
def test_a_number_that_cannot_be_is_refused(pools: Pools, max_running: int | None, max_pending: int | None) -> None:
    with pytest.raises(InvalidRequest, match="expected a whole number from"):
        pools.set("default", max_running=max_running, max_pending=max_pending)


def test_a_dry_run_changes_nothing(pools: Pools) -> None:
    change = pools.set("default", max_running=5, max_pending=7, dry_run=True)
    assert (change.after.max_running, change.after.max_pending) == (5, 7)
    assert (pools.get("default").max_running, pools.get("default").max_pending) == (64, None)


def test_an_unknown_pool_is_refused_with_the_nearest_name(pools: Pools) -> None:
    for ask in (pools.get, pools.details, pools.pause, pools.resume):
        with pytest.raises(NotFound, match=r"there is no pool defualt; did you mean default\?"):
            ask("defualt")
    with pytest.raises(NotFound) as refused:
        pools.set("nightly", max_running=1)
    assert error_in_words(refused.value) == "there is no pool nightly: affirm-worker pools list"


async def test_a_command_outlives_a_restart_with_the_same_setting(world: World, pools: Pools) -> None:
    """A setting that somebody has changed counts again: it is the newer word."""
    async with world.store() as store:
        assert await store.set_pool("default", 10, 5) == 10
        pools.set("default", max_running=20)
        assert await store.set_pool("default", 10, 5) == 20
        assert await store.set_pool("default", None) == 20
        pools.set("default", max_running=30, max_pending=6)
        assert await store.set_pool("default", 10, 5) == 10, "it was not set at the last start"
        assert pools.get("default").max_pending == 5
        assert await store.set_pool("default", 12) == 12


async def test_a_described_pool_is_changed_by_kubectl(world: World, pools: Pools) -> None:
    """The refusal has the line to type; nothing is changed here."""
    cluster = FakeParserPools()
    cluster.apply("large", maxParallelism=3, paused=True)
    async with controlling(world, cluster) as controller:
        await controller.look()
    pool = pools.get("large")
    assert (pool.described, pool.described_in, pool.paused) == (True, "default", True)
    assert pool.paused_since is not None
    patches: list[tuple[Callable[[], object], str]] = [
        (lambda: pools.pause("large"), '{"spec":{"paused":true}}'),
        (lambda: pools.resume("large"), '{"spec":{"paused":false}}'),
        (lambda: pools.set("large", max_running=7), '{"spec":{"maxParallelism":7}}'),
        (lambda: pools.set("large", max_pending=8), '{"spec":{"maxPendingPods":8}}'),
        (lambda: pools.set("large", max_running=7, dry_run=True), '{"spec":{"maxParallelism":7}}'),
    ]
    for change, patch in patches:
        with pytest.raises(Conflict) as refused:
            change()
        line = error_in_words(refused.value).partition(": ")[2]
        assert shlex.split(line) == [
            "kubectl", "patch", "parserpool", "large", "-n", "default", "--type", "merge", "-p", patch,
        ]  # fmt: skip
    assert pools.get("large") == pool
    world.query("update pools set min_running = 2 where name = 'large'")
    with pytest.raises(Conflict) as refused:
        pools.set("large", max_running=1)
    assert '{"spec":{"maxParallelism":1,"minParallelism":1}}' in error_in_words(refused.value)


async def test_a_blocked_pool_that_is_described_can_be_tried(world: World, pools: Pools) -> None:
    """Its description does not say that it is blocked."""
    cluster = FakeParserPools()
    cluster.apply("default", maxParallelism=3)
    async with controlling(world, cluster) as controller:
        await controller.look()
    world.query(BLOCK)
    world.submit_small()
    pools.resume("default")
    assert await claimed(world) == 1


async def test_one_pool_is_read_as_the_list_has_it(world: World, pools: Pools) -> None:
    world.query("insert into pools (name, max_running) values ('large', 4), ('idle', 4)")
    jobs = [world.submit_small(year).job_id for year in range(2001, 2006)]
    await claimed(world)
    world.query("update runs set pool = 'large'")
    world.query("update jobs set run_at = now() + interval '1 day', state = 'scheduled' where state = 'queued'")
    world.query("update jobs set pool = 'large' where id = any (%s)", jobs[:3])
    world.query(
        "update jobs set state = 'failed', finished_at = now(), last_cause = 'crashed', last_error = 'x'"
        " where id = any (%s)",
        jobs[2:4],
    )
    read = pools.list()
    assert [one.name for one in read] == ["default", "idle", "large"]
    assert [(one.scheduled, one.running, one.failed, one.in_use) for one in read] == [
        (1, 0, 1, 0), (0, 0, 0, 0), (1, 1, 1, 1),
    ]  # fmt: skip
    assert [pools.get(one.name) for one in read] == read


async def test_what_obstructs_a_job_comes_with_the_command(world: World, run: Run) -> None:
    job = world.submit_small()
    run("pools", "pause", "default", "--reason", "the database moves")
    said = run("jobs", "explain", str(job.job_id)).stdout
    assert "pool default is paused (the database moves)" in said
    assert "affirm-worker pools resume default" in said
    assert "affirm-worker pools resume default" in run("status").stdout
    run("pools", "resume", "default")
    run("pools", "set", "default", "--max", "0")
    assert "affirm-worker pools set default --max N" in run("jobs", "explain", str(job.job_id)).stdout


def test_commands_show_and_change_pools(world: World, run: Run) -> None:
    world.submit_small()
    assert run("pools", "pause", "default").stdout == "pool default is paused; 1 job waits in it; no run is at work\n"
    [listed] = answer(run("pools", "list", "--json"))
    assert (listed["name"], listed["paused"], listed["max_running"], listed["queued"]) == ("default", True, 64, 1)
    shown = run("pools", "show", "default").stdout
    for line in ("state          paused", "described by   settings", "maximum        64 runs, 0 in use"):
        assert line in shown.splitlines()
    assert run("pools", "resume", "default").stdout == "pool default is open; 1 job waits in it\n"
    would = run("pools", "set", "default", "--max", "20", "--dry-run").stdout
    assert would == "pool default would have at most 20 runs at once; it has 64\n"
    done = answer(run("pools", "set", "default", "--max", "20", "--json"))
    assert (done["before"]["max_running"], done["after"]["max_running"]) == (64, 20)
    again = run("pools", "set", "default", "--max", "20").stdout
    assert again == "pool default is so already: at most 20 runs at once\n"
    assert "did you mean default?" in run("pools", "show", "defualt", code=65).stderr
    assert "expected at most 100000" in run("pools", "set", "default", "--max", "100001", code=2).stderr


def test_a_maximum_of_none_is_said_to_stop_the_pool(world: World, run: Run) -> None:
    world.submit_small()
    said = run("pools", "set", "default", "--max", 0).stdout
    assert "with 0 nothing of it is started until somebody raises that; 1 job waits in it" in said


async def test_a_pool_is_shown_with_its_runs_of_the_last_day(world: World, run: Run) -> None:
    world.submit_small()
    world.submit(world.file("yob2019.txt", "nonsense\n"))
    await world.run_until_idle()
    recent = {one.cause: one.runs for one in world.client.pools.details("default").recent}
    assert recent == {"completed": 1, "rejected": 1}
    assert "1 run completed, the last one " in run("pools", "show", "default").stdout


def test_names_are_completed_from_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", world.conninfo)
    monkeypatch.setattr(complete, "PATIENCE_SECONDS", 30.0)
    context = typer.Context(typer.main.get_command(app))
    assert complete.pools(context, "d") == ["default"]
    assert complete.pools(context, "x") == complete.schedules(context, "") == []
