"""Schedules of addresses: a changed file becomes one dataset and replaces the last one, whoever dies."""

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from dataset_jobs.model.errors import RunError, Unavailable
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.storage.local import LocalStorage
from dataset_jobs.store.views import ScheduleView
from services.address_look import LookLimits
from services.client import Client
from services.schedules import AtAddress, How, Schedules
from services.sources.request import Patience
from services.ticks import ScanResult, Stopped
from tests.fakes.launcher import FakeLauncher
from tests.faults.actor import Actor, Crashed, Kind, fault_at
from tests.faults.connections import boundaries, sync_connection
from tests.integration.command_line import answer, runner, running
from tests.integration.world import World
from tests.kit.roles import as_role
from tests.kit.submit import submit
from tests.servers.file_server import FileServer, Page, serving

pytestmark = pytest.mark.every_postgres

PAST = "2026-01-01 00:00+00"
FIRST, SECOND, THIRD = (f"Mary,F,{count}\n".encode() for count in (10, 20, 30))
LIMITS = LookLimits(1 << 20, loopback=True)
SOON = replace(LIMITS, patience=Patience(idle=0.5))


class Watched:
    """A world with one schedule, `us`, of an address."""

    def __init__(self, world: World, server: FileServer) -> None:
        self.world, self.server = world, server
        self.page = Page(FIRST)
        self.url = server.at("/yob2020.txt", self.page)
        self.client = Client.connect(world.conninfo)
        self.store = self.client.schedules
        self.store.add("us", "0 3 * * 1", "Europe/Paris", AtAddress(self.url), "US", "default")

    @property
    def storage(self) -> LocalStorage:
        return LocalStorage(self.world.folder / "storage")

    @property
    def schedule(self) -> ScheduleView:
        return self.store.get("us")

    def tick(self, store: Schedules | None = None, limits: LookLimits = LIMITS) -> ScanResult | None:
        """What a thread of a controller does with one tick, which is due."""
        one = store or self.store
        begun = one.claim()
        return None if begun is None else one.do(begun, How(self.storage, limits))

    def look(self, body: bytes | None = None) -> ScanResult:
        """A tick, perhaps of another file."""
        if body is not None:
            self.page.body = body
        self.make_due()
        done = self.tick()
        assert done is not None
        return done

    def make_due(self) -> None:
        self.world.query("update schedules set next_at = %s, not_before = null, holder = null where name = 'us'", PAST)

    def load(self) -> None:
        """Loads all queued files."""
        asyncio.run(self.world.run_until_idle())

    def datasets(self) -> list[dict[str, Any]]:
        return self.world.query("select id, filename, sha256, status, supersedes from datasets order by created_at")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as made:
        yield made


@pytest.fixture
def watched(world: World, server: FileServer) -> Iterator[Watched]:
    made = Watched(world, server)
    with made.client:
        yield made


def counted(world: World) -> list[dict[str, Any]]:
    return world.query("select year, name, count from counted_names")


def test_a_changed_file_takes_the_place_of_the_last_one(watched: Watched) -> None:
    assert [one.file for one in watched.look().submitted] == ["yob2020.txt"]
    assert (watched.schedule.note, watched.schedule.files, watched.schedule.submitted) == ("a new dataset", 1, 1)
    watched.load()
    assert watched.look().submitted == []
    assert watched.schedule.note == "unchanged"
    assert watched.server.headers[-1]["if-none-match"] == watched.page.etag == watched.schedule.etag
    assert len(watched.look(SECOND).submitted) == 1
    first, second = watched.datasets()
    assert second["supersedes"] == [first["id"]]
    watched.load()
    assert counted(watched.world) == [{"year": 2020, "name": "Mary", "count": 20}]
    watched.look(THIRD)
    watched.load()
    assert counted(watched.world)[0]["count"] == 30
    assert watched.datasets()[2]["supersedes"] == [second["id"]], "the one before counts for nothing any more"


