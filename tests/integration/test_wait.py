"""--wait: until the jobs are over, with the exit codes of a load; whoever breaks it off loses nothing."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.command_line import ROOT, Run, answer, bare, runner, running
from tests.integration.world import World
from tests.kit.terminal import on_terminal, plain
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy


def environment(world: World) -> dict[str, str]:
    return {
        **world.environment,
        "AFFIRM_WORKER_HOME": str(world.folder / "home"),
        "PATH": "/usr/bin:/bin",
        "NO_COLOR": "1",
    }


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    return runner(environment(world), tmp_path)


@contextmanager
def submitting(world: World, *arguments: str | Path, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "submit", *map(str, arguments)], cwd=ROOT,
        env={**environment(world), **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_submission_is_followed_to_its_end(run: Run, world: World) -> None:
    good, bad = world.file("yob2020.txt", "Mary,F,7\n"), world.file("yob2021.txt", "Mary,F\n")
    with running(world):
        done = run("submit", good, "--country", "US", "--wait")
        assert "loaded 1 of 1 file" in done.stdout
        failed = run("submit", bad, good, "missing.txt", "--country", "US", "--wait", code=1)
        assert "1 of 3 files was loaded already" in failed.stdout
        assert "yob2021.txt (job " in failed.stdout and "  missing.txt: no such file" in failed.stdout
        again = answer(run("submit", good, "--country", "US", "--wait", "--json"))
        assert (again["files"], again["already_loaded"]) == (1, 1)


def test_a_controller_that_is_not_there_is_missed_at_once(run: Run, world: World) -> None:
    path = world.file("yob2020.txt", "Mary,F,7\n")
    done = run("submit", path, "--country", "US", "--wait", "--timeout", "1s", code=75)
    assert "no controller that claims from pool default is running: affirm-worker run" in bare(done.stderr)
    assert "not over after 1s; the jobs stay in the queue. To go on watching: affirm-worker jobs list" in bare(
        done.stderr
    )
    assert world.one("select state from jobs")["state"] == "queued"


def test_ctrl_c_leaves_the_jobs_in_the_queue(world: World) -> None:
    path = world.file("yob2020.txt", "Mary,F,7\n")
    with submitting(world, path, "--country", "US", "--wait") as process:
        assert process.stderr is not None
        while "no controller" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "interrupted; the jobs stay in the queue. To go on watching: affirm-worker jobs list --watch" in bare(err)
    assert "not done yet: 1 file" in out
    assert world.one("select state from jobs")["state"] == "queued"


def test_a_terminal_shows_the_progress_and_the_command_on_a_line_of_its_own(world: World) -> None:
    path = world.file("yob2020.txt", "Mary,F,7\n")
    with on_terminal("submit", path, "--country", "US", "--wait", env=environment(world)) as terminal:
        assert "is running:\n" in plain(terminal.until("affirm-worker run\n"))
        with running(world):
            assert terminal.end() == 0
    assert "loaded 1 of 1 file" in terminal.written


def test_a_database_that_is_away_is_waited_for(world: World, postgres: PostgresServer) -> None:
    path = world.file("yob2020.txt", "Mary,F,7\n")
    with FaultProxy(postgres.port) as proxy:
        away = proxy.url(world.conninfo)
        with submitting(world, path, "--country", "US", "--wait", DATABASE_URL=away) as process:
            assert process.stderr is not None
            while "no controller" not in process.stderr.readline():
                pass
            with proxy.refusing():
                proxy.cut_all()
                while "it is tried again" not in process.stderr.readline():
                    pass
            world.client.jobs.cancel(world.one("select id from jobs")["id"])
            out, _ = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "cancelled" in out


def test_what_is_deleted_is_not_waited_for(world: World) -> None:
    path = world.file("yob2020.txt", "Mary,F,7\n")
    with submitting(world, path, "--country", "US", "--wait") as process:
        assert process.stderr is not None
        while "no controller" not in process.stderr.readline():
            pass
        world.client.datasets.delete(world.one("select id from datasets")["id"], world.storage)
        process.communicate(timeout=100)
    assert process.returncode == 1


def test_reprocess_and_retry_wait_too(run: Run, world: World) -> None:
    good, bad = world.submit_small(2020), world.submit_small(2021, "Mary,F\n")
    with running(world):
        failed = run("reprocess", str(good.dataset_id), "--wait", code=65)
        assert "not finished yet" in failed.stderr or "reprocess" in failed.stderr
        run("submit", world.folder / "yob2020.txt", "--country", "US", "--wait")
        done = run("reprocess", str(good.dataset_id), "--wait")
        assert "is completed, 1 rows" in done.stdout
        retried = run("jobs", "retry", str(bad.job_id), "--wait", "--json", code=1)
        assert [job["state"] for job in answer(retried)] == ["failed"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--timeout", "1s"), "it belongs to --wait"),
        (("--wait", "--timeout", "soon"), "a number and its unit"),
        (("--wait", "--dry-run"), "after a dry run"),
    ],
)
def test_what_cannot_be_waited_for_is_wrong_usage(run: Run, options: tuple[str, ...], said: str) -> None:
    done = run("submit", "x.txt", "--country", "US", *options, code=2)
    assert said in " ".join(done.stderr.split())
