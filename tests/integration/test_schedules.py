"""Recurring submissions: files in a folder of storage become datasets, each tick once, even if somebody dies in it."""

import asyncio
import hashlib
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from controller.loop import Reconciler
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, RunError, Unavailable
from dataset_jobs.model.requests import Conflict, InvalidRequest, NotFound
from dataset_jobs.storage import StorageConfig, open_storage
from dataset_jobs.storage.local import LocalStorage
from dataset_jobs.store.views import ScheduleView
from services.client import Client
from services.cron import next_tick
from services.schedules import How, Schedules
from services.ticks import ScanResult, Stopped
from tests.fakes.launcher import FakeLauncher
from tests.faults.actor import Actor, Crashed, Kind, fault_at
from tests.faults.connections import boundaries, sync_connection
from tests.integration.world import World
from tests.kit.submit import submit
from tests.servers.versitygw import VersityGateway

pytestmark = pytest.mark.every_postgres

PAST = "2026-01-01 00:00+00"


class Folder:
    """A world with one schedule, `us`, of the folder in/us."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.path = world.folder / "storage" / "in" / "us"
        self.path.mkdir(parents=True)
        self.client = Client.connect(world.conninfo)
        self.store = self.client.schedules
        self.store.add("us", "0 3 * * 1", "Europe/Paris", "in/us", "US", "default", priority=4)

    def drop(self, *years: int) -> None:
        """Publishers' files, one a year."""
        for year in years:
            (self.path / f"yob{year}.txt").write_text(f"Mary,F,{year}\n")

    def make_due(self) -> None:
        self.world.query("update schedules set next_at = %s, not_before = null", PAST)

    def tick(self, store: Schedules | None = None, storage: LocalStorage | None = None) -> ScanResult | None:
        """What a thread of a controller does with one tick; None if there is nothing to do."""
        one = store or self.store
        begun = one.claim()
        if begun is None:
            return None
        return one.do(begun, How(storage or self.storage, min_unchanged_seconds=0.0))

    @property
    def storage(self) -> LocalStorage:
        return LocalStorage(self.world.folder / "storage")

    @property
    def schedule(self) -> ScheduleView:
        return self.store.get("us")

    def jobs(self) -> list[str]:
        """The files that there are jobs for."""
        rows = self.world.query("select filename from jobs join datasets on datasets.id = dataset_id order by filename")
        return [row["filename"] for row in rows]


@pytest.fixture
def folder(world: World) -> Iterator[Folder]:
    made = Folder(world)
    with made.client:
        yield made


def names(*years: int) -> list[str]:
    return [f"yob{year}.txt" for year in years]


def test_a_tick_submits_each_file_once(folder: Folder) -> None:
    """The next tick submits only new files."""
    assert folder.tick() is None, "not due yet"
    folder.drop(2001, 2002)
    folder.make_due()
    assert folder.tick() is not None
    assert folder.jobs() == names(2001, 2002)
    assert folder.tick() is None, "done"
    job = folder.world.one("select pool, priority, state, type from jobs limit 1")
    assert job == {"pool": "default", "priority": 4, "state": "queued", "type": "parse_dataset"}
    after = folder.schedule
    assert (after.files, after.submitted, after.error, after.failures, after.looking) == (2, 2, None, 0, False)
    folder.drop(2003)
    folder.make_due()
    folder.tick()
    assert folder.jobs() == names(2001, 2002, 2003)
    assert (folder.schedule.files, folder.schedule.submitted) == (3, 1)


async def test_a_controller_does_it_and_loads_the_files_which_are_its_own_copies(folder: Folder) -> None:
    folder.drop(2001, 2002)
    folder.make_due()
    await folder.world.run_until_idle()
    datasets = folder.world.client.datasets.list()
    assert [(one.status, one.row_count) for one in datasets] == [("completed", 1)] * 2
    assert not [one for one in datasets if "in/us" in one.storage_uri]
    folder.store.remove("us")
    folder.world.client.datasets.reprocess(datasets[0].id)
    (folder.path / datasets[0].filename).unlink()
    await folder.world.run_until_idle()
    assert folder.world.dataset(datasets[0].id)["status"] == "completed"


def test_one_tick_makes_up_for_many_missed_ones(folder: Folder) -> None:
    """The next one is in the future."""
    folder.make_due()
    assert folder.tick() is not None
    assert folder.tick() is None
    clock = folder.world.one("select now()")["now"]
    assert folder.schedule.next_at == next_tick("0 3 * * 1", "Europe/Paris", clock)


