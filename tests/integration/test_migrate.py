"""Migrations, on a real Postgres."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from dataset_jobs import migrations
from dataset_jobs.migrations import LATEST, MIGRATIONS
from dataset_jobs.model.errors import Forbidden, Misconfigured, OtherSchema
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.runner import Runner, RunnerStore
from tests.kit.newer_schema import NEWER, refuse_this_program
from tests.kit.roles import as_role
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres

COUNTRIES = [("DE", "Germany"), ("US", "United States")]

APPLY = """
import sys
from dataset_jobs import migrations
print(",".join(migrations.apply(sys.argv[1], [("US", "United States")])))
"""


def applied_by_processes(conninfos: Sequence[str]) -> list[str]:
    """What each of several migrations that start together says it has applied."""
    processes = [
        subprocess.Popen([sys.executable, "-c", APPLY, conninfo], stdout=subprocess.PIPE, text=True)
        for conninfo in conninfos
    ]
    outputs = [process.communicate(timeout=100)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(conninfos)
    return outputs


def test_everything_is_applied_to_an_empty_database_and_recorded(empty_database: str) -> None:
    applied = migrations.apply(empty_database, COUNTRIES)
    assert applied == [migration.name for migration in MIGRATIONS]
    with psycopg.connect(empty_database) as connection:
        recorded = connection.execute("select version, name from schema_migrations order by version").fetchall()
        countries = connection.execute("select code, name from countries order by code").fetchall()
    assert recorded == list(MIGRATIONS)
    assert recorded[-1][0] == LATEST
    assert countries == COUNTRIES


def test_a_second_time_changes_nothing_but_the_names_of_countries(empty_database: str) -> None:
    migrations.apply(empty_database, COUNTRIES)
    with psycopg.connect(empty_database) as connection:
        before = connection.execute("select id from countries where code = 'DE'").fetchone()
    assert migrations.apply(empty_database, [("DE", "Deutschland")]) == []
    with psycopg.connect(empty_database) as connection:
        after = connection.execute("select id, name from countries where code = 'DE'").fetchone()
    assert before is not None
    assert after == (before[0], "Deutschland")


def as_controller(database: str) -> str:
    return as_role(database, "affirm_controller")


def test_a_role_that_may_not_migrate_writes_nothing_where_nothing_is_to_do(
    empty_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    migrations.apply(empty_database, COUNTRIES)
    caplog.clear()
    assert migrations.apply(as_controller(empty_database), COUNTRIES) == []
    assert caplog.messages == []


def test_a_role_that_may_not_migrate_is_told_who_may(empty_database: str) -> None:
    migrations.apply(empty_database, COUNTRIES)
    with psycopg.connect(empty_database) as connection:
        owner = connection.execute("select current_user").fetchone()
    assert owner is not None
    with pytest.raises(Forbidden, match=f"only role {owner[0]}, which owns the tables, may migrate"):
        migrations.apply(as_controller(empty_database), [("DE", "Deutschland")])


def test_of_several_at_once_one_applies_and_none_fails(empty_database: str) -> None:
    outputs = applied_by_processes([empty_database] * 4)
    assert sorted(filter(None, outputs)) == [",".join(migration.name for migration in MIGRATIONS)]


@pytest.fixture
def fresh_server() -> Iterator[PostgresServer]:
    """A server of its own, in which the group roles do not exist yet: they are the cluster's."""
    with PostgresServer() as server:
        yield server


def test_databases_of_one_cluster_may_be_migrated_at_once(fresh_server: PostgresServer) -> None:
    conninfos = [fresh_server.create_database(f"together_{number}") for number in range(4)]
    assert all(applied_by_processes(conninfos))
    for conninfo in conninfos:
        with psycopg.connect(conninfo) as connection:
            granted = connection.execute(
                "select has_any_column_privilege('affirm_runner', 'names', 'insert')"
            ).fetchone()
        assert granted == (True,)