def test_without_validators_the_bytes_decide(watched: Watched) -> None:
    watched.page.validators = False
    watched.look()
    watched.load()
    assert (watched.look().note, watched.schedule.etag) == ("unchanged", None)
    assert len(watched.look(SECOND).submitted) == 1
    assert [one["sha256"] for one in watched.datasets()] == list(
        dict.fromkeys(one["sha256"] for one in watched.datasets())
    )


def test_a_file_that_changes_while_the_last_one_waits_is_left_until_then(watched: Watched) -> None:
    watched.look()
    watched.page.body = SECOND
    watched.make_due()
    with pytest.raises(Unavailable, match=r"it has changed, but dataset .* is not loaded yet"):
        watched.tick()
    assert (watched.schedule.failures, len(watched.datasets())) == (1, 1)
    watched.load()
    assert len(watched.look().submitted) == 1
    assert watched.schedule.failures == 0


def test_a_refused_version_is_no_obstacle_for_the_next(watched: Watched) -> None:
    watched.look()
    watched.load()
    watched.look(b"no list\n")
    watched.load()
    first, refused = watched.datasets()
    assert refused["status"] == "failed"
    assert watched.look().note == "unchanged", "it is not submitted again"
    watched.look(THIRD)
    watched.load()
    assert watched.datasets()[2]["supersedes"] == [first["id"]]
    assert counted(watched.world)[0]["count"] == 30


def test_bytes_that_are_a_dataset_already_make_no_job(watched: Watched) -> None:
    """The next version takes its place, as if the schedule had submitted it."""
    by_hand = watched.world.submit(watched.world.file("yob2020.txt", FIRST))
    watched.load()
    assert (watched.look().note, len(watched.datasets())) == ("it is a dataset already", 1)
    assert watched.look().note == "unchanged"
    watched.look(SECOND)
    assert watched.datasets()[1]["supersedes"] == [by_hand.dataset_id]


def test_a_publisher_that_goes_back_is_reported(watched: Watched) -> None:
    for body in (FIRST, SECOND):
        watched.look(body)
        watched.load()
    first, second = watched.datasets()
    assert watched.look(FIRST).error == (
        f"the address has the file of dataset {first['id']} again, which is superseded; delete the newer one to go back"
        " to it"
    )
    watched.client.datasets.delete(second["id"], watched.storage)
    assert watched.look().error is None
    assert counted(watched.world)[0]["count"] == 10


def test_a_deleted_dataset_comes_back(watched: Watched) -> None:
    watched.look()
    watched.load()
    watched.client.datasets.delete(watched.datasets()[0]["id"], watched.storage)
    assert len(watched.look().submitted) == 1


def test_the_hints_of_a_schedule_go_to_its_datasets(watched: Watched) -> None:
    """Also those of a folder."""
    hints = FileHints(year=1999, sex="F", region="US-NY")
    watched.store.remove("us")
    watched.store.add("at", "0 3 * * *", "UTC", AtAddress(watched.url, "names.txt"), "US", "default", 7, hints)
    folder = watched.world.folder / "storage" / "in"
    folder.mkdir()
    (folder / "renamed.txt").write_bytes(SECOND)
    watched.store.add("in", "0 3 * * *", "UTC", "in", "US", "default", 0, hints)
    for name in ("at", "in"):
        watched.store.run(name, watched.storage, 0.0, LIMITS)
    rows = watched.world.query(
        "select filename, year_hint, sex_hint::text, region_hint from datasets order by filename"
    )
    said = {"year_hint": 1999, "sex_hint": "F", "region_hint": "US-NY"}
    assert rows == [{"filename": "names.txt", **said}, {"filename": "renamed.txt", **said}]