def test_a_file_is_read_again_only_where_it_has_changed(folder: Folder) -> None:
    opened: list[str] = []

    class Counting(LocalStorage):
        def open(self, uri: str) -> BinaryIO:
            opened.append(uri)
            return super().open(uri)

    def tick() -> list[str]:
        opened.clear()
        folder.make_due()
        folder.tick(storage=Counting(folder.world.folder / "storage"))
        return sorted(set(opened))

    folder.drop(2001, 2002)
    assert tick() == ["local:in/us/yob2001.txt", "local:in/us/yob2002.txt"]
    assert tick() == []
    (folder.path / "yob2001.txt").write_text("Mary,F,9\n")
    assert tick() == ["local:in/us/yob2001.txt"]
    assert tick() == []
    assert folder.jobs() == names(2001, 2001, 2002)


def test_the_same_bytes_are_the_same_dataset_wherever_they_come_from(folder: Folder) -> None:
    by_hand = folder.world.submit(folder.world.file("by-hand.txt", "Mary,F,2001\n"), year=2001)
    folder.drop(2001)
    (folder.path / "again").mkdir()
    (folder.path / "again" / "copy.txt").write_text("Mary,F,2001\n")
    folder.make_due()
    folder.tick()
    assert folder.jobs() == ["by-hand.txt"]
    folder.world.query("update jobs set state = 'cancelled', finished_at = now() where id = %s", by_hand.job_id)
    folder.make_due()
    folder.tick()
    assert folder.jobs() == ["by-hand.txt"], "a dataset that failed or was cancelled is left to people"


def test_a_dataset_that_was_deleted_comes_back_while_its_file_lies_there(folder: Folder) -> None:
    folder.drop(2001)
    folder.make_due()
    folder.tick()
    [dataset] = folder.world.client.datasets.list()
    folder.world.client.datasets.delete(dataset.id, folder.storage)
    folder.make_due()
    folder.tick()
    assert folder.jobs() == names(2001)
    (folder.path / "yob2001.txt").unlink()
    folder.make_due()
    folder.tick()
    assert folder.world.query("select * from schedule_files") == []


def test_of_any_number_at_once_one_does_a_tick(folder: Folder) -> None:
    folder.drop(2001)
    folder.make_due()
    with Client.connect(folder.world.conninfo) as other:
        begun = folder.store.claim()
        assert begun is not None
        assert other.schedules.claim() is None
        with pytest.raises(Conflict, match="being done"):
            other.schedules.run("us", folder.storage)
        folder.world.query("update schedules set not_before = now() - interval '1 second'")  # not heard of any more
        taken_over = other.schedules.claim()
        assert taken_over is not None
        assert taken_over.tick == begun.tick
        with pytest.raises(Stopped):
            folder.store.do(begun, How(folder.storage, min_unchanged_seconds=0.0))
        assert folder.jobs() == []
        assert folder.schedule.looking, "the one who was late has not ended the other's look"
        other.schedules.do(taken_over, How(folder.storage, min_unchanged_seconds=0.0))
    assert folder.jobs() == names(2001)
    assert folder.tick() is None


@pytest.mark.one_postgres
@pytest.mark.parametrize("kind", [Kind.CRASH_BEFORE, Kind.CRASH_AFTER, Kind.ANSWER_LOST])
def test_a_tick_that_is_broken_off_anywhere_is_done_once_by_whoever_comes_next(folder: Folder, kind: Kind) -> None:
    folder.drop(2001, 2002)
    folder.make_due()
    found = boundaries(folder.world.conninfo, lambda store: folder.tick(store.schedules))
    assert len(found) > 15
    for at, occurrence in found:
        folder.world.query("delete from datasets")
        folder.make_due()
        folder.world.query("update schedules set holder = null")
        actor = Actor(fault_at(at, occurrence, kind))
        with Client.connect(folder.world.conninfo, connection_class=sync_connection(actor)) as store:
            try:
                folder.tick(store.schedules)
            except (Crashed, RunError):
                actor.die()
        # However far it came: the lease is over, and so is the wait after an error.
        folder.world.query("update schedules set not_before = null, holder = null where holder is not null")
        folder.world.query("update schedules set not_before = null")
        folder.tick()
        assert folder.jobs() == names(2001, 2002), f"{kind} at {at}"
        assert folder.tick() is None, f"{kind} at {at}"
        datasets = folder.world.client.datasets.list()
        assert all(
            (folder.world.folder / "storage" / one.storage_uri.removeprefix("local:")).exists() for one in datasets
        )


