"""`affirm-worker watch`: what it shows, what its keys do, and how it leaves the terminal."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.integration.command_line import ROOT, runner
from tests.integration.world import NO_RETRIES, World
from tests.kit.screen import Screen
from tests.kit.terminal import on_terminal
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import FaultProxy

SHOWN, HIDDEN = "\x1b[?25h", "\x1b[?25l"
OTHER_SCREEN, BACK = "\x1b[?1049h", "\x1b[?1049l"


def environment(world: World) -> dict[str, str]:
    home = str(world.folder / "home")
    return {
        **world.environment,
        "AFFIRM_WORKER_HOME": home,
        "PATH": "/usr/bin:/bin",
        "NO_COLOR": "1",
        "LANG": "C.UTF-8",
    }


@contextmanager
def watching(world: World, *arguments: str, **settings: str) -> Iterator[Screen]:
    with on_terminal("watch", *arguments, env={**environment(world), **settings}, lines=24) as terminal:
        screen = Screen(terminal)
        screen.until("POOL")
        yield screen


@pytest.fixture
def lived_in(world: World) -> World:
    """A loaded file, a failed one, one that waits, and a controller that says nothing more."""
    world.submit_small(2020)
    world.submit_small(2021, "Mary,F\n")
    asyncio.run(world.run_until_idle(retry=NO_RETRIES))
    world.submit_small(2022)
    world.query("delete from controllers")
    world.query("insert into controllers (owner, launcher, pools) values ('one', 'process', '{default}')")
    world.query("update controllers set seen_at = now() + interval '1 day'")
    return world


def test_keys_act_on_what_is_chosen(lived_in: World) -> None:
    """A scheduled job is run now, cancelled after a question, and retried; the pool is paused, and resumed."""
    state = "select state, run_at > now() + interval '1 minute' as later from jobs order by key desc limit 1"
    lived_in.query("update jobs set state = 'scheduled', run_at = now() + interval '1 hour' where state = 'queued'")
    with watching(lived_in) as screen:
        screen.until("yob2020.txt", "completed", "failed", "nothing is wrong", "s Pause the pool")
        screen.press("s")
        screen.until("pause pool default?", "y yes")
        screen.press("y")
        screen.until("pool default is paused", "s Resume the pool")
        assert lived_in.one("select paused from pools") == {"paused": True}
        screen.press("sy")
        screen.until("The pool goes on.", "nothing is wrong")
        screen.press("/state:scheduled\r")
        screen.until("JOBS state:scheduled", "yob2022.txt", "n Run now", "c Cancel")
        screen.press("n")
        screen.until("The job runs as soon as there is a slot for it.", "there are no such jobs")
        assert lived_in.one(state) == {"state": "queued", "later": False}
        screen.press("/\x15yob2022\r")
        screen.until("JOBS yob2022", "queued  ", "c Cancel")
        screen.press("c")
        screen.until("cancel job", "(yob2022.txt)?")
        screen.press("x")
        screen.until("nothing is done")
        assert lived_in.one(state)["state"] == "queued"
        screen.press("cy")
        screen.until("The job is cancelled", "cancelled  ", "r Retry now")
        screen.press("r")
        screen.until("The job is queued again.", "queued  ")
        screen.press("\x1b")
        screen.until("JUST HAPPENED")
        screen.press("q")
        assert screen.terminal.end() == 0
    audit = [row["action"] for row in lived_in.query("select action from audit order by id desc limit 5")]
    assert audit == ["job.retry", "job.cancel", "job.set", "pool.resume", "pool.pause"]


def test_stories_are_read_and_the_screen_follows(lived_in: World) -> None:
    """A story is opened, the list of keys, a pause; the terminal becomes larger and smaller."""
    with watching(lived_in, "--every", "0.5") as screen:
        screen.press("/state:failed\r")
        screen.until("JOBS state:failed", "yob2021.txt", "r Retry now")
        screen.press("\r")
        screen.until("is to load yob2021.txt", "rejected (invalid_format)", "what you can do", "more lines")
        screen.press("\x1b[F")
        screen.until_gone("more line")
        screen.press("e")
        screen.until("JOBS state:failed")
        screen.press("\x1b")
        screen.until("JUST HAPPENED")
        screen.press("?")
        screen.until("draw the screen anew")
        screen.press("xp")
        screen.until("paused: p goes on", "JUST HAPPENED")
        lived_in.client.pools.pause("default")
        screen.press("?")
        screen.until("draw the screen anew")
        screen.press("x")
        screen.until("DEPTH", "nothing is wrong")
        screen.press("p")
        screen.until("pool default is paused")
        for columns, lines in ((140, 50), (40, 12)):
            screen.terminal.resize(columns, lines)
            shown = screen.until_size(lines)
            assert max(map(len, shown)) <= columns


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(lived_in: World, number: signal.Signals) -> None:
    """Ctrl-Z gives it back, too. It stops nothing here: the kernel stops no group that nobody could wake."""
    with on_terminal("watch", env=environment(lived_in)) as terminal:
        before = terminal.modes()
        Screen(terminal).until("POOL", "q quit")
        assert terminal.modes() != before
        if number is signal.SIGTERM:
            terminal.process.send_signal(signal.SIGTSTP)
            until = time.monotonic() + 60
            while "q quit" not in terminal.written.partition(BACK)[2]:
                assert terminal.more(until)
            assert terminal.modes() != before
        terminal.process.send_signal(number)
        assert terminal.end() == 128 + number
        assert terminal.written.rfind(SHOWN) > terminal.written.rfind(HIDDEN) > 0
        assert terminal.written.rfind(BACK) > terminal.written.rfind(OTHER_SCREEN)
        assert terminal.modes() == before
        assert "Traceback" not in terminal.written


def test_a_lost_database_is_said_and_comes_back(lived_in: World, postgres: PostgresServer) -> None:
    with FaultProxy(postgres.port) as proxy:
        url = proxy.url(lived_in.conninfo)
        with watching(lived_in, "--every", "0.5", DATABASE_URL=url) as screen:
            screen.until("1 controller")
            with proxy.refusing():
                proxy.cut_all()
                screen.until("nothing newer is known; it is tried again: database", "yob2020.txt", " s old)")
            screen.until("it answers again", "1 controller")
            screen.press("q")
            assert screen.terminal.end() == 0


def test_a_closed_terminal_ends_it(lived_in: World) -> None:
    with watching(lived_in) as screen:
        screen.terminal.hang_up()
        assert screen.terminal.process.wait(60) == 128 + signal.SIGHUP


def test_a_terminal_without_a_keyboard_has_no_keys(lived_in: World) -> None:
    command = ["sh", "-c", f"exec {sys.executable} -m cli watch < /dev/null"]
    with on_terminal(env=environment(lived_in), command=command) as terminal:
        lines = Screen(terminal).until("POOL", "Ctrl-C ends it")
        assert not any(line.startswith("›") for line in lines)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130


@contextmanager
def piped(world: World, *arguments: str) -> Iterator[Callable[[], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "watch", "--every", "0.5", *arguments], cwd=ROOT, env=environment(world),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield process.stdout.readline
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.communicate()


def test_each_change_is_a_line_of_json(lived_in: World) -> None:
    with piped(lived_in, "--json") as line:
        first = json.loads(line())
        assert (first["health"], first["pools"][0]["queued"], len(first["ended"])) == ("all is well", 1, 2)
        lived_in.client.pools.pause("default", "night")
        second = json.loads(line())
        assert second["health"] == "trouble"
        assert second["pools"][0]["why_not_more"] == "pool default is paused (night)"
        assert [one["outlook"] for one in second["problems"]] == ["somebody has to do something"]


def test_a_pipe_gets_a_picture_after_each_change(lived_in: World) -> None:
    with piped(lived_in) as line:
        assert line().startswith("affirm-worker · ")
        lived_in.client.pools.pause("default")
        while "affirm-worker · " not in (said := line()):
            pass
        assert "! trouble" in said


def test_one_picture_is_printed(lived_in: World) -> None:
    lived_in.submit(lived_in.file("名前2023é.txt", "Mary,F,1\n"), year=2023)
    lived_in.client.pools.pause("default", "night")
    run = runner({**environment(lived_in), "PYTHONIOENCODING": "ascii"}, lived_in.folder)
    for columns in ("120", "60"):
        said = run("watch", "--once", COLUMNS=columns).stdout
        assert said.isascii() and "\x1b" not in said
        assert all(len(line) <= int(columns) for line in said.splitlines() if "affirm-worker pools" not in line)
        for text in ("paused (night)", "pools resume default", "RUNNING 0", "JUST HAPPENED", "completed", "rejected"):
            assert text in said
