"""A schema of our own: other programs' tables and locks are neither taken for ours nor harmed."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from dataset_jobs import migrations
from dataset_jobs.migrations import LATEST, MIGRATIONS
from dataset_jobs.postgres.session import in_schema
from tests.integration.world import World
from tests.kit.warm_command import affirm_worker
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres

COUNTRIES = [("US", "United States")]

RAILS = """
create table public.schema_migrations (version varchar primary key);
insert into public.schema_migrations values ('20240101000000');
create table public.jobs (id bigserial primary key, handler text);
insert into public.jobs (handler) values ('mine');
create table public.names (name text);
"""


def run(url: str, home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line on a database."""
    env = {**os.environ, "DATABASE_URL": url, "AFFIRM_WORKER_HOME": str(home), **environment}
    return affirm_worker(*arguments, env=env)


def one(url: str, query: str) -> object:
    """The first value of a query."""
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def sample(folder: Path) -> str:
    path = folder / "yob2023.txt"
    path.write_bytes(b"Emma,F,15433\n")
    return str(path)


def test_tables_of_other_programs_are_left_alone(empty_database: str, tmp_path: Path) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(RAILS.encode())
    done = run(empty_database, tmp_path, "load", sample(tmp_path), "--country", "US")
    assert done.returncode == 0, done.stderr
    assert one(empty_database, "select count(*) from affirm.names") == 1
    assert one(empty_database, "select count(*) from public.names") == 0
    assert one(empty_database, "select count(*) from public.jobs") == 1


def test_a_schema_with_their_tables_is_refused_by_name(empty_database: str, tmp_path: Path) -> None:
    """With the command that works then; nothing is written."""
    with psycopg.connect(empty_database) as connection:
        connection.execute(RAILS.encode())
    before = one(empty_database, "select count(*) from pg_class")
    done = run(empty_database, tmp_path, "migrate", DATABASE_SCHEMA="public")
    assert done.returncode == 78
    assert "schema_migrations, jobs, names" in done.stderr
    assert one(empty_database, "select count(*) from pg_class") == before
    assert run(empty_database, tmp_path, "status", DATABASE_SCHEMA="public").returncode == 78
    assert run(empty_database, tmp_path, "migrate", DATABASE_SCHEMA="affirm_worker").returncode == 0


def test_two_installations_share_a_database(empty_database: str, tmp_path: Path) -> None:
    for schema in ("one", "other"):
        home = tmp_path / schema
        home.mkdir()
        done = run(empty_database, home, "load", sample(home), "--country", "US", DATABASE_SCHEMA=schema)
        assert done.returncode == 0, done.stderr
        assert one(empty_database, f"select count(*) from {schema}.names") == 1
    assert one(empty_database, "select a.id <> b.id from one.installation a, other.installation b")


def test_psql_finds_the_tables_by_their_names(empty_database: str, tmp_path: Path) -> None:
    """In whatever schema they are, and prints names as they are."""
    path = tmp_path / "nomes-registados-2023.csv"
    path.write_text("Bjørn,M,12\n", encoding="utf-8")
    done = run(empty_database, tmp_path, "load", str(path), "--country", "PT", DATABASE_SCHEMA="other")
    assert done.returncode == 0, done.stderr
    query = "select name from names"
    asked = run(empty_database, tmp_path, "psql", "-Atc", query, DATABASE_SCHEMA="other", PGCLIENTENCODING="LATIN1")
    assert asked.stdout == "Bjørn\n", asked.stderr


@pytest.fixture
def older(empty_database: str) -> str:
    """A database as the last version has made it that knew no schema: in `public`, with rows."""
    with psycopg.connect(empty_database) as connection:
        connection.execute("set search_path = public")
        connection.execute(
            "create table schema_migrations"
            " (version int primary key, name text not null, applied_at timestamptz not null default now())"
        )
        for migration in MIGRATIONS[:8]:
            connection.execute((Path(migrations.__file__).parent / f"{migration.name}.sql").read_bytes())
            connection.execute("insert into schema_migrations (version, name) values (%s, %s)", migration)
        connection.execute("insert into countries (code, name) values ('US', 'United States')")
        connection.execute("insert into names values (7777, 2020, 'F', 'Ann', 'ann', 5)")
    return empty_database