@pytest.mark.parametrize("error", [Unavailable("away", Reason.STORAGE), Forbidden("no", Reason.STORAGE)])
def test_an_unreadable_folder_keeps_its_tick_and_its_error(folder: Folder, error: RunError) -> None:
    """No other schedule waits for it."""

    class Away(LocalStorage):
        def files(self, location: str) -> Iterator[object]:  # type: ignore[override]
            if location == "in/us":
                raise error
            return super().files(location)

    storage = Away(folder.world.folder / "storage")
    folder.store.add("other", "* * * * *", "UTC", "in", "SE", "default")
    folder.make_due()
    with pytest.raises(type(error)):
        for _ in range(2):
            folder.tick(storage=storage)
    folder.tick(storage=storage)
    assert folder.store.get("other").looked_at is not None
    schedule = folder.schedule
    assert (schedule.failures, schedule.error, schedule.next_at) == (1, str(error), datetime(2026, 1, 1, tzinfo=UTC))
    assert schedule.again_at is not None
    assert schedule.again_at > folder.world.one("select now()")["now"]
    assert folder.world.client.status().failing == [schedule]
    assert folder.tick() is None, "not before then"
    folder.world.query("update schedules set not_before = now() - interval '1 second'")
    folder.tick()
    assert (folder.schedule.failures, folder.schedule.error) == (0, None)


def test_one_bad_file_keeps_no_other_back_and_is_named(folder: Folder) -> None:
    class Picky(LocalStorage):
        def open(self, uri: str) -> BinaryIO:
            if "2002" in uri:
                raise Forbidden(f"storage: {uri}: permission denied", Reason.STORAGE)
            return super().open(uri)

    folder.drop(2001, 2002, 2003)
    folder.make_due()
    folder.tick(storage=Picky(folder.world.folder / "storage"))
    assert folder.jobs() == names(2001, 2003)
    assert folder.schedule.error is not None
    assert folder.schedule.error.startswith("1 of 3 files not submitted; yob2002.txt: storage: local:in/us/yob2002.txt")
    folder.make_due()
    folder.tick()
    assert folder.jobs() == names(2001, 2002, 2003)
    assert folder.schedule.error is None


def test_a_file_that_is_being_written_is_left_until_it_is_whole(folder: Folder) -> None:
    class Growing(LocalStorage):
        """The second look at the folder finds one of its files longer."""

        looks = 0

        def files(self, location: str) -> Iterator[object]:  # type: ignore[override]
            self.looks += 1
            if self.looks == 2:
                (folder.path / "yob2001.txt").write_text("Mary,F,2001\nAnna,F,1999\n")
            return super().files(location)

    folder.drop(2001, 2002)
    folder.make_due()
    folder.tick(storage=Growing(folder.world.folder / "storage"))
    assert folder.jobs() == names(2002)
    assert (folder.schedule.failures, folder.schedule.error) == (
        1, "1 of 2 files not submitted; yob2001.txt: storage: it is being written just now",
    )  # fmt: skip
    folder.world.query("update schedules set not_before = null")
    folder.tick()
    assert folder.jobs() == names(2001, 2002)
    assert (folder.world.folder / "storage").joinpath(
        folder.world.one("select storage_uri from datasets where filename = 'yob2001.txt'")["storage_uri"][6:]
    ).read_text().count("\n") == 2


def test_a_file_that_changes_meanwhile_is_not_submitted(folder: Folder) -> None:
    """It changes between its hash and its copy."""

    class Changing(LocalStorage):
        def put(self, key: str, content: BinaryIO) -> str:
            (folder.path / "yob2001.txt").write_text("Anna,F,1999\n")  # in place: the open file sees it
            return super().put(key, content)

    folder.drop(2001)
    folder.make_due()
    folder.tick(storage=Changing(folder.world.folder / "storage"))
    assert folder.jobs() == []
    assert folder.schedule.error is not None and "changed while it was read" in folder.schedule.error
    assert [path for path in (folder.world.folder / "storage" / "US").rglob("*") if path.is_file()] == []


def test_a_paused_schedule_waits_and_makes_up_for_what_it_missed_once(folder: Folder) -> None:
    assert folder.store.pause("us", True).paused
    folder.drop(2001)
    folder.make_due()
    assert folder.tick() is None
    with folder.world.listening() as notified:
        folder.store.pause("us", False)
        assert notified()
    assert folder.tick() is not None
    assert folder.tick() is None


def test_a_look_by_hand_is_at_any_time_and_leaves_the_ticks_alone(folder: Folder) -> None:
    before = folder.store.pause("us", True).next_at
    folder.drop(2001)
    looked = folder.store.run("us", folder.storage, min_unchanged_seconds=0.0)
    assert [found.file for found in looked.submitted] == names(2001) == folder.jobs()
    assert folder.schedule.next_at == before
    assert folder.store.run("us", folder.storage, min_unchanged_seconds=0.0).submitted == []


