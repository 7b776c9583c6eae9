"""Everything by way of PgBouncer in transaction mode: clients, controller, runners."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cluster.packages import program
from tests.integration.test_cancel import (
    test_a_commit_that_has_the_job_first_wins_and_the_cancel_says_that_it_is_too_late,
    test_a_running_job_is_stopped_in_its_copy_and_commits_nothing_after,
)
from tests.integration.test_faults import (
    test_a_zombie_that_stands_still_in_its_copy_does_not_hold_up_the_next_epoch,
    test_the_maximum_of_the_pool_holds_with_four_controllers_at_once,
    until,
)
from tests.integration.test_main_job import (
    test_reprocessing_replaces_the_rows_and_a_failed_one_keeps_them,
    test_ten_files_load_side_by_side,
)
from tests.integration.test_retry_purge import test_a_failed_job_goes_back_with_fresh_budgets_and_its_history
from tests.integration.test_run_command import log_of, running
from tests.integration.world import World
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer

# The same stories as without it.
__all__ = [
    "test_a_commit_that_has_the_job_first_wins_and_the_cancel_says_that_it_is_too_late",
    "test_a_failed_job_goes_back_with_fresh_budgets_and_its_history",
    "test_a_running_job_is_stopped_in_its_copy_and_commits_nothing_after",
    "test_a_zombie_that_stands_still_in_its_copy_does_not_hold_up_the_next_epoch",
    "test_reprocessing_replaces_the_rows_and_a_failed_one_keeps_them",
    "test_ten_files_load_side_by_side",
    "test_the_maximum_of_the_pool_holds_with_four_controllers_at_once",
]

pytestmark = pytest.mark.needs("pgbouncer")

LISTENING = "select 1 from pg_stat_activity where application_name = 'affirm-worker listen'"
QUIET = """select 1 where not exists (select from pg_stat_activity where application_name = 'affirm-worker controller'
    and datname = current_database() and state_change > clock_timestamp() - interval '1 second')"""
DONE = "select 1 where not exists (select from jobs where finished_at is null)"


@pytest.fixture(scope="module")
def bouncer(postgres: PostgresServer) -> Iterator[PgBouncer]:
    with PgBouncer(program("pgbouncer"), postgres, server_connections=10) as bouncer:
        yield bouncer


@pytest.fixture
def world(bouncer: PgBouncer, database: str, tmp_path: Path) -> Iterator[World]:
    """An installation that knows of no other way to its database."""
    made = World(bouncer.url(database), tmp_path)
    with closing(made.client):
        yield made


async def test_with_a_direct_url_a_job_is_claimed_as_soon_as_it_is_there(world: World, database: str) -> None:
    direct = World(database, world.folder)
    with running(world, WORKER_POLL_INTERVAL="1h", DATABASE_DIRECT_URL=database):
        await until(world, LISTENING)
        for year in (2020, 2021):
            await until(direct, QUIET)
            world.submit(world.file(f"yob{year}.txt", f"Mary,F,{year}\n"))
            await until(world, DONE)


async def test_without_one_the_controller_polls_and_leaves_no_listening_connection_behind(world: World) -> None:
    with running(world, WORKER_POLL_INTERVAL="200ms") as process:
        for year in (2020, 2021):
            world.submit(world.file(f"yob{year}.txt", f"Mary,F,{year}\n"))
            await until(world, DONE)
        process.terminate()
        await asyncio.to_thread(process.wait, 30)
        log = log_of(process)
    said = [line for line in log if "DATABASE_DIRECT_URL" in str(line["msg"])]
    assert [line["level"] for line in said] == ["INFO"]
    assert not [line for line in log if line["level"] in ("WARNING", "ERROR")]