def test_an_older_installation_is_moved_with_its_rows(older: str, tmp_path: Path) -> None:
    installation = one(older, "select id from public.installation")
    done = run(older, tmp_path, "load", sample(tmp_path), "--country", "US")
    assert done.returncode == 0, done.stderr
    assert one(older, "select id from affirm.installation") == installation
    assert one(older, "select count(*) from affirm.names") == 2
    left = "select count(*) from pg_class where relnamespace = 'public'::regnamespace"
    assert one(older, left) == 0
    assert one(older, "select count(*) from pg_proc where pronamespace = 'public'::regnamespace") == 0
    assert one(older, "select max(version) from affirm.schema_migrations") == LATEST


def test_of_several_that_move_it_at_once_none_fails(older: str) -> None:
    with ThreadPoolExecutor() as threads:
        applied = list(threads.map(lambda _: migrations.apply(older, [("US", "United States")]), range(4)))
    assert len([names for names in applied if names]) == 1


def test_an_older_installation_may_stay_where_it_is(older: str) -> None:
    migrations.apply(in_schema(older, "public"), COUNTRIES)
    assert one(older, "select count(*) from public.names") == 1
    assert one(older, "select to_regnamespace('affirm') is null")


def test_a_move_that_is_broken_off_has_moved_nothing(older: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        migrations.apply(older, [("USA", "Not a code of two letters")])
    assert one(older, "select count(*) from public.names") == 1
    assert one(older, "select to_regnamespace('affirm') is null")
    migrations.apply(older, COUNTRIES)
    assert one(older, "select count(*) from affirm.names") == 1


def test_an_installation_of_this_version_is_never_moved(empty_database: str) -> None:
    """It lives in `public` because somebody wanted it there; another one beside it is new."""
    migrations.apply(in_schema(empty_database, "public"), COUNTRIES)
    migrations.apply(empty_database, COUNTRIES)
    assert one(empty_database, "select count(*) from public.installation") == 1
    assert one(empty_database, "select count(*) from affirm.installation") == 1


def test_a_role_that_may_not_make_the_schema_is_told(
    postgres: PostgresServer, empty_database: str, tmp_path: Path
) -> None:
    """And the advice that it gives for that helps."""
    postgres.execute("create role modest login password 'modest'")
    try:
        url = empty_database.replace(f"postgres:{postgres.password}@", "modest:modest@")
        done = run(url, tmp_path, "migrate")
        assert done.returncode == 77
        assert 'create schema affirm authorization "modest"' in done.stderr
        with psycopg.connect(empty_database) as connection:
            connection.execute("create schema affirm authorization modest")
        assert run(url, tmp_path, "migrate").returncode == 0
    finally:
        postgres.drop_database(empty_database.rsplit("/", 1)[1])
        postgres.execute("drop role modest")


@pytest.fixture
def world(database: str, tmp_path: Path) -> Iterator[World]:
    made = World(database, tmp_path)
    with closing(made.client):
        yield made


async def test_only_a_load_of_ours_is_ended(world: World) -> None:
    """Not somebody who holds the numbers of the job and its epoch as locks, nor even the load's very lock."""
    job_id = world.submit(world.file("yob2023.txt", "Emma,F,15433\n")).job_id
    with psycopg.connect(world.conninfo) as somebody:
        somebody.execute("select pg_advisory_lock(key, 1), pg_advisory_lock(key, 0), pg_advisory_lock(key) from jobs")
        somebody.commit()
        await world.run_until_idle()
        assert world.job(job_id)["state"] == "completed"
        somebody.execute("select pg_advisory_lock(load_lock(%s, 1))", [job_id])
        somebody.commit()
        assert world.one("select terminate_runners(%s, 1) as ended", job_id)["ended"] == 0
        assert somebody.execute("select 1").fetchone() == (1,)
        somebody.execute("select from runs")
        assert world.one("select terminate_runners(%s, 1) as ended", job_id)["ended"] == 1
        with pytest.raises(psycopg.OperationalError):
            somebody.execute("select 1")
