"""`affirm-worker doctor` on logins: whatever a runner's may do too much is said, with SQL that ends it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.command_line import Run, answer, runner
from tests.kit.logins import Logins, three_logins
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres


@pytest.fixture
def logins(postgres: PostgresServer, template: str, empty_database: str, tmp_path: Path) -> Iterator[Logins]:
    """As docs/operations.md makes them, on a database that the owner has migrated."""
    with three_logins(postgres, empty_database.rsplit("/", 1)[1]) as made:
        runner({"DATABASE_URL": made.owner, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)("migrate")
        yield made


@pytest.fixture
def run(logins: Logins, tmp_path: Path) -> Run:
    urls = {"DATABASE_URL": logins.controller, "RUNNER_DATABASE_URL": logins.runner}
    return runner({**urls, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def checked(run: Run, check: str, code: int = 0, **settings: str) -> dict[str, Any]:
    """What one check found: its verdict, what it says that is not good, and the fixes."""
    [one] = answer(run("doctor", check, "--json", code=code, **settings))["checks"]
    bad = [finding for finding in one["findings"] if finding["verdict"] != "ok"]
    return {
        "verdict": one["verdict"],
        "says": "; ".join(finding["says"] for finding in bad),
        "fixes": [fix for finding in bad for fix in finding["fixes"]],
    }


EXCESS = {
    "the controllers' group": ("grant affirm_controller to {runner}", "do more than they need: DELETE on controllers"),
    "a table": ("grant select on affirm.jobs to {runner}", "do more than they need: SELECT on jobs"),
    "a column": ("grant update (state) on affirm.jobs to {runner}", "do more than they need: UPDATE on jobs"),
    "all columns of names": ("grant insert on affirm.names to {runner}", "do more than they need: INSERT on names"),
    "what everybody has": ("grant select on affirm.datasets to public", "do more than they need: SELECT on datasets"),
    "what the group has": ("grant delete on affirm.runs to affirm_runner", "do more than they need: DELETE on runs"),
    "references": ("grant references on affirm.runs to {runner}", "do more than they need: REFERENCES on runs"),
    "a sequence": ("grant usage on sequence affirm.datasets_key_seq to {runner}", "USAGE on datasets_key_seq"),
    "a function": (
        "grant execute on function affirm.run_secret(uuid, int) to {runner}", "may call more than they need: run_secret"
    ),
    "a function that everybody may call": (
        "grant execute on function affirm.uncover(int) to public", "may call more than they need: uncover"
    ),
    "all data": ("grant pg_read_all_data to {runner}", "is in pg_read_all_data"),
    "signals": ("grant pg_signal_backend to {runner}", "is in pg_signal_backend"),
    "all data by its group": ("grant pg_write_all_data to affirm_runner", "is in pg_write_all_data"),
    "attributes": ("alter role {runner} createdb createrole", "has createrole, createdb"),
    "more attributes": ("alter role {runner} replication bypassrls", "has replication, bypassrls"),
    "temporary tables": ("grant temporary on database {database} to public", "may make temporary tables"),
    "schemas": ("grant create on database {database} to {runner}", "may make schemas in the database"),
    "our schema": ("grant create on schema affirm to {runner}", "may make tables and functions in affirm"),
    "tables of others": (
        "create table public.other (id int); grant select on public.other to public",
        "has rights on tables that are not ours: public.other",
    ),
    "no limit": ("alter role {runner} connection limit -1", "has no connection limit"),
    "a limit that bounds nothing": ("alter role {runner} connection limit 9999", "too few are left for a controller"),
    "a limit that is too low": ("alter role {runner} connection limit 1", "and the runs of this machine may take"),
    "a time limit": ("alter role {runner} set statement_timeout = '1s'", "statement_timeout=1s"),
    "a path": ("alter role {runner} in database {database} set search_path = pg_temp", "search_path=pg_temp"),
    "a superuser": ("alter role {runner} superuser", "is a superuser: a fault in a parser could do anything"),
}  # fmt: skip
"""By what is too much: how it comes about, and what is said."""


@pytest.mark.parametrize("name", EXCESS)
def test_what_a_runner_may_do_too_much_is_said_and_ended(
    postgres: PostgresServer, logins: Logins, run: Run, name: str
) -> None:
    assert checked(run, "runner")["verdict"] == "ok"
    cause, words = EXCESS[name]
    as_superuser(postgres, logins, cause)
    found = checked(run, "runner")
    assert (found["verdict"], words in found["says"]) == ("warning", True), found["says"]
    carry_out(postgres, logins, run, found["fixes"])
    assert checked(run, "runner") == {"verdict": "ok", "says": "", "fixes": []}


def test_a_runner_that_made_its_sessions_read_only_is_said(postgres: PostgresServer, logins: Logins, run: Run) -> None:
    """As one did that was taken over: the others cannot log in any more."""
    with psycopg.connect(logins.runner, autocommit=True) as hostile:
        hostile.execute("alter role current_user set default_transaction_read_only = on")
    found = checked(run, "runner", code=1)
    assert "which a runner may have made for all that follow: default_transaction_read_only=on" in found["says"]
    carry_out(postgres, logins, run, found["fixes"])
    assert checked(run, "runner")["verdict"] == "ok"


LACK = {
    "its group": ("revoke affirm_runner from {runner}", "may not use the schema affirm"),
    "a table": (
        "revoke insert (year) on affirm.names from affirm_runner", "lacks rights that runners need: INSERT on names"
    ),
    "a function": (
        "revoke execute on function affirm.runner_has_committed(uuid, int, text) from affirm_runner",
        "may not call functions that runners need: runner_has_committed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LACK)
def test_what_a_runner_lacks_is_said_and_granted(postgres: PostgresServer, logins: Logins, run: Run, name: str) -> None:
    cause, words = LACK[name]
    as_superuser(postgres, logins, cause)
    found = checked(run, "runner", code=1)
    assert (found["verdict"], words in found["says"]) == ("wrong", True), found["says"]
    carry_out(postgres, logins, run, found["fixes"])
    assert checked(run, "runner")["verdict"] == "ok"


def test_a_function_that_a_controller_lacks_is_said(postgres: PostgresServer, logins: Logins, run: Run) -> None:
    as_superuser(postgres, logins, "revoke execute on function affirm.jobs_channel() from affirm_controller")
    found = checked(run, "rights", code=1)
    assert "may not call functions that controllers and commands need: jobs_channel" in found["says"]
    carry_out(postgres, logins, run, found["fixes"])
    assert checked(run, "rights")["verdict"] == "ok"


def test_three_logins_are_as_they_should_be(logins: Logins, run: Run) -> None:
    assert checked(run, "logins")["verdict"] == "ok"


SHARED: dict[str, tuple[Callable[[Logins], dict[str, Any]], str]] = {
    "none for runners": (lambda logins: {"RUNNER_DATABASE_URL": ""}, "RUNNER_DATABASE_URL is not set: runners that"),
    "the controller's for runners": (
        lambda logins: {"RUNNER_DATABASE_URL": logins.controller}, "as controllers do, with all its rights"
    ),
    "the owner's for all": (
        lambda logins: {"DATABASE_URL": logins.owner, "RUNNER_DATABASE_URL": logins.owner},
        "of controllers and commands owns the tables",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHARED)
def test_a_login_that_is_shared_is_said_and_divided(
    postgres: PostgresServer, logins: Logins, run: Run, name: str
) -> None:
    settings, words = SHARED[name]
    given = settings(logins)
    found = checked(run, "logins", **given)
    assert (found["verdict"], words in found["says"]) == ("warning", True), found["says"]
    try:
        carry_out(postgres, logins, run, found["fixes"])
        for setting, role in (("DATABASE_URL", "names_controller"), ("RUNNER_DATABASE_URL", "names_runner")):
            if any(f"create role {role} " in fix["sql"] for fix in found["fixes"]):
                given[setting] = with_login(logins.owner, role)
        assert checked(run, "logins", **given)["verdict"] == "ok"
        for check in ("rights", "runner"):
            assert checked(run, check, **given)["verdict"] == "ok"
    finally:
        for role in ("names_controller", "names_runner"):
            as_superuser(postgres, logins, f"drop role if exists {role}")


@pytest.mark.parametrize(("of", "words"), [("controller", "is the controller's"), ("owner", "owns the tables")])
def test_another_ones_login_as_the_runners_is_said(logins: Logins, run: Run, of: str, words: str) -> None:
    found = checked(run, "runner", RUNNER_DATABASE_URL=getattr(logins, of))
    assert (found["verdict"], words in found["says"]) == ("warning", True), found["says"]


def as_superuser(postgres: PostgresServer, logins: Logins, sql: str) -> None:
    """Statements with the names of this test's logins."""
    database = logins.owner.rsplit("/", 1)[1]
    with psycopg.connect(postgres.url(database), autocommit=True) as admin:
        admin.execute(sql.replace("{runner}", f"{database}_runner").replace("{database}", database).encode())


def carry_out(postgres: PostgresServer, logins: Logins, run: Run, fixes: list[dict[str, Any]]) -> None:
    """Does what is advised, in this order."""
    assert fixes
    for fix in fixes:
        if fix["sql"]:
            as_superuser(postgres, logins, fix["sql"])
        else:
            run("migrate", DATABASE_URL=logins.owner)


def with_login(url: str, role: str) -> str:
    """A URL with another user, whose password is the one that advice leaves to be filled in."""
    return f"postgresql://{role}:%E2%80%A6@{url.partition('@')[2]}"
