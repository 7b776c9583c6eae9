"""Whatever role, database, URL and environment set, rows are stored as published, and every job ends."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.cluster.packages import program
from tests.kit.warm_command import affirm_worker
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres

HOSTILE = {
    "client_encoding": "LATIN1",
    "DateStyle": "German, DMY",
    "IntervalStyle": "iso_8601",
    "TimeZone": "America/St_Johns",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "search_path": "pg_catalog",
    "statement_timeout": "300ms",
    "lock_timeout": "300ms",
    "idle_in_transaction_session_timeout": "300ms",
    "idle_session_timeout": "300ms",
    "transaction_timeout": "300ms",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "session_replication_role": "replica",
    "client_min_messages": "debug5",
}
"""A bad value for each setting that some statement relies on."""

SLOW = """
create function affirm.slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.6); return null; end $$;
create trigger slow after insert on affirm.names for each statement execute function affirm.slow();
"""

ROWS = "select year, gender::text, name, count from affirm.names"
FILES = "nomes-registados-{}.csv"
"""Portugal's: only its lists without headings have letters that are not ASCII."""
FILE = "Bjørn,M,12\nÉloïse,F,7\nŁucja,F,6\n"
EXPECTED = {(2023, "M", "Bjørn", 12), (2022, "M", "Bjørn", 13)} | {
    (year, "F", name, count) for year in (2022, 2023) for name, count in (("Éloïse", 7), ("Łucja", 6))
}


def available(server: PostgresServer) -> dict[str, str]:
    """Those of `HOSTILE` that this version of Postgres has."""
    later = {"transaction_timeout": 17}
    return {name: value for name, value in HOSTILE.items() if server.version >= later.get(name, 0)}


@pytest.fixture
def hostile(postgres: PostgresServer, empty_database: str) -> Iterator[str]:
    """The URL of a role that owns a database; the role and its settings are gone afterwards."""
    name = empty_database.rsplit("/", 1)[1]
    role = f"hostile_{name}"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("create role {} superuser login password 'hostile'").format(sql.Identifier(role)))
    yield f"postgresql://{role}:hostile@127.0.0.1:{postgres.port}/{name}"
    postgres.drop_database(name)
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def whole_life(look: str, url: str, folder: Path, environment: Mapping[str, str]) -> None:
    """Loads, reprocesses by a controller of its own, runs a schedule, and looks at all of it."""
    (folder / "files" / "in").mkdir(parents=True)
    path = folder / FILES.format(2023)
    path.write_text(FILE, encoding="utf-8")
    scheduled = folder / "files" / "in" / FILES.format(2022)
    scheduled.write_text(FILE.replace(",12", ",13"), encoding="utf-8")
    os.utime(scheduled, (0, 0))
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
        "DATABASE_URL": url,
        "STORAGE_PATH": str(folder / "files"),
        "AFFIRM_WORKER_HOME": str(folder),
        **environment,
    }

    def command(*arguments: str) -> str:
        done = affirm_worker(*arguments, env=env)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    command("migrate")
    # Longer than any of the limits above allows.
    with psycopg.connect(look, autocommit=True) as admin:
        admin.execute(SLOW)
    command("load", str(path), "--country", "PT")
    command("schedules", "add", "pt", "--cron", "0 0 1 1 *", "--location", "in", "--country", "PT")
    [dataset] = json.loads(command("datasets", "list", "--json"))
    command("reprocess", dataset["id"])
    command("schedules", "run", "pt")
    command("run", "--until-idle")
    command("status")


def name_of(url: str) -> str:
    return url.rsplit("/", 1)[1].split("?")[0]


def rows_of(server: PostgresServer, url: str) -> set[tuple[object, ...]]:
    with psycopg.connect(server.url(name_of(url)), client_encoding="utf8") as connection:
        return set(connection.execute(ROWS).fetchall())


