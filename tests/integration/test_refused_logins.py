"""A login that the database refuses: a matter of settings, which uses no attempt and passes when it is fixed."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from dataset_jobs.model.settlement import Evidence
from tests.fakes.launcher import FakeLauncher
from tests.integration.command_line import ROOT, Run, runner, running
from tests.integration.loads import proven_environment
from tests.integration.world import World, key_of
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres

FIRST, SECOND = "first", "second"
"""Two passwords."""


@dataclass(frozen=True, slots=True)
class Role:
    """A role that may do everything, with a password that changes."""

    server: PostgresServer
    name: str
    database: str

    def url(self, password: str = FIRST, database: str | None = None) -> str:
        return f"postgresql://{self.name}:{password}@127.0.0.1:{self.server.port}/{database or self.database}"

    def rotate(self, password: str) -> None:
        """Gives it another password, and ends its sessions, so that the next ones need the new one."""
        self.server.execute(
            sql.SQL("alter role {} password {}").format(sql.Identifier(self.name), sql.Literal(password))
        )
        self.server.execute(
            sql.SQL("select pg_terminate_backend(pid) from pg_stat_activity where usename = {}").format(
                sql.Literal(self.name)
            )
        )


@pytest.fixture
def role(postgres: PostgresServer, database: str) -> Iterator[Role]:
    name = f"rotating_{uuid4().hex[:8]}"
    postgres.execute(
        sql.SQL("create role {} superuser login password {}").format(sql.Identifier(name), sql.Literal(FIRST))
    )
    made = Role(postgres, name, str(conninfo_to_dict(database)["dbname"]))
    yield made
    made.rotate(SECOND)
    postgres.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


@pytest.fixture
def run(role: Role, tmp_path: Path) -> Run:
    return runner({"AFFIRM_WORKER_HOME": str(tmp_path / "home"), "DATABASE_URL": role.url()}, tmp_path)


def test_a_command_says_whether_login_or_database_is_wrong(run: Run, role: Role) -> None:
    run("jobs", "list")
    refused = run("jobs", "list", code=77, DATABASE_URL=role.url(SECOND))
    assert "password authentication failed" in refused.stderr
    assert SECOND not in refused.stderr
    run("jobs", "list", code=77, DATABASE_URL=role.url().replace(role.name, "nobody"))
    missing = run("jobs", "list", code=78, DATABASE_URL=role.url(database="missing"))
    assert 'database "missing" does not exist' in missing.stderr


@pytest.mark.parametrize("says_so", [True, False], ids=["by its message", "by its exit code"])
@pytest.mark.parametrize(
    ("password", "other", "code", "cause"),
    [(SECOND, None, 77, "forbidden"), (FIRST, "missing", 78, "cannot_start")],
)
async def test_a_pod_that_may_not_log_in_uses_no_attempt(
    world: World, role: Role, says_so: bool, password: str, other: str | None, code: int, cause: str
) -> None:
    job_id = world.submit_small().job_id
    launcher = FakeLauncher()
    message = world.folder / "message"
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        key = key_of(world.job(job_id))
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "parser_runner", "--job-id", str(key.job_id), "--epoch", str(key.epoch),
             "--message-file", str(message)],
            env={**proven_environment(world, key), "RUNNER_DATABASE_URL": role.url(password, other)},
            cwd=ROOT, check=False, capture_output=True,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        said = message.read_text() if says_so else ""
        launcher.end(key, Evidence(exit_code=code, message=said, container_started=True, pod_name="pod-1"))
        await reconciler.tick()
    job = world.job(job_id)
    assert (job["last_cause"], job["attempts"], job["interruptions"], job["state"]) == (cause, 0, 0, "scheduled")
    assert world.one("select blocked_cause from pools")["blocked_cause"] == cause


NEXT_TRY = "update pools set probe_at = now(); update jobs set run_at = now() where state = 'scheduled'"
"""The waits after a run that could not start are over."""


async def test_a_password_of_runners_is_rotated_and_back(world: World, role: Role) -> None:
    """A controller with children: nothing is lost, and the queue goes on by itself."""
    with closing(world.client), running(world, RUNNER_DATABASE_URL=role.url(), WORKER_POLL_INTERVAL="1s"):
        first = world.submit_small(2001)
        await world.until("select from jobs where state = 'completed'")
        role.rotate(SECOND)
        jobs = [first.job_id, *(world.submit_small(year).job_id for year in (2002, 2003, 2004))]
        await world.until("select from pools where blocked_cause = 'forbidden'")
        assert {world.job(job)["attempts"] for job in jobs} == {0}
        role.rotate(FIRST)
        while world.query("select from jobs where state <> 'completed'"):
            world.query(NEXT_TRY)
            await asyncio.sleep(0.2)
    assert {(world.job(job)["attempts"], world.job(job)["interruptions"]) for job in jobs} == {(0, 0)}


async def test_a_password_of_the_controller_is_rotated_and_back(world: World, role: Role) -> None:
    async with world.controller(conninfo=role.url()) as reconciler:
        stop = asyncio.Event()
        working = asyncio.create_task(reconciler.run(stop))
        first = world.submit_small(2001)
        await world.until("select from jobs where state = 'completed'")
        role.rotate(SECOND)
        second = world.submit_small(2002)
        async with asyncio.timeout(100):
            while (trouble := reconciler.health.ticks.trouble) is None or not trouble.permanent:
                await asyncio.sleep(0.05)
        assert "password authentication failed" in trouble.error
        assert world.job(second.job_id)["state"] == "queued"
        role.rotate(FIRST)
        await world.until("select from jobs group by () having bool_and(state = 'completed')")
        stop.set()
        await working
    for result in (first, second):
        job = world.job(result.job_id)
        assert (job["attempts"], job["interruptions"], job["give_backs"]) == (0, 0, 0)
