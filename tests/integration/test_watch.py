"""--watch: in place on a terminal, a line for each change elsewhere, and on when the database is back."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.integration.command_line import ROOT
from tests.integration.world import World
from tests.kit.terminal import on_terminal, plain
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy

SCREEN, BACK = "\x1b[?1049h", "\x1b[?1049l"


@contextmanager
def piped(world: World, *arguments: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments], cwd=ROOT, env={**environment(world), **settings},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def environment(world: World) -> dict[str, str]:
    return {
        **world.environment,
        "AFFIRM_WORKER_HOME": str(world.folder / "home"),
        "PATH": "/usr/bin:/bin",
        "NO_COLOR": "1",
    }


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_list_is_redrawn_on_a_terminal_and_stays_at_the_end(world: World) -> None:
    world.submit_small(2020)
    with on_terminal("jobs", "list", "--watch", env=environment(world)) as terminal:
        assert SCREEN in terminal.until("queued")
        world.query("update jobs set priority = 7")
        world.submit_small(2021)
        terminal.until("yob2021.txt")
        terminal.resize(40)
        assert "not shown: " in plain(terminal.until("--json)"))
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130
    _, _, left = terminal.written.partition(BACK)
    assert "yob2021.txt" in left and "yob2020.txt" in left
    assert "Traceback" not in left


def test_a_list_longer_than_the_terminal_says_so(world: World) -> None:
    for year in range(2000, 2012):
        world.submit_small(year)
    with on_terminal("datasets", "list", "--watch", env=environment(world), lines=10) as terminal:
        terminal.until("more lines")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 143
    assert BACK in terminal.written


def test_each_change_is_a_line_of_json(world: World) -> None:
    first = world.submit_small(2020)
    with piped(world, "jobs", "list", "--watch", "--json") as process:
        assert json.loads(line(process))["state"] == "queued"
        second = world.submit_small(2021)
        assert json.loads(line(process))["id"] == str(second.job_id)
        world.client.jobs.cancel(first.job_id)
        changed = json.loads(line(process))
        assert (changed["id"], changed["state"]) == (str(first.job_id), "cancelled")
        world.client.datasets.delete(first.dataset_id, world.storage)
        assert json.loads(line(process)) == {"id": str(first.job_id), "removed": True}
        process.send_signal(signal.SIGINT)
        assert process.wait(100) == 130


def test_what_leaves_a_filter_is_shown_once_more(world: World) -> None:
    done = world.submit_small(2020)
    with piped(world, "jobs", "list", "--watch", "--state", "queued", "--columns", "file,state") as process:
        assert line(process).split() == ["file", "state"]
        assert line(process).split() == ["yob2020.txt", "queued"]
        world.client.jobs.cancel(done.job_id)
        assert line(process).split() == ["yob2020.txt", "cancelled"]


def test_a_database_that_is_away_is_waited_for(world: World, postgres: PostgresServer) -> None:
    world.submit_small(2020)
    with FaultProxy(postgres.port) as proxy:
        away = {"DATABASE_URL": proxy.url(world.conninfo)}
        with piped(world, "jobs", "list", "--watch", "--json", **away) as process:
            assert json.loads(line(process))["state"] == "queued"
            assert process.stderr is not None
            with proxy.refusing():
                proxy.cut_all()
                assert "it is tried again" in process.stderr.readline()
                world.submit_small(2021)
            assert "the database answers again" in process.stderr.readline()
            assert json.loads(line(process))["filename"] == "yob2021.txt"


def test_a_terminal_keeps_what_was_seen_while_the_database_is_away(world: World, postgres: PostgresServer) -> None:
    world.submit_small(2020)
    with FaultProxy(postgres.port) as proxy:
        settings = {**environment(world), "DATABASE_URL": proxy.url(world.conninfo)}
        with on_terminal("jobs", "list", "--watch", env=settings) as terminal:
            terminal.until("yob2020.txt")
            with proxy.refusing():
                proxy.cut_all()
                terminal.until("it is tried again")
                terminal.until("yob2020.txt")
            terminal.until("Ctrl-C ends")


@pytest.mark.parametrize("as_json", [False, True])
def test_the_status_is_told_when_it_changes(world: World, as_json: bool) -> None:
    def pool(text: str) -> Any:
        return json.loads(text)["pools"][0]["queued"] if as_json else int(text.split()[2])

    with piped(world, "status", "--watch", *(["--json"] if as_json else [])) as process:
        if not as_json:
            while not line(process).startswith("pool"):
                pass
        assert pool(line(process)) == 0
        if not as_json:
            assert "no controller is running" in line(process)
        world.submit_small(2020)
        assert pool(line(process)) == 1
        world.query("insert into controllers (owner, launcher, pools) values ('x', 'process', '{default}')")
        said = line(process)
        assert json.loads(said)["controllers"] if as_json else said == "over: no controller is running\n"


def test_the_status_is_redrawn_on_a_terminal(world: World) -> None:
    with on_terminal("status", "--watch", env=environment(world)) as terminal:
        terminal.until("no controller is running")
        world.submit_small(2020)
        terminal.until("oldest wait")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130


def test_a_reader_that_goes_ends_it_silently(world: World) -> None:
    world.submit_small(2020)
    with piped(world, "jobs", "list", "--watch", "--json") as process:
        line(process)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        world.submit_small(2021)
        process.wait(100)
        assert process.stderr.read() == ""