@pytest.mark.parametrize(
    ("page", "error", "again"),
    [
        (Page(status=404), "there is nothing at this address (HTTP 404)", False),
        (Page(b"<!doctype html>"), "answered with a page", False),
        (Page(b"x" * (2 << 20)), "more than 1 MiB", False),
        (Page(status=302, headers={"Location": "/yob2020.txt"}), "redirected more than 5 times", False),
        (Page(status=500), "the server is in trouble (HTTP 500)", True),
        (Page(b"Mary,F,1\nAnna,F,2\n", cut=9, promised=18), "it broke off before its end", True),
        (Page(b"Mary,F,1\n", wait=5), "nothing came for 0.5 s", True),
    ],
)
def test_what_goes_wrong_is_on_the_schedule_with_the_next_try(
    watched: Watched, page: Page, error: str, again: bool
) -> None:
    """A server in trouble is asked again after a minute. A refusal waits for the next tick."""
    watched.look()
    watched.load()
    watched.server.at("/yob2020.txt", page)
    watched.make_due()
    try:
        watched.tick(limits=SOON if page.wait else LIMITS)
    except Unavailable:
        assert again
    else:
        assert not again
    schedule = watched.schedule
    assert schedule.error is not None
    assert schedule.error.startswith(f"{watched.url}: ")
    assert error in schedule.error
    assert (schedule.failures, schedule.again_at is not None) == ((1, True) if again else (0, False))
    assert len(watched.datasets()) == 1
    watched.server.at("/yob2020.txt", watched.page)
    assert watched.look().note == "unchanged"
    assert watched.schedule.error is None


def test_a_moved_file_is_followed_and_reported(watched: Watched) -> None:
    new = watched.server.at("/new/yob2020.txt", watched.page)
    watched.server.at("/yob2020.txt", Page(status=301, headers={"Location": new}))
    assert watched.look().note == f"a new dataset; moved for good to {new}"


def test_this_machine_is_asked_only_where_it_may_be(watched: Watched) -> None:
    watched.make_due()
    done = watched.tick(limits=LookLimits())
    assert done is not None and "SCHEDULE_ALLOW_LOOPBACK" in (done.error or "")
    assert watched.server.asked == []


@pytest.mark.parametrize("url", ["https://me:pw@example.org/a.txt", "https://example.org/a.txt?token=pw"])
def test_a_schedule_keeps_no_password(watched: Watched, url: str) -> None:
    with pytest.raises(InvalidRequest, match="holds a password or a token") as refused:
        watched.store.add("new", "0 3 * * *", "UTC", AtAddress(url), "US", "default")
    assert "pw" not in str(refused.value).replace("password", "")


def test_of_two_looks_at_once_one_submits(watched: Watched) -> None:
    """One downloads for so long that another one begins, and overtakes it."""

    def overtake() -> None:
        watched.page.then = lambda: None
        watched.make_due()
        with Client.connect(watched.world.conninfo) as other:
            assert watched.tick(other.schedules) is not None

    watched.page.then = overtake
    watched.make_due()
    with pytest.raises(Stopped):
        watched.tick()
    assert len(watched.datasets()) == 1
    assert len([path for path in (watched.world.folder / "storage").rglob("*") if path.is_file()]) == 1


@pytest.mark.one_postgres
@pytest.mark.parametrize("kind", [Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.ANSWER_LOST])
def test_a_look_that_is_broken_off_anywhere_is_done_once(watched: Watched, kind: Kind) -> None:
    """Between download and submit, between submit and the validators, and everywhere else."""
    watched.look()
    watched.load()
    [first] = watched.datasets()
    watched.page.body = SECOND
    watched.make_due()
    found = boundaries(watched.world.conninfo, lambda store: watched.tick(store.schedules))
    assert len(found) > 10
    for at, occurrence in found:
        watched.world.query("delete from datasets where id <> %s", first["id"])
        watched.world.query("delete from schedule_versions where sha256 <> %s", first["sha256"])
        watched.world.query("update schedules set etag = null, last_modified = null")
        watched.make_due()
        actor = Actor(fault_at(at, occurrence, kind))
        with Client.connect(watched.world.conninfo, connection_class=sync_connection(actor)) as store:
            try:
                watched.tick(store.schedules)
            except (Crashed, RunError):
                actor.die()
        watched.world.query("update schedules set not_before = null, holder = null")
        watched.tick()
        made = [one for one in watched.datasets() if one["id"] != first["id"]]
        assert [one["supersedes"] for one in made] == [[first["id"]]], f"{kind} at {at}"
        assert watched.schedule.etag == watched.page.etag, f"{kind} at {at}"
        assert watched.tick() is None, f"{kind} at {at}"
        uri = watched.world.one("select storage_uri from datasets where id = %s", made[0]["id"])["storage_uri"]
        assert (watched.world.folder / "storage" / uri.removeprefix("local:")).exists()


