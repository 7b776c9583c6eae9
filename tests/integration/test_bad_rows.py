"""Rows that a program cannot read: everybody else's are shown, claimed and done all the same."""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from app.settings import read_settings
from cli.main import main
from controller.pools.source import OnePool
from controller.pools.spec import PoolSpec
from dataset_jobs import migrations
from dataset_jobs.migrations import MIGRATIONS
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.requests import Conflict
from dataset_jobs.model.settlement import Evidence
from services.client import Client
from tests.fakes.launcher import FakeLauncher
from tests.fakes.parser_pools import FakeParserPools
from tests.integration.command_line import Run, answer, bare, runner
from tests.integration.parser_pools import controlling
from tests.integration.world import World, key_of
from tests.kit.warm_command import affirm_worker_each

pytestmark = pytest.mark.every_postgres

NO_BOUNDS = """
alter table jobs drop constraint if exists run_at_within_bounds, drop constraint jobs_state_check;
alter table schedules drop constraint if exists next_at_within_bounds, drop constraint if exists not_before_is_finite;
alter table pools drop constraint if exists times_are_finite;
alter table runs drop constraint if exists times_are_finite;
"""
"""As if somebody had taken them out, or a newer version had others."""

FAR = ["infinity", "294276-12-31 23:59:59+00", "9999-12-31 23:59:59.999999+00", "10000-01-01 00:00+00"]
LONG_AGO = ["4714-11-24 00:00:00+00 BC", "0001-01-01 00:00:00+00", "-infinity"]


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


@pytest.fixture
def unbounded(database: str) -> str:
    """The database without the bounds of times and states."""
    with psycopg.connect(database) as connection:
        connection.execute(NO_BOUNDS)
    return database


def change(database: str, sql: str, *parameters: object) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(sql.encode(), parameters or None)


def submitted(run: Run, folder: Path, year: int, *options: str) -> str:
    path = folder / f"yob{year}.txt"
    path.write_text(f"Emma,F,{year}\n")
    [one] = answer(run("submit", path, "--country", "US", "--json", *options))
    return str(one["job_id"])


