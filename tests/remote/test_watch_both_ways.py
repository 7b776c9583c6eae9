"""`affirm-worker watch` shows and does the same over the API as over the database; keys are those of the role."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.world import NO_RETRIES
from tests.kit.screen import Screen
from tests.kit.terminal import on_terminal
from tests.remote.conftest import BothWays, without_where


@pytest.fixture
def lived_in(both: BothWays) -> BothWays:
    """A loaded file, a failed one, one that waits in a paused pool, and a controller that is heard of for long."""
    both.world.submit_small(2020)
    both.world.submit_small(2021, "Mary,F\n")
    asyncio.run(both.world.run_until_idle(retry=NO_RETRIES))
    both.world.submit_small(2022)
    both.world.query("delete from controllers")
    both.world.query(
        "insert into controllers (owner, launcher, pools, seen_at)"
        " values ('one', 'process', '{default}', now() + interval '1 day')"
    )
    return both


@contextmanager
def watching(both: BothWays, role: str) -> Iterator[Screen]:
    home = {"AFFIRM_WORKER_HOME": str(both.world.folder / "no-home"), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"}
    env = {**home, "AFFIRM_WORKER_API": both.address, "AFFIRM_WORKER_KEY": both.api.keys[role], "LANG": "C.UTF-8"}
    with on_terminal("watch", env=env, lines=24) as terminal:
        screen = Screen(terminal)
        screen.until("POOL")
        yield screen


def test_a_picture_is_the_same_both_ways(lived_in: BothWays) -> None:
    lived_in.world.client.pools.pause("default", "night")
    pictures, documents = [], []
    for run in (lived_in.direct, lived_in.remote):
        _, *lines = without_where(run("watch", "--once").stdout, lived_in.world.folder).splitlines()
        pictures.append(lines)
        documents.append(json.loads(run("watch", "--once", "--json").stdout))
    assert pictures[0] == pictures[1]
    for found in documents:
        del found["as_of"], found["controllers"], found["pools"][0]["oldest_wait_seconds"]
    assert documents[0] == documents[1]


def test_an_admin_acts_over_the_api(lived_in: BothWays) -> None:
    with watching(lived_in, "admin") as screen:
        screen.press("/state:queued\r")
        screen.until("JOBS state:queued", "yob2022.txt", "it is the next one", "c Cancel")
        screen.press("cy")
        screen.until("The job is cancelled")
        screen.press("\x1b")
        screen.until("yob2022.txt", "cancelled  ")
        screen.press("/pool:nowhere\r")
        screen.until("pool 'nowhere': there are default")
        screen.press("q")
        assert screen.terminal.end() == 0


def test_a_viewer_has_no_keys_that_act(lived_in: BothWays) -> None:
    with watching(lived_in, "viewer") as screen:
        screen.until("1 controller", "yob2021.txt")
        screen.press("G")
        lines = screen.until("› ")
        assert "Retry" not in lines[-1] and "Pause" not in lines[-1]
        screen.press("rs")
        screen.press("\r")
        screen.until("is to load")
        assert lived_in.world.query("select 1 from audit where action in ('job.retry', 'pool.pause')") == []
        lived_in.world.client.keys.revoke(lived_in.api.keys["viewer"].split("_")[1])
        assert screen.terminal.end(60) == 77
        assert "revoked" in screen.terminal.written
