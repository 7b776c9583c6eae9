"""Which database a command works on is always said, and whether anybody will run its jobs."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.command_line import Run, answer, bare, log_of, runner, running
from tests.integration.world import NATIONAL, World
from tests.kit.terminal import on_terminal
from tests.servers.embedded_home import embedded_home

YEAR = NATIONAL / "yob2023.txt"
NOBODY = "affirm-worker: no controller is running: affirm-worker run"


@pytest.fixture
def run(world: World) -> Run:
    return runner(world.environment, world.folder)


def write_config(folder: Path, text: str) -> str:
    path = folder / "config.toml"
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def home() -> Iterator[Path]:
    with embedded_home() as folder:
        yield folder


def test_an_embedded_database_is_named_before_anything_else(home: Path, tmp_path: Path) -> None:
    run = runner({"AFFIRM_WORKER_HOME": str(home)}, tmp_path)
    named = f"affirm-worker: database: embedded, {home}/postgres (DATABASE_URL is not set)"
    meant = "affirm-worker: DATABSE_URL is not a setting; did you mean DATABASE_URL?"
    mistyped = run("submit", YEAR, "-c", "US", "--json", DATABSE_URL="postgresql://h/names")
    assert bare(mistyped.stderr).splitlines() == [meant, named, NOBODY]
    assert answer(mistyped)[0]["controller_running"] is False
    assert run("jobs", "list", "--json").stderr.splitlines() == [named]
    assert run("psql", "-c", "select 1").stderr.splitlines() == [named]
    loaded = run("load", YEAR, "-c", "US")
    assert loaded.stderr.splitlines()[0] == named
    ran = run("run", "--until-idle", LOG_FORMAT="json")
    first, second, *_ = [json.loads(line) for line in ran.stderr.splitlines()]
    assert (first["level"], first["msg"]) == (
        "WARNING",
        f"database: embedded, {home}/postgres (DATABASE_URL is not set); storage: {home}/storage; health port: none",
    )
    assert second["msg"] == (
        "started with the process launcher, pool default, at most 4 at once"
        " (WORKER_CONCURRENCY 4, the pool's maximum 64)"
    )
    config = write_config(tmp_path, '[contexts.here]\npool = "slow"\n')
    logged = run("run", "--until-idle", "--context", "here", POOL="default", AFFIRM_WORKER_CONFIG=config)
    assert "context: here; database: embedded, " in logged.stderr
    used = run("jobs", "list", "--context", "here", AFFIRM_WORKER_CONFIG=config)
    assert used.stderr.splitlines() == [named.replace("DATABASE_URL is not set", "context here has no database_url")]


def test_a_context_leads_to_its_database_and_storage(world: World, tmp_path: Path) -> None:
    environment = world.environment
    (tmp_path / "url").write_text(environment["DATABASE_URL"] + "\n")
    config = write_config(
        tmp_path,
        f"[contexts.prod]\ndatabase_url = {{file = 'url'}}\nstorage_path = '{environment['STORAGE_PATH']}'\n"
        f"[contexts.cmd]\ndatabase_url = {{command = ['cat', '{tmp_path}/url']}}\n",
    )
    run = runner({"AFFIRM_WORKER_CONFIG": config, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}, tmp_path)
    done = run("--context", "prod", "submit", YEAR, "-c", "US")
    assert done.stderr.splitlines() == ["affirm-worker: no controller is running: affirm-worker --context prod run"]
    run("run", "--until-idle", AFFIRM_WORKER_CONTEXT="prod")
    assert [one["status"] for one in answer(run("datasets", "list", "--context", "cmd", "--json"))] == ["completed"]
    assert world.one("select count(*) from names")["count"] > 0
    assert not (tmp_path / "home").exists()


def test_a_terminal_names_a_context_that_nobody_typed(world: World, tmp_path: Path) -> None:
    config = write_config(
        tmp_path,
        "current = 'prod'\n[contexts.prod]\ndatabase_url.command = ['sh', '-c', 'read url; echo $url']\n"
        f"storage_path = '{tmp_path}'\n",
    )
    env = {"PATH": os.environ["PATH"], "AFFIRM_WORKER_CONFIG": config}
    with on_terminal("jobs", "list", env=env, columns=200) as terminal:
        terminal.type(f"{world.conninfo}\n")
        assert "affirm-worker: context prod: 127.0.0.1:" in terminal.until("no such jobs")
        assert terminal.end() == 0
    with on_terminal("jobs", "list", env={**env, "DATABASE_URL": world.conninfo}, columns=200) as terminal:
        assert "context" not in terminal.until("no such jobs")


def test_status_begins_with_what_it_is_about(world: World, run: Run) -> None:
    password = world.conninfo.split(":")[2].split("@")[0]
    about = answer(run("status", "--json"))
    assert [*about][:6] == ["database", "user", "embedded", "because", "storage", "context"]
    assert about["controller_running"] is False
    assert about["pools"][0]["oldest_wait_seconds"] is None
    lines = run("status").stdout.splitlines()
    assert lines[:4] == [
        f"database     {about['database']} as postgres",
        f"storage      {world.folder}/storage",
        "controllers  no controller is running: affirm-worker run",
        "",
    ]
    world.submit(world.file("yob1999.txt", "Emma,X,12\n"))
    run("run", "--until-idle", code=1)
    shown = run("status").stdout
    assert "1 job failed: affirm-worker jobs list --state failed" in shown
    assert "has ended" not in shown and "desired since" not in shown and "listening" not in shown
    assert "has ended, last claim" in run("status", "--wide").stdout
    assert password not in shown + json.dumps(about)


def test_whoever_queues_a_job_learns_that_nobody_runs_it(world: World, run: Run) -> None:
    result = world.submit_small()
    run("run", "--until-idle")
    again = run("reprocess", str(result.dataset_id), "--json")
    assert (again.stderr, answer(again)["controller_running"]) == (f"{NOBODY}\n", False)
    run("jobs", "cancel", answer(again)["job_id"])
    assert run("jobs", "retry", answer(again)["job_id"], "--dry-run").stderr == ""
    assert run("jobs", "retry", answer(again)["job_id"]).stderr == f"{NOBODY}\n"
    (world.folder / "storage" / "in").mkdir()
    world.file("storage/in/yob2019.txt", "Mary,F,7\n")
    run("schedules", "add", "ssa", "--cron", "0 3 * * 1", "--location", "in", "-c", "US")
    assert run("schedules", "run", "ssa").stderr == f"{NOBODY}\n"
    assert run("schedules", "run", "ssa").stderr == ""


async def test_nothing_is_said_while_a_controller_claims_the_job(world: World, run: Run) -> None:
    with running(world) as process:
        await world.until("select 1 from controllers")
        done = run("submit", YEAR, "-c", "US", "--json")
        assert (done.stderr, answer(done)[0]["controller_running"]) == ("", True)
        assert "controllers  1 running\n" in run("status").stdout
        world.query("insert into pools (name, max_running) values ('slow', 1)")
        other = run("submit", NATIONAL / "yob2022.txt", "-c", "US", POOL="slow")
        assert other.stderr.splitlines() == [
            "affirm-worker: no controller is running that claims from pool slow: POOL=slow affirm-worker run"
        ]
        refused = run("submit", "missing.txt", "-c", "US", POOL="slow", code=65)
        assert len(refused.stderr.splitlines()) == 1, "nothing waits"
        process.terminate()
        process.wait(100)
        first = log_of(process)[0]
    assert str(first["msg"]).startswith("database: 127.0.0.1:")
    assert world.conninfo.split(":")[2].split("@")[0] not in str(first)
