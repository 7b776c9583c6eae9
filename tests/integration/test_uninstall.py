"""The SQL by which docs/operations.md removes everything from a database."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dataset_jobs import migrations
from tests.integration.command_line import runner
from tests.kit.logins import OPERATIONS, three_logins
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres

LEFT = """
select relname::text from pg_class join pg_namespace on pg_namespace.oid = relnamespace where nspname = 'affirm'
union all select rolname::text from pg_roles where rolname like 'affirm%'
"""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One of its own: the group roles are the server's."""
    with PostgresServer() as made:
        yield made


def to_remove_everything() -> list[str]:
    [block] = re.findall(r"```sql\n(drop schema affirm.*?)```", OPERATIONS.read_text(encoding="utf-8"), re.DOTALL)
    return [one.strip() for one in block.split(";") if one.strip()]


def test_the_sql_of_the_page_leaves_nothing(server: PostgresServer, tmp_path: Path) -> None:
    """Of an installation that works with three logins, which stay; and another one can be made there."""
    file = tmp_path / "yob2023.txt"
    file.write_text("Emma,F,15433\n")
    conninfo = server.create_database("names")
    with three_logins(server, "names") as logins:
        run = runner({"AFFIRM_WORKER_HOME": str(tmp_path), "STORAGE_PATH": str(tmp_path)}, tmp_path)
        run("migrate", DATABASE_URL=logins.owner)
        run("load", file, "--country", "US", DATABASE_URL=logins.controller, RUNNER_DATABASE_URL=logins.runner)
        with psycopg.connect(conninfo, autocommit=True) as admin:
            for statement in to_remove_everything():
                admin.execute(statement.encode())
            assert admin.execute(LEFT).fetchall() == []
        assert migrations.apply(conninfo, [])


def test_roles_that_another_database_uses_are_kept(server: PostgresServer) -> None:
    one, other = server.create_database("one"), server.create_database("other")
    for conninfo in (one, other):
        migrations.apply(conninfo, [])
    *first, last = to_remove_everything()
    with psycopg.connect(one, autocommit=True) as admin:
        for statement in first:
            admin.execute(statement.encode())
        with pytest.raises(psycopg.errors.DependentObjectsStillExist):
            admin.execute(last.encode())
    with psycopg.connect(other) as connection:
        granted = connection.execute("select has_any_column_privilege('affirm_runner', 'names', 'insert')").fetchone()
    assert granted == (True,)