def test_a_role_that_may_not_create_roles_migrates_without_them_and_says_so(
    fresh_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    admin = fresh_server.create_database("owned")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("create role plain login password 'plain'")
        connection.execute("alter database owned owner to plain")
    plain = f"postgresql://plain:plain@127.0.0.1:{fresh_server.port}/owned"
    assert migrations.apply(plain, COUNTRIES)
    assert "group roles not set up" in caplog.text
    with psycopg.connect(plain) as connection:
        assert connection.execute("select terminate_runners(gen_random_uuid(), 1)").fetchone() == (0,)


def test_a_database_that_refuses_this_program_is_left_alone(empty_database: str) -> None:
    migrations.apply(empty_database, COUNTRIES)
    refuse_this_program(empty_database)
    with pytest.raises(OtherSchema, match=str(NEWER)):
        migrations.apply(empty_database, [("DE", "Changed")])
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select name from countries where code = 'DE'").fetchone() == ("Germany",)


def test_an_error_in_between_leaves_nothing_behind(empty_database: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        migrations.apply(empty_database, [("USA", "Not a code of two letters")])
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select to_regclass('jobs'), to_regclass('schema_migrations')").fetchone() == (
            None,
            None,
        )


LOADED_BEFORE = """
insert into datasets (country_id, filename, storage_uri, sha256, size, status, loaded_at, row_count, total_count,
    parser, measure)
select (select id from countries), name, 'local:x', repeat(digit, 64), 1, 'completed', now() - age, 2, 3, 'us', 'births'
from (values ('newest', 'a', interval '1 day'), ('oldest', 'b', '3 days'), ('between', 'c', '2 days'))
    as of (name, digit, age);
insert into names (dataset_key, year, gender, name, folded_name, count)
select key, 2020, 'F', name, lower(name), count from datasets, (values ('Ann', 1), ('Eve', 2)) as r (name, count)
union all select key, 2019, 'F', 'Ann', 'ann', 1 from datasets where filename = 'oldest';
"""


def test_of_datasets_that_overlapped_before_there_was_a_rule_the_one_loaded_last_counts(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "create table schema_migrations (version int primary key, name text, applied_at timestamptz)"
        )
        for migration in MIGRATIONS:
            if migration.version < 4:
                connection.execute((Path(migrations.__file__).parent / f"{migration.name}.sql").read_bytes())
                connection.execute("insert into schema_migrations values (%s, %s)", migration)
        connection.execute("insert into countries (code, name) values ('US', 'United States')")
        connection.execute(LOADED_BEFORE.encode())
    migrations.apply(empty_database, COUNTRIES)
    with psycopg.connect(empty_database) as connection:
        found = connection.execute(
            "select d.filename, c.year, c.row_count, c.total_count, newer.filename from coverage c"
            " join datasets d on d.key = c.dataset_key left join datasets newer on newer.key = c.superseded_by"
            " order by d.filename, c.year"
        ).fetchall()
    assert found == [
        ("between", 2020, 2, 3, "newest"),
        ("newest", 2020, 2, 3, None),
        ("oldest", 2019, 1, 1, None),
        ("oldest", 2020, 2, 3, "between"),
    ]


def test_a_runner_of_this_version_refuses_an_older_schema(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that the database is to be migrated, and does nothing."""
    text = migrations._text
    monkeypatch.setattr(migrations, "MIGRATIONS", [one for one in MIGRATIONS if one.version < 18])
    # The grants are those of the newest schema.
    monkeypatch.setattr(migrations, "_text", lambda name: "select 1" if name == "grants" else text(name))
    migrations.apply(empty_database, COUNTRIES)
    runner = Runner("one", secret="of no run")
    with RunnerStore(empty_database, RunKey(UUID(int=1), 1), runner) as store:
        with pytest.raises(Misconfigured, match="it may not be migrated"):
            store.take()
        with pytest.raises(Misconfigured, match="it may not be migrated"):
            store.heartbeat(1, 1)


def test_a_migration_takes_from_runners_what_others_granted(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("grant select, delete on names to affirm_runner")
        connection.execute("grant update (state), references on jobs to affirm_runner")
        connection.execute("grant execute on function terminate_runners to affirm_runner")
        migrations.apply(database, COUNTRIES)
        left = connection.execute(
            "select table_name, privilege_type from information_schema.column_privileges"
            " where grantee = 'affirm_runner' group by 1, 2"
        ).fetchall()
        callable = connection.execute(
            "select has_function_privilege('affirm_runner', 'terminate_runners(uuid, int)', 'execute')"
        ).fetchone()
    assert (left, callable) == ([("names", "INSERT")], (False,))
