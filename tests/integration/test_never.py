"""Trouble that never passes, or not yet: the screen says so within seconds, and a hopeless wait ends."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from app.countries import iso_countries
from dataset_jobs import migrations
from tests.integration.command_line import ROOT, Run, answer, log_of, runner, running
from tests.integration.loads import COPY_WAITS, copy_held_up
from tests.integration.world import NATIONAL, World
from tests.servers.postgres import PostgresServer

YEAR_2023 = NATIONAL / "yob2023.txt"


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    settings = {"DATABASE_URL": world.conninfo, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}
    return runner({**settings, **world.storage_config.to_env()}, tmp_path)


def breaks_the_children(folder: Path, how: str) -> dict[str, str]:
    """Settings under which every interpreter that forks children does this first; the controller's own does not."""
    (folder / "sitecustomize.py").write_text(
        f"import os, sys\nif any('forkserver' in part for part in sys.orig_argv):\n    {how}\n"
    )
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


def test_children_that_cannot_import_are_a_setting_and_cost_no_attempt(world: World, run: Run, tmp_path: Path) -> None:
    broken = breaks_the_children(tmp_path, "sys.modules['parser_runner'] = None")
    done = run("load", YEAR_2023, "--country", "US", code=78, **broken)
    says = "the runner's process cannot begin: ModuleNotFoundError: No module named 'parser_runner.child'"
    assert says in done.stdout
    assert "when it is fixed, with the same DATABASE_URL: " in done.stdout
    assert "Traceback" not in done.stderr
    job = world.one("select state, attempts, give_backs, last_cause from jobs")
    assert job == {"state": "scheduled", "attempts": 0, "give_backs": 1, "last_cause": "cannot_start"}
    assert says in run("status").stdout
    world.query("update jobs set run_at = now()")
    world.query("update pools set probe_at = now()")
    run("run", "--until-idle")
    assert world.one("select state from jobs")["state"] == "completed"


def test_files_that_are_never_tried_do_not_keep_a_load(world: World, tmp_path: Path) -> None:
    """The pool is blocked, and probed; most of its jobs stay queued."""
    files = [str(NATIONAL / f"yob20{year}.txt") for year in range(15, 24)]
    broken = breaks_the_children(tmp_path, "sys.modules['parser_runner'] = None")
    home = {"AFFIRM_WORKER_HOME": str(tmp_path), "WORKER_CONCURRENCY": "1", "WORKER_POLL_INTERVAL": "50ms"}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "load", *files, "--country", "US"],
        env={**os.environ, **world.environment, **home, **broken}, cwd=ROOT, stderr=subprocess.PIPE, text=True,
    ) as load:  # fmt: skip
        deadline = time.monotonic() + 100
        while load.poll() is None and time.monotonic() < deadline:
            world.query(
                "update pools set probe_at = now() where blocked_since is not null and probes < 2"
            )  # no need to wait for 10 s
            time.sleep(0.1)
        load.kill()
        assert load.stderr is not None
        said = load.stderr.read()
    assert load.returncode == 78, said
    assert "runs of pool default cannot start: the runner's process cannot begin: ModuleNotFoundError" in said
    assert "queued" in {job["state"] for job in world.query("select state from jobs where attempts = 0")}


def test_no_process_can_be_started_is_said_and_ends(world: World, run: Run, tmp_path: Path) -> None:
    """The socket of Python's fork server lies below TMPDIR, and its path may not be long."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    done = run("load", YEAR_2023, "--country", "US", code=78, TMPDIR=str(long))
    assert "takes no socket for child processes" in done.stderr
    assert "set TMPDIR to a folder with room and a short path" in done.stderr
    job = world.one("select * from jobs")
    assert (job["state"], job["attempts"]) == ("queued", 0)


def test_a_fork_server_that_dies_ends_the_load(world: World, run: Run, tmp_path: Path) -> None:
    done = run("load", YEAR_2023, "--country", "US", code=78, **breaks_the_children(tmp_path, "os._exit(1)"))
    assert "cannot start a process: the warm parent has died" in done.stderr + done.stdout
    assert world.one("select attempts from jobs")["attempts"] == 0


def test_until_idle_ends_where_nobody_migrates(empty_database: str, tmp_path: Path) -> None:
    run = runner({"DATABASE_URL": empty_database, "AFFIRM_WORKER_HOME": str(tmp_path)}, tmp_path)
    done = run("run", "--until-idle", code=78, LOG_FORMAT="json")
    assert "affirm-worker migrate" in done.stderr.splitlines()[-1]
    assert sum("waiting: " in line for line in done.stderr.splitlines()) == 1


def without_a_right(world: World, right: str) -> str:
    """The database for a role that lacks one right of a controller's."""
    name = f"lacks_{world.conninfo.rsplit('/', 1)[1]}"
    world.query(f"create role {name} login password 'p' in role affirm_controller, affirm_runner")
    world.query(f"revoke {right} from affirm_controller")
    return psycopg.conninfo.make_conninfo(world.conninfo, user=name, password="p")