@pytest.mark.parametrize("owner", ["role", "database"])
def test_no_setting_of_role_or_database_matters(
    postgres: PostgresServer, hostile: str, tmp_path: Path, owner: str
) -> None:
    name = name_of(hostile)
    target = sql.SQL("role {}").format(sql.Identifier(f"hostile_{name}"))
    if owner == "database":
        target = sql.SQL("database {}").format(sql.Identifier(name))
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        for setting, value in available(postgres).items():
            admin.execute(
                sql.SQL("alter {} set {} = {}").format(target, sql.Identifier(setting.lower()), sql.Literal(value))
            )
    whole_life(postgres.url(name_of(hostile)), hostile, tmp_path, {})
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("alter {} reset all").format(target))
    assert rows_of(postgres, hostile) == EXPECTED


@pytest.mark.needs("pgbouncer")
def test_no_setting_matters_behind_a_pooler(postgres: PostgresServer, empty_database: str, tmp_path: Path) -> None:
    """There a session lasts for a transaction, and the next one may be another program's."""
    name = name_of(empty_database)
    settings = available(postgres)
    # The pooler's own business: it keeps idle sessions.
    del settings["idle_session_timeout"]
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        for setting, value in settings.items():
            admin.execute(
                sql.SQL("alter database {} set {} = {}").format(
                    sql.Identifier(name), sql.Identifier(setting.lower()), sql.Literal(value)
                )
            )
    with PgBouncer(program("pgbouncer"), postgres, server_connections=3) as bouncer:
        whole_life(empty_database, bouncer.url(empty_database), tmp_path, {})
        # What another client of the same pooler finds is what the database has, not what we have set.
        with psycopg.connect(bouncer.url(empty_database), autocommit=True, prepare_threshold=None) as other:
            found = {name: other.execute(f"show {name}").fetchone() for name in ("search_path", "statement_timeout")}
        assert found == {"search_path": ("pg_catalog",), "statement_timeout": ("300ms",)}
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("alter database {} reset all").format(sql.Identifier(name)))
    assert rows_of(postgres, empty_database) == EXPECTED


def test_no_option_of_the_url_matters(postgres: PostgresServer, hostile: str, tmp_path: Path) -> None:
    options = " ".join(
        f"-c {name.lower()}={value.replace(' ', chr(92) + ' ')}"
        for name, value in available(postgres).items()
        if name != "client_encoding"
    )
    look = postgres.url(name_of(hostile))
    whole_life(look, f"{hostile}?client_encoding=LATIN1&options={quote(options)}", tmp_path, {})
    assert rows_of(postgres, hostile) == EXPECTED


def test_no_variable_of_libpq_matters(postgres: PostgresServer, hostile: str, tmp_path: Path) -> None:
    environment = {
        "PGCLIENTENCODING": "LATIN1",
        "PGDATESTYLE": "German",
        "PGTZ": "America/St_Johns",
        "PGGEQO": "off",
        "PGAPPNAME": "somebody",
        "PGCONNECT_TIMEOUT": "0",
        "PGDATABASE": "nowhere",
        "PGUSER": "nobody",
        "PGPASSWORD": "wrong",
        "PGHOST": "no.such.host.invalid",
        "PGPORT": "1",
        "PGOPTIONS": " ".join(
            f"-c {name.lower()}={value.replace(' ', chr(92) + ' ')}" for name, value in available(postgres).items()
        ),
    }
    whole_life(postgres.url(name_of(hostile)), hostile, tmp_path, environment)
    assert rows_of(postgres, hostile) == EXPECTED


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_all_names_is_refused(postgres: PostgresServer, encoding: str) -> None:
    """By name, before anything is written: by migrate, and by every other command."""
    name = f"narrow_{encoding.lower()}"
    postgres.execute(
        sql.SQL("create database {} encoding {} template template0 locale 'C'").format(
            sql.Identifier(name), sql.Literal(encoding)
        )
    )
    try:
        for command in ("migrate", "status"):
            done = affirm_worker(command, env={**os.environ, "DATABASE_URL": postgres.url(name)}, timeout=100)
            assert done.returncode == 78, done.stderr
            assert encoding in done.stderr and name in done.stderr and "UTF8" in done.stderr
        with psycopg.connect(postgres.url(name)) as connection:
            found = connection.execute("select count(*) from pg_namespace where nspname = 'affirm'").fetchone()
        assert found == (0,)
    finally:
        postgres.drop_database(name)
