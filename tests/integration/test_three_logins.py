"""An owner, a controller and runners with logins of their own, as docs/operations.md sets them up."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.integration.command_line import answer, runner
from tests.kit.logins import Logins, three_logins
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres


@pytest.fixture
def logins(postgres: PostgresServer, template: str, empty_database: str) -> Iterator[Logins]:
    with three_logins(postgres, empty_database.rsplit("/", 1)[1]) as made:
        yield made


def test_three_logins_load_reprocess_and_delete(logins: Logins, tmp_path: Path) -> None:
    """None of them is a superuser, and none may make roles."""
    storage = {"STORAGE_PATH": str(tmp_path / "files"), "AFFIRM_WORKER_HOME": str(tmp_path)}
    (tmp_path / "files").mkdir()
    file = tmp_path / "yob2023.txt"
    file.write_text("Emma,F,15433\n")
    migrated = runner({**storage, "DATABASE_URL": logins.owner}, tmp_path)("migrate")
    assert "not set up" not in migrated.stderr and "temporary" not in migrated.stderr
    urls = {"DATABASE_URL": logins.controller, "RUNNER_DATABASE_URL": logins.runner}
    run = runner({**storage, **urls}, tmp_path)
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
    for login in (logins.controller, logins.runner):
        with psycopg.connect(login) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create temporary table names (id int)")
