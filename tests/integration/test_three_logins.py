"""An owner, a controller and runners with logins of their own, as docs/operations.md sets them up."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.integration.command_line import answer, runner
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
LOGINS = ("owner", "controller", "runner")


@pytest.fixture
def urls(postgres: PostgresServer, template: str, empty_database: str) -> Iterator[dict[str, str]]:
    """The URL of each login, by what it is for."""
    page = OPERATIONS.read_text(encoding="utf-8")
    [documented] = re.findall(r"```sql\n(create role names_owner .*?)```", page, re.DOTALL)
    name = empty_database.rsplit("/", 1)[1]
    made = documented.replace("names_", "three_").replace("…", "word")
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        for one in filter(str.strip, made.split(";")):
            admin.execute(one.encode())
        admin.execute(f"alter database {name} owner to three_owner".encode())
    yield {one: empty_database.replace(f"postgres:{postgres.password}@", f"three_{one}:word@") for one in LOGINS}
    postgres.drop_database(name)
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        for one in LOGINS:
            admin.execute(f"drop role three_{one}".encode())


def test_three_logins_load_reprocess_and_delete(urls: dict[str, str], tmp_path: Path) -> None:
    """None of them is a superuser, and none may make roles."""
    storage = {"STORAGE_PATH": str(tmp_path / "files"), "AFFIRM_WORKER_HOME": str(tmp_path)}
    (tmp_path / "files").mkdir()
    file = tmp_path / "yob2023.txt"
    file.write_text("Emma,F,15433\n")
    migrated = runner({**storage, "DATABASE_URL": urls["owner"]}, tmp_path)("migrate")
    assert "not set up" not in migrated.stderr and "temporary" not in migrated.stderr
    logins = {"DATABASE_URL": urls["controller"], "RUNNER_DATABASE_URL": urls["runner"]}
    run = runner({**storage, **logins}, tmp_path)
    run("submit", str(file), "--country", "US")
    run("run", "--until-idle")
    [dataset] = answer(run("datasets", "list", "--json"))
    assert (dataset["status"], dataset["row_count"]) == ("completed", 1)
    run("reprocess", dataset["id"])
    run("run", "--until-idle")
    jobs = answer(run("jobs", "list", "--json"))
    assert {job["state"] for job in (jobs["jobs"] if isinstance(jobs, dict) else jobs)} == {"completed"}
    checked = json.loads(run("doctor", "runner", "--json").stdout)
    assert "and no more" in json.dumps(checked)
    run("datasets", "delete", dataset["id"], "--yes")
    for login in ("controller", "runner"):
        with psycopg.connect(urls[login]) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create temporary table names (id int)")