def test_a_controller_that_is_killed_in_a_download_loses_nothing(watched: Watched) -> None:
    """The next one begins again when the first was silent for too long; nothing of the half file is kept."""
    watched.page.body, watched.page.step, watched.page.wait = FIRST * 2, 5, 0.2
    watched.make_due()
    allowed = {"SCHEDULE_ALLOW_LOOPBACK": "true"}
    with running(watched.world, **allowed) as killed:
        deadline = time.monotonic() + 100
        while not watched.server.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        killed.kill()
        killed.wait()
    assert (watched.schedule.looking, watched.datasets()) == (True, [])
    watched.page.body, watched.page.wait = FIRST, 0.0
    watched.make_due()
    with running(watched.world, "--until-idle", **allowed) as done:
        assert done.wait(100) == 0
    assert [one["status"] for one in watched.datasets()] == ["completed"]
    assert counted(watched.world) == [{"year": 2020, "name": "Mary", "count": 10}]


def test_a_schedule_that_is_removed_meanwhile_submits_nothing(watched: Watched) -> None:
    def remove() -> None:
        with Client.connect(watched.world.conninfo) as other:
            other.schedules.remove("us")

    watched.page.then = remove
    watched.make_due()
    with pytest.raises(Stopped):
        watched.tick()
    assert watched.datasets() == []


def test_a_download_notices_that_its_schedule_is_gone(watched: Watched) -> None:
    def remove() -> None:
        with Client.connect(watched.world.conninfo) as other:
            other.schedules.remove("us")

    watched.page.body, watched.page.step, watched.page.wait, watched.page.then = b"x" * 1000, 1, 0.05, remove
    watched.make_due()
    with pytest.raises(Stopped):
        watched.tick(limits=replace(LIMITS, hold_seconds=0.0))


def test_the_role_of_the_controller_is_enough(watched: Watched) -> None:
    with Client.connect(as_role(watched.world.conninfo, "affirm_controller")) as client:
        for body in (FIRST, SECOND):
            watched.page.body = body
            assert len(client.schedules.run("us", watched.storage, 0.0, LIMITS).submitted) == 1
            watched.load()


async def test_the_loop_does_not_wait_for_a_slow_server(watched: Watched) -> None:
    watched.page.wait = 3.0
    watched.make_due()
    async with watched.world.controller(FakeLauncher()) as reconciler:
        assert reconciler.schedules is not None
        reconciler.schedules.limits = LookLimits(loopback=True)
        await reconciler.tick()
        other = watched.world.file("yob1999.txt", "Anna,F,9\n")
        job = submit(watched.client, watched.world.storage, other).job_id
        await reconciler.tick()
        assert watched.world.one("select state from jobs where id = %s", job)["state"] == "running"
        async with asyncio.timeout(100):
            while not watched.server.asked:
                await asyncio.sleep(0.01)
    assert [one["filename"] for one in watched.datasets()] == ["yob1999.txt"]
    assert not watched.schedule.looking