def test_a_schedule_that_is_removed_submits_nothing_more(folder: Folder) -> None:
    class Removing(LocalStorage):
        def put(self, key: str, content: BinaryIO) -> str:
            uri = super().put(key, content)
            with Client.connect(folder.world.conninfo) as other:
                other.schedules.remove("us")
            return uri

    folder.drop(2001)
    folder.make_due()
    with pytest.raises(Stopped):
        folder.tick(storage=Removing(folder.world.folder / "storage"))
    assert folder.jobs() == []
    assert list((folder.world.folder / "storage" / "US").iterdir()) == []
    with pytest.raises(NotFound):
        folder.store.remove("us")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "No Such"}, "lower-case letters"),
        ({"cron": "0 3 * *"}, "expected minute, hour"),
        ({"timezone": "Mars/Olympus"}, "no time zone"),
        ({"country": "UK"}, "did you mean GB"),
        ({"pool": "nowhere"}, "there is no pool"),
        ({"location": "US"}, "files of datasets"),
        ({"location": "FR/in"}, "files of datasets"),
        ({"name": "us"}, "already"),
    ],
)
def test_what_cannot_be_is_refused(folder: Folder, change: dict[str, str], said: str) -> None:
    right = {
        "name": "new",
        "cron": "0 3 * * 1",
        "timezone": "UTC",
        "location": "in",
        "country": "US",
        "pool": "default",
    }
    it = right | change
    with pytest.raises(InvalidRequest, match=said):
        folder.store.add(it["name"], it["cron"], it["timezone"], it["location"], it["country"], it["pool"])
    assert [one.name for one in folder.store.list()] == ["us"]


async def a_while_later(folder: Folder, reconciler: Reconciler) -> None:
    """Ticks of the loop until nothing is due."""
    async with asyncio.timeout(60):
        while folder.world.query(
            "select name from schedules where next_at < now() and not_before is null or holder is not null"
        ):
            await reconciler.tick()
            await asyncio.sleep(0.02)


async def test_the_loop_does_not_wait_for_a_folder(
    folder: Folder,
) -> None:
    """A controller that stops releases the tick of a folder that does not answer."""
    folder.drop(2001)
    folder.make_due()
    async with folder.world.controller(FakeLauncher()) as reconciler:
        schedules = reconciler.schedules
        assert schedules is not None
        schedules.min_unchanged_seconds = 3.0  # as good as a folder that does not answer
        await reconciler.tick()
        other = folder.world.file("yob1999.txt", "Anna,F,9\n")
        job = submit(folder.world.client, folder.world.storage, other).job_id
        await reconciler.tick()
        assert folder.world.one("select state from jobs where id = %s", job)["state"] == "running"
        async with asyncio.timeout(100):
            while not folder.schedule.looking:
                await asyncio.sleep(0.01)
    assert not folder.schedule.looking
    assert folder.jobs() == names(1999)
    async with folder.world.controller(FakeLauncher(), owner="b") as reconciler:
        await a_while_later(folder, reconciler)
    assert folder.jobs() == names(1999, 2001)


async def test_the_loop_wakes_for_a_tick_and_an_idle_controller_has_done_it(folder: Folder) -> None:
    async with folder.world.store() as store:
        seconds = await store.seconds_until_due(["default"])
        assert seconds is not None and 0 < seconds <= timedelta(days=7, hours=1).total_seconds()
        folder.make_due()
        counts = await store.count_jobs(["default"])
        assert (counts.ticks, counts.idle) == (1, False)
        folder.tick()
        assert (await store.count_jobs(["default"])).idle


def test_a_folder_in_s3_is_looked_through_as_well(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with VersityGateway(tmp_path / "s3") as server:
        server.make_bucket("names")
        for name, value in server.credentials().items():
            monkeypatch.setenv(name, value)
        storage = open_storage(StorageConfig.from_env(server.storage_env("names", "files")))
        for year in (2001, 2002):
            storage.put(f"in/us/yob{year}.txt", io.BytesIO(f"Mary,F,{year}\n".encode()))
        for expected in (names(2001, 2002), []):
            looked = folder.store.run("us", storage, min_unchanged_seconds=0.0)
            assert (looked.files, [found.file for found in looked.submitted]) == (2, expected)
        for dataset in folder.world.client.datasets.list():
            with storage.open(dataset.storage_uri) as content:
                assert hashlib.sha256(content.read()).hexdigest() == dataset.sha256
        server.stop()
        with pytest.raises(Unavailable):
            folder.store.run("us", storage, min_unchanged_seconds=0.0)
        assert folder.schedule.failures == 1