def test_until_idle_ends_where_a_right_is_missing(world: World, run: Run) -> None:
    world.submit(YEAR_2023)
    lacks = without_a_right(world, "insert, update on runs")
    done = run("run", "--until-idle", code=77, DATABASE_URL=lacks, LOG_FORMAT="json")
    assert "permission denied for table runs" in done.stderr.splitlines()[-1]


async def test_a_controller_that_cannot_work_says_so_once_and_in_status(world: World, run: Run) -> None:
    """It goes on trying, at growing intervals. The database has the error, for `status` and `jobs explain`."""
    job = world.submit(YEAR_2023).job_id
    lacks = without_a_right(world, "insert, update on runs")
    with running(world, DATABASE_URL=lacks) as process:
        await world.until("select 1 from controllers where trouble_tries > 0")
        await asyncio.sleep(3)  # more than one try
        [controller] = answer(run("status", "--json"))["controllers"]
        assert controller["trouble"] == "database: permission denied for table runs"
        assert controller["trouble_permanent"] is True
        assert "cannot work since" in run("status").stdout
        assert "database: permission denied for table runs" in run("jobs", "explain", str(job)).stdout
        world.query("grant insert, update on runs to affirm_controller")
        await world.until("select 1 from jobs where state = 'completed'", 40)
        process.send_signal(signal.SIGTERM)
        assert process.wait(100) == 0
        log = [str(line["msg"]) for line in log_of(process)]
    assert sum("tick broken off" in line for line in log) == 1
    assert sum("ticks go through again" in line for line in log) == 1
    assert world.query("select * from controllers") == []


async def test_a_load_says_that_it_waits_for_a_controller_that_is_gone(world: World, run: Run) -> None:
    world.submit(YEAR_2023)
    with running(world) as process, copy_held_up(world, world.one("select id from datasets")["id"], "Olivia"):
        await world.until(COPY_WAITS)
        process.kill()
        process.wait()
    world.query("update controllers set seen_at = now() - interval '1 minute'")
    world.query("update runs set lease_until = now() + interval '1 hour'")
    told = run("jobs", "explain", str(world.one("select id from jobs")["id"])).stdout
    assert "it is ended in" in told
    assert "is gone)" in told
    assert "is gone: not heard of for" in run("status").stdout
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "load", str(YEAR_2023), "--country", "US"],
        env={**os.environ, **world.environment, "AFFIRM_WORKER_HOME": str(world.folder)},
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as load:  # fmt: skip
        assert load.stderr is not None
        said = next(line for line in load.stderr if "waiting for a run whose controller" in line)
        world.query("update runs set lease_until = now()")
        load.stderr.read()
    assert load.returncode == 0
    assert "yob2023.txt" in said
    assert " more, then it runs here" in said


async def test_a_load_that_is_interrupted_gives_back_what_it_cannot_start(world: World, tmp_path: Path) -> None:
    """Else the job would be held until its lease is over."""
    broken = breaks_the_children(tmp_path, "os._exit(1)")
    world.submit(YEAR_2023)
    with running(world, **broken) as process:
        await world.until("select 1 from runs where waits_for = 'unavailable'")
        process.send_signal(signal.SIGINT)
        assert process.wait(100) == 0
    job = world.one("select state, attempts from jobs")
    assert job == {"state": "queued", "attempts": 0}
    run = world.one("select cause, released_at is not null as released from runs")
    assert run == {"cause": "shut_down", "released": True}


def test_a_database_that_is_away_is_said_and_not_given_up(postgres: PostgresServer, tmp_path: Path) -> None:
    """Nobody gives up: it may come back, and then the files are loaded."""
    with PostgresServer(postgres.version) as server:
        url = server.create_database("away")
        migrations.apply(url, iso_countries())
        files = [str(NATIONAL / f"yob20{year}.txt") for year in range(15, 24)]
        settings = {"DATABASE_URL": url, "AFFIRM_WORKER_HOME": str(tmp_path), "WORKER_CONCURRENCY": "1"}
        with subprocess.Popen(
            [sys.executable, "-m", "cli", "load", *files, "--country", "US"],
            env={**os.environ, **settings}, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        ) as load:  # fmt: skip
            with psycopg.connect(url, autocommit=True) as connection:
                while connection.execute("select 1 from jobs where state = 'completed'").fetchone() is None:
                    time.sleep(0.02)
            server.stop()
            assert load.stderr is not None
            said: list[str] = []
            while not said or not said[-1].startswith("waiting: database: "):
                said.append(load.stderr.readline())
                assert said[-1], said
            assert "it is tried again until it passes" in said[-1]
            time.sleep(2)
            server.start()
            said += load.stderr.readlines()
            assert load.wait(100) == 0
    assert not [line for line in said if "error connecting" in line]
    assert len(said) < 30
