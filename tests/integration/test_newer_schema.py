"""Databases that a newer version has migrated: what this version does there, after a rollback or beside it."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from dataset_jobs import migrations
from dataset_jobs.migrations import LATEST, MIGRATIONS
from dataset_jobs.migrations.compatibility import FIRST_TO_SAY
from dataset_jobs.model.actor import Actor
from dataset_jobs.model.errors import OtherSchema
from dataset_jobs.store.client_pool import ClientPool
from dataset_jobs.version import own_version
from services.client import Client
from tests.fakes.launcher import FakeLauncher
from tests.integration.command_line import Run, answer, runner
from tests.integration.world import World
from tests.kit.newer_schema import GO_ON, NEWER, STOP, migrate_further, one_more, refuse_this_program
from tests.kit.roles import as_role

pytestmark = pytest.mark.every_postgres

REFUSAL = (
    f"the database's schema is newer than this affirm-worker: {NEWER}, which only programs that know {NEWER} may use,"
    f" and this one knows {LATEST}; install affirm-worker 9.9.9 or newer, or restore a backup from before the upgrade"
)

MIGRATE = f"""
import sys
from dataset_jobs import migrations
from tests.kit.newer_schema import migrate_further
print(",".join(migrate_further(sys.argv[1], {GO_ON!r})))
"""


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    return runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)


def version_of(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        [found] = connection.execute("select max(version) from schema_migrations").fetchall()
    return int(found[0])


def oldest(conninfo: str) -> tuple[int, str]:
    """The oldest program that may work on a database."""
    with psycopg.connect(conninfo) as connection:
        [found] = connection.execute("select oldest_schema, oldest_program from installation").fetchall()
    return int(found[0]), str(found[1])


def test_an_older_program_works_where_the_database_lets_it(run: Run, database: str, tmp_path: Path) -> None:
    assert migrate_further(database, GO_ON) == [f"{NEWER:04}_newer"]
    assert oldest(database) == (FIRST_TO_SAY, own_version())
    said = run("migrate").stdout
    assert f"is at version {NEWER}\nthis affirm-worker is older and knows version {LATEST}; it may work there" in said
    assert answer(run("migrate", "--json")) == {"applied": [], "version": NEWER}
    file = tmp_path / "yob2023.txt"
    file.write_text("Emma,F,15433\n")
    run("load", file, "--country", "US")  # a controller, a runner, and their client
    assert [job["state"] for job in answer(run("jobs", "list", "--json"))] == ["completed"]
    checked = answer(run("doctor", "schema", "--json"))
    assert f"at version {NEWER}; this program knows {LATEST}, and may work on it" in str(checked)


def test_no_command_works_where_the_database_refuses_it(run: Run, database: str, tmp_path: Path) -> None:
    file = tmp_path / "yob2023.txt"
    file.write_text("Emma,F,15433\n")
    refuse_this_program(database)
    for command in (
        ["migrate"], ["load", file, "--country", "US"], ["submit", file, "--country", "US"], ["jobs", "list"],
        ["status"], ["run", "--until-idle"],
    ):  # fmt: skip
        assert REFUSAL in " ".join(run(*command, code=78).stderr.split()), command
    assert REFUSAL in str(answer(run("doctor", "schema", "--json", code=1)))
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from datasets").fetchone() == (0,)


def test_a_refused_client_stays_refused(database: str) -> None:
    """Also with the connection that it has made."""
    refuse_this_program(database)
    alone, several = Client.connect(database, refusing=True), Client(ClientPool(database, 2, Actor("api", "api")))
    for client in (alone, several):
        with client:
            for _ in range(2):
                with pytest.raises(OtherSchema, match=re.escape(REFUSAL)):
                    client.now()


@pytest.mark.parametrize(("text", "goes_on"), [(GO_ON, True), (STOP, False)])
async def test_a_controller_goes_on_beside_a_newer_one(world: World, text: str, goes_on: bool) -> None:
    """If the migration says that it may; it takes up the change between two ticks."""
    world.submit_small(2001)
    launcher = FakeLauncher()
    async with world.controller(launcher) as reconciler:
        assert await reconciler.tick_safely()
        await asyncio.to_thread(migrate_further, world.conninfo, text)
        world.submit_small(2002) if goes_on else None
        assert await reconciler.tick_safely() is goes_on
        assert len(launcher.launches) == 1 + goes_on
        if not goes_on:
            assert f"which only programs that know {NEWER} may use" in reconciler.health.last_error


def test_the_newest_migration_that_stops_older_programs_is_named(database: str) -> None:
    migrate_further(database, STOP)
    assert oldest(database) == (NEWER, own_version())
    with pytest.raises(OtherSchema, match="install affirm-worker "):
        migrations.apply(database, [])


def test_an_older_program_leaves_newer_rights_and_names_alone(database: str) -> None:
    granted = GO_ON + "create table newer (id int); grant select on newer to affirm_api;"
    migrate_further(database, granted)
    with one_more(granted):
        migrations.apply(database, [("DE", "Of the newer one")])
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("grant select on newer to affirm_api")
        assert migrations.apply(database, [("DE", "Of the older one")]) == []
        kept = connection.execute(
            "select has_table_privilege('affirm_api', 'newer', 'select'), name from countries where code = 'DE'"
        ).fetchone()
    assert kept == (True, "Of the newer one")


@pytest.mark.parametrize("role", ["affirm_controller", "affirm_api"])
def test_each_login_may_ask_for_the_oldest_program(database: str, role: str) -> None:
    migrate_further(database, GO_ON)
    with Client.connect(as_role(database, role)) as client:
        assert client.check_schema() == NEWER


def test_old_and_new_migrate_at_the_same_time(empty_database: str) -> None:
    """As when a rollback begins while the upgrade is under way; whoever is first, nobody fails."""
    programs = [sys.executable, "-c", MIGRATE, empty_database]
    processes = [subprocess.Popen(programs, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        older = [*pool.map(lambda _: migrations.apply(empty_database, [("US", "United States")]), range(2))]
    newer = [process.communicate(timeout=100)[0].strip().split(",") for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    applied = [name for names in (*older, *newer) for name in names if name]
    assert sorted(applied) == [*(one.name for one in MIGRATIONS), f"{NEWER:04}_newer"]
    assert version_of(empty_database) == NEWER


def test_a_migration_that_dies_leaves_the_older_schema(database: str, until: Callable[[str, str], None]) -> None:
    with psycopg.connect(database) as holder:
        holder.execute("select from jobs")  # what the new column waits for
        process = subprocess.Popen([sys.executable, "-c", MIGRATE, database], stdout=subprocess.DEVNULL)
        until(database, "select from pg_locks where relation = 'affirm.jobs'::regclass and not granted")
        process.kill()
        process.wait()
    until(database, "select where not exists (select from pg_stat_activity where application_name ~ 'migration')")
    assert (version_of(database), oldest(database)) == (LATEST, (FIRST_TO_SAY, own_version()))
    assert migrations.apply(database, []) == []
    assert migrate_further(database, GO_ON) == [f"{NEWER:04}_newer"]


def test_who_queues_behind_a_waiting_migration_goes_on(
    database: str, until: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load that is under way keeps the table, and a claim that came later does not wait for the load's end."""
    monkeypatch.setattr(migrations, "LONGEST_WAIT_SECONDS", 1.0)
    with psycopg.connect(database) as load, psycopg.connect(database) as claim:
        load.execute("select from jobs")
        claim.execute("set lock_timeout = '100s'")  # the load goes on for longer
        with ThreadPoolExecutor(1) as pool:
            migrating = pool.submit(migrate_further, database, GO_ON)
            until(database, "select from pg_locks where relation = 'affirm.jobs'::regclass and not granted")
            claim.execute("select from jobs for update")
            claim.rollback()
            assert not migrating.done()
            load.rollback()
            assert migrating.result() == [f"{NEWER:04}_newer"]


def test_a_migration_gives_up_in_the_end(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pod that migrates is started again then, and the older controller works on."""
    monkeypatch.setattr(migrations, "PATIENCE_SECONDS", 1.0)
    with psycopg.connect(database) as load:
        load.execute("select from jobs")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            migrate_further(database, GO_ON)
    assert version_of(database) == LATEST


@pytest.fixture
def until() -> Callable[[str, str], None]:
    """Waits until a query has a row."""

    def wait(conninfo: str, sql: str) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            while not connection.execute(sql.encode()).fetchall():
                connection.execute("select pg_sleep(0.05)")

    return wait