async def test_the_log_tells_of_a_trouble_once(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    watched.server.at("/yob2020.txt", Page(status=404))
    caplog.set_level(logging.INFO)
    async with watched.world.controller(FakeLauncher()) as reconciler:
        assert reconciler.schedules is not None
        reconciler.schedules.limits = LIMITS
        for number in (1, 2, 3):
            watched.make_due()
            async with asyncio.timeout(100):
                while len(watched.server.asked) < number or watched.schedule.looking:
                    await reconciler.tick()
                    await asyncio.sleep(0.05)
        watched.server.at("/yob2020.txt", watched.page)
        watched.make_due()
        async with asyncio.timeout(100):
            while not watched.datasets():
                await reconciler.tick()
                await asyncio.sleep(0.05)
    said = [one.getMessage() for one in caplog.records if "schedule us" in one.getMessage()]
    assert len([line for line in said if "nothing at this address" in line]) == 1
    assert "submitted by schedule us" in said


def test_a_schedule_is_added_shown_and_run_by_hand(database: str, tmp_path: Path, server: FileServer) -> None:
    run = runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path)}, tmp_path)
    run("load", tmp_path / "none.txt", "-c", "US", code=1)  # makes pool and storage
    url = server.at("/names.txt", Page(FIRST))
    said = ("--cron", "0 3 * * *", "-c", "US")
    assert "SCHEDULE_ALLOW_LOOPBACK" in run("schedules", "add", "us", *said, "--url", url, code=65).stderr
    allowed = {"SCHEDULE_ALLOW_LOOPBACK": "true"}
    done = run("schedules", "add", "us", *said, "--url", url, "--year", "2020", **allowed)
    assert done.stdout.splitlines()[0].startswith(f"schedule us looks at {url} next at ")
    assert "its file is names.txt" in done.stdout
    assert "not encrypted" in done.stderr
    done = run("schedules", "run", "us", **allowed)
    assert len([line for line in (done.stdout + done.stderr).splitlines() if "names.txt" in line]) == 1
    assert "year 2020" in run("schedules", "show", "us").stdout
    shown = answer(run("schedules", "show", "us", "--json"))
    assert (shown["url"], shown["note"], shown["year_hint"]) == (url, "a new dataset", 2020)
    assert url in run("schedules", "list").stdout
    gone = f"{server.url}/gone.txt"
    refused = run("schedules", "add", "gone", *said, "--url", gone, code=65, **allowed).stderr
    assert "there is nothing at this address (HTTP 404); with --no-check the schedule is added all the same" in refused
    run("schedules", "add", "gone", *said, "--url", gone, "--no-check")
    assert "HTTP 404" in run("schedules", "run", "gone", code=65, **allowed).stderr
    assert "give one of the two" in run("schedules", "add", "x", *said, code=2).stderr
    assert "give one of the two" in run("schedules", "add", "x", *said, "--url", url, "--location", "in", code=2).stderr


def test_a_folder_is_looked_for_when_its_schedule_is_added(database: str, tmp_path: Path) -> None:
    run = runner({"DATABASE_URL": database, "AFFIRM_WORKER_HOME": str(tmp_path)}, tmp_path)
    run("load", tmp_path / "none.txt", "-c", "US", code=1)
    said = ("--cron", "0 3 * * *", "-c", "US", "--location")
    assert "there is no folder local:in; with --no-check" in run("schedules", "add", "a", *said, "in", code=65).stderr
    refused = run("schedules", "add", "a", *said, "/elsewhere", code=65).stderr
    assert "is not below" in refused and "copy the files to a folder below it" in refused
    assert "leads out of" in run("schedules", "add", "a", *said, "../in", code=65).stderr
    assert "is not in local storage" in run("schedules", "add", "a", *said, "s3://b/in", code=65).stderr
    run("schedules", "add", "a", *said, "in", "--no-check")
    (tmp_path / "storage" / "new").mkdir()
    assert "nothing lies there yet" in run("schedules", "add", "b", *said, "new").stdout


def test_versions_are_of_the_schedule_alone(watched: Watched) -> None:
    """Another schedule's datasets keep their place."""
    other = watched.server.at("/yob2021.txt", Page(b"Mary,F,5\n"))
    watched.store.add("other", "0 3 * * *", "UTC", AtAddress(other), "US", "default")
    watched.look()
    watched.store.run("other", watched.storage, 0.0, LIMITS)
    watched.load()
    watched.look(SECOND)
    assert [UUID(str(one)) for one in watched.datasets()[2]["supersedes"]] == [watched.datasets()[0]["id"]]