def everything_is_shown(database: str, folder: Path, *jobs: object) -> str:
    """Every command that shows something goes through, for people and for programs; what explain says of the last."""
    commands = ["jobs list", "datasets list", "schedules list", "status"]
    commands += [f"jobs {what} {job}" for job in jobs for what in ("show", "explain")]
    env = {**os.environ, "DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(folder)}
    lines = [f"{one} --json" for one in commands] + commands
    done = affirm_worker_each([line.split() for line in lines], env)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = re.split("(?m)^== .*\n", done.stdout)[1:]
    for one in shown[: len(commands)]:
        json.loads(one)
    return shown[-1]


def test_jobs_of_times_nobody_can_hold_harm_no_other(run: Run, unbounded: str, tmp_path: Path) -> None:
    bad = [submitted(run, tmp_path, 2001 + number, "--run-at", "12h") for number in range(len(FAR))]
    for job, when in zip(bad, FAR, strict=True):
        change(unbounded, "update jobs set run_at = %s where id = %s", when, job)
    said = everything_is_shown(unbounded, tmp_path, bad[0])
    assert f"affirm-worker jobs set {bad[0]} --run-at 0s" in bare(said)
    path = tmp_path / "yob2022.txt"
    path.write_text("Emma,F,2\n")
    run("load", path, "--country", "US")
    stderr = run("run", "--until-idle", code=1).stderr
    assert stderr.count("to be loaded at") == len(bad)
    assert answer(run("jobs", "set", bad[0], "--run-at", "0s", "--json"))["state"] == "queued"


def test_jobs_of_times_before_all_others_are_done(run: Run, unbounded: str, tmp_path: Path) -> None:
    with psycopg.connect(unbounded) as connection:
        # Postgres before 17 cannot subtract infinite times; that is why there is a constraint.
        times = LONG_AGO if connection.info.server_version >= 170000 else LONG_AGO[:2]
    bad = [submitted(run, tmp_path, 2001 + number) for number in range(len(times))]
    for job, when in zip(bad, times, strict=True):
        change(unbounded, "update jobs set run_at = %s where id = %s", when, job)
    everything_is_shown(unbounded, tmp_path, bad[0])
    run("run", "--until-idle")
    assert {one["state"] for one in answer(run("jobs", "list", "--json"))} == {"completed"}


SPOILT = [
    "update runs set outcome = '[1]', evidence = '\"x\"', decision = '7'",
    'update runs set outcome = \'{"cause": "new_cause", "problems": 3}\', evidence = \'{"message": {}, '
    '"conditions": [1]}\', decision = \'{"state": "scheduled", "wait_seconds": "soon", "run_at": 5, '
    '"attempts": [], "why": {}}\'',
    'update runs set decision = \'{"state": "scheduled", "wait_seconds": 1e300, "run_at": "never"}\'',
    "update runs set evidence = ('{\"exit_code\": 1' || repeat('0', 5000) || '}')::jsonb, outcome = evidence",
    "update runs set evidence = (repeat('[', 3000) || repeat(']', 3000))::jsonb",
    "update runs set cause = 'new_cause', reason = 'new_reason' where committed_at is null",
    "update runs set reason = 'new_reason'",
    "update runs set claimed_at = '-infinity', ended_at = 'infinity', lease_until = 'infinity'",
    "update runs set started_at = '294276-01-01', launched_at = '4000-01-01 BC' where started_at is not null",
    "update jobs set created_at = 'infinity', finished_at = '-infinity', retried_at = '{infinity,-infinity}'",
    "update datasets set created_at = '-infinity', loaded_at = 'infinity' where loaded_at is not null",
    "update pools set decided_at = 'infinity', decided_until = '294276-01-01', history = '[1, {\"highs\": 3}]'",
    'update pools set history = \'{"highs": [["x", 1]], "lows": 5, "desired": [[1e400, 2]]}\'',
    "update jobs set state = 'new_state', finished_at = null, last_cause = 'new_cause'",  # the last one: it stays
]


async def test_rows_that_cannot_be_read_harm_no_other(world: World, unbounded: str) -> None:
    good = world.submit(world.file("yob2001.txt", "Emma,F,1\n")).job_id
    bad = world.submit(world.file("yob1999.txt", "Emma,X,1\nEmma,Y,1\n")).job_id
    await world.run_until_idle()
    assert world.job(bad)["state"] == "failed"
    for number, sql in enumerate(SPOILT):
        change(unbounded, sql)
        everything_is_shown(unbounded, world.folder, bad, good)
        path = world.file(f"yob{2010 + number}.txt", f"Emma,F,{number + 2}\n")
        new = world.submit(path).job_id
        await world.run_until_idle()
        assert world.job(new)["state"] == "completed", sql
    with pytest.raises(Conflict, match="a newer affirm-worker"):
        world.client.jobs.cancel(bad)


BAD_SCHEDULES = {
    "endless": "next_at = 'infinity'",
    "beginless": "next_at = '-infinity'",
    "old": "next_at = '4000-01-01 BC', not_before = '3000-01-01 BC'",
    "held": "not_before = 'infinity'",
    "words": "cron = 'every day'",
    "never": "cron = '0 0 31 2 *'",
    "zone": "timezone = '../Nowhere'",
    "huge": "cron = repeat('9', 5000) || ' * * * *'",
    "folder": "location = 'nowhere'",
}


async def test_bad_schedules_harm_no_other(world: World, unbounded: str) -> None:
    """Each names its own problem."""
    (world.folder / "storage" / "in").mkdir()
    (world.folder / "storage" / "in" / "yob2001.txt").write_text("Mary,F,1\n")
    with Client.connect(world.conninfo) as store:
        for name in BAD_SCHEDULES:
            store.schedules.add(name, "0 3 * * 1", "UTC", "in/none", "US", "default")
        store.schedules.add("zz-good", "0 3 * * 1", "UTC", "in", "US", "default")
        change(unbounded, "update schedules set next_at = now() - interval '1 day'")
        for name, sql in BAD_SCHEDULES.items():
            change(unbounded, f"update schedules set {sql} where name = %s", name)
        await world.run_until_idle()
        shown = {one.name: one for one in store.schedules.list()}
    good = shown.pop("zz-good")
    assert (good.files, good.submitted, good.failures) == (1, 1, 0)
    assert [one.status for one in world.client.datasets.list()] == ["completed"]
    for name, one in shown.items():
        assert not one.looking
        assert (one.failures, one.error is None) == ((0, True) if name in ("endless", "held") else (1, False)), one


async def test_unknown_words_of_a_newer_runner_are_ignored(world: World) -> None:
    """A run that ended in words of a newer version is settled by the evidence from outside."""
    job = world.submit(world.file("yob2001.txt", "Emma,F,1\n")).job_id
    launcher = FakeLauncher("kubernetes")
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        world.query("update runs set ended_at = now(), cause = 'new_cause', reason = 'new', outcome = '[]'")
        launcher.end(key_of(world.job(job)), Evidence(exit_code=1, gone=True))
        await reconciler.tick()
    assert world.job(job)["last_cause"] == Cause.VANISHED
    assert world.one("select cause, released_at is not null as free from runs where epoch = 1") == {
        "cause": "new_cause", "free": True,
    }  # fmt: skip


def test_times_out_of_bounds_are_refused_by_the_database(world: World) -> None:
    world.submit(world.file("yob2001.txt", "Emma,F,1\n"))
    for when in ("infinity", "-infinity", "10000-01-01", "1900-01-01"):
        with pytest.raises(psycopg.errors.CheckViolation):
            world.query("update jobs set run_at = %s", when)
    for sql in ("pools set probe_at", "pools set decided_until", "runs set claimed_at"):
        world.query("insert into runs (job_id, epoch, pool, launcher, owner, lease_until)"
                    " select id, 1, pool, 'x', 'x', now() from jobs on conflict do nothing")  # fmt: skip
        with pytest.raises(psycopg.errors.CheckViolation):
            world.query(f"update {sql} = 'infinity'")


def test_the_migration_brings_old_rows_within_bounds(empty_database: str) -> None:
    folder = Path(migrations.__file__).parent
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "create table schema_migrations (version int primary key, name text, applied_at timestamptz)"
        )
        for migration in (one for one in MIGRATIONS if one.version < 9):
            connection.execute((folder / f"{migration.name}.sql").read_bytes())
            connection.execute("insert into schema_migrations values (%s, %s)", migration)
        connection.execute("insert into countries (code, name) values ('US', 'United States')")
        for number, when in enumerate([*FAR, *LONG_AGO]):
            dataset = uuid4()
            connection.execute(
                "insert into datasets (id, country_id, filename, storage_uri, sha256, size)"
                " select %s, id, 'x', 'local:x', %s, 1 from countries", (dataset, f"{number:064x}"),
            )  # fmt: skip
            connection.execute(
                "insert into jobs (dataset_id, type, state, run_at) values (%s, 'parse_dataset', 'scheduled', %s)",
                (dataset, when),
            )
        connection.execute(
            "insert into runs (job_id, epoch, pool, launcher, owner, lease_until, claimed_at)"
            " select id, 1, pool, 'x', 'x', now(), 'infinity' from jobs"
        )
        connection.execute(
            "insert into schedules (name, cron, timezone, location, country_id, pool, next_at, not_before)"
            " select 'x', '* * * * *', 'UTC', 'in', id, 'default', '-infinity', 'infinity' from countries"
        )
    assert len(migrations.apply(empty_database, [("US", "United States")])) == len(
        [one for one in migrations.MIGRATIONS if one.version > 8]
    )
    with psycopg.connect(empty_database) as connection:
        years = connection.execute("select distinct extract(year from run_at at time zone 'UTC') from jobs").fetchall()
        assert {int(year) for (year,) in years} == {1970, 9999}
        assert connection.execute("select bool_and(isfinite(claimed_at)) from runs").fetchone() == (True,)


OUT_OF_BOUNDS = [
    ["jobs", "purge", "--older-than", "99999999999d"],
    ["jobs", "purge", "--older-than", "9" * 400 + "d"],
    ["jobs", "purge", "--older-than", "36501d"],
    ["jobs", "list", "--limit", "99999999999999999999"],
    ["jobs", "list", "--limit", "9" * 5000],
    ["submit", "x.txt", "--country", "US", "--run-at", "99999999999d"],
    ["submit", "x.txt", "--country", "US", "--run-at", "9999-12-31T23:59"],
    ["submit", "x.txt", "--country", "US", "--run-at", "9999-12-31T23:59-14:00"],
    ["submit", "x.txt", "--country", "US", "--run-at", "0001-01-01T00:00+14:00"],
    ["submit", "x.txt", "--country", "US", "--run-at", "infinity"],
    ["submit", "x.txt", "--country", "US", "--run-at", "1e999s"],
    ["submit", "x.txt", "--country", "US", "--run-at", "٣٠m"],
    ["submit", "x.txt", "--country", "US", "--priority", "32768"],
    ["jobs", "set", "0f9c5d4e", "--priority", "-99999999999999999999"],
]


def test_values_out_of_bounds_are_refused_by_name(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.txt").write_text("Emma,F,1\n")
    for arguments in OUT_OF_BOUNDS:
        monkeypatch.setattr(sys, "argv", ["affirm-worker", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capfd.readouterr().err
        assert (end.value.code, "Error: Invalid value" in said) == (2, True), (arguments, said)


WRONG_SETTINGS = [
    ("WORKER_RETENTION", "99999999999d"),
    ("WORKER_RETENTION", "nan"),
    ("WORKER_RETRY_WAITS", "1m,99999999999999d"),
    ("WORKER_POLL_INTERVAL", "1e400s"),
    ("LIMIT_ROWS", "9" * 5000),
    ("LIMIT_ROWS", "inf"),
    ("POOL_MAX_PARALLELISM", "99999999999999999999"),
    ("POOL", "default\n"),
]


@pytest.mark.parametrize(("name", "value"), WRONG_SETTINGS)
def test_settings_out_of_bounds_are_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=f"^{name} is "):
        read_settings()


@dataclass(frozen=True)
class TwoPools(OnePool):
    """A pool whose description the database cannot hold, and one as it should be."""

    @property
    def served(self) -> Mapping[str, PoolSpec]:
        bad = PoolSpec("bad", min_parallelism=10**12, target_backlog_per_runner=2**62)
        return {"bad": bad, self.spec.name: self.spec}


async def test_a_pool_that_cannot_be_decided_on_keeps_no_other_back(world: World) -> None:
    job = world.submit(world.file("yob2001.txt", "Emma,F,1\n")).job_id
    world.query("insert into pools (name, max_running) values ('bad', 5)")
    launcher = FakeLauncher("kubernetes")
    async with world.controller(launcher) as reconciler:
        reconciler.context = replace(reconciler.context, pools=TwoPools(PoolSpec("default")))
        await reconciler.tick()
    assert world.job(job)["state"] == "running"


async def test_a_parser_pool_that_cannot_be_read_keeps_no_other_back(world: World) -> None:
    """Neither one with a name that no pool can have, nor one that nobody thought of."""
    cluster = FakeParserPools()
    cluster.apply("Not.A.Pool", maxParallelism=3)
    cluster.apply("good", maxParallelism=5)
    cluster.apply("odd", podTemplate={"spec": {"containers": [{"name": "parser-runner", "resources": {"limits": 3}}]}})
    cluster.apply("huge", runner={"resources": {"limits": {"memory": "1e999999999"}}, "memoryCeiling": "1Gi"})
    cluster.apply("longer", runner={"startDeadline": "99999999999999d"})
    async with controlling(world, cluster) as controller:
        assert "good" in await controller.look()
        assert {"Not.A.Pool", "huge", "longer"}.isdisjoint(controller.pools.served)
    assert world.one("select max_running from pools where name = 'good'")["max_running"] == 5
