"""The primary dies before its standby has heard of the last commits: history goes back, and epochs with it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from app.countries import iso_countries
from dataset_jobs import migrations
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import LostLease, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.report import Report
from dataset_jobs.store.runner import Loaded, RunnerStore
from services.client import Client
from tests.integration.world import World
from tests.kit.runners import proven
from tests.outages.inline import InlineLauncher, until_idle
from tests.outages.invariants import check_finished
from tests.servers.postgres import DURABLE, PostgresServer, Standby
from tests.servers.postgres_faults import Fault, FaultProxy, Kind

COVERED = [Covered(2020, "F", 1, 1)]
LOADED = Loaded("zombie", "births", None, None, COVERED, None, Report("yob2020.txt", "US", totals=COVERED, smallest=1))


class Pair(NamedTuple):
    """A primary and its standby, one way to whichever is the primary, and the way between the two."""

    primary: PostgresServer
    standby: Standby
    service: FaultProxy
    replication: FaultProxy
    world: World

    def wait_for_standby(self) -> None:
        """Until it has all that the primary has."""
        query = """select 1 from pg_stat_replication where replay_lsn = pg_current_wal_lsn()"""
        direct = World(self.primary.url("test"), self.world.folder)
        until = time.monotonic() + 100
        while not direct.query(query):
            assert time.monotonic() < until
            time.sleep(0.02)

    def split(self) -> None:
        """From now on the standby hears of nothing."""
        self.wait_for_standby()
        self.replication.stall()

    def fail_over(self) -> None:
        """The primary is gone, and the standby takes its place."""
        self.primary.stop("immediate")
        self.replication.cut_all()
        self.standby.promote()
        self.use(self.standby)

    def use(self, server: PostgresServer) -> None:
        """Moves the service to a server."""
        self.service.upstream = server.port
        self.service.cut_all()
        self.world.client.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        primary = stack.enter_context(PostgresServer(settings=DURABLE))
        database = primary.create_database("test")
        migrations.apply(database, iso_countries())
        replication = stack.enter_context(FaultProxy(primary.port))
        standby = stack.enter_context(Standby(primary, replication.port))
        service = stack.enter_context(FaultProxy(primary.port))
        world = World(service.url(database), tmp_path)
        stack.callback(world.client.close)
        yield Pair(primary, standby, service, replication, world)


async def test_a_commit_that_the_standby_has_not_heard_of_is_made_again_and_once(pair: Pair) -> None:
    world = pair.world
    result = world.submit(world.file("yob2020.txt", "Mary,F,2020\nJohn,M,7\n"))
    launcher = InlineLauncher(world.storage_config, world.conninfo)
    async with world.controller(launcher) as reconciler:
        # The run is taken; its load is not to be heard of.
        pair.service.arm(Fault(Kind.PASS, who="parser-runner", sql="-- load.begin", meanwhile=pair.split))
        await reconciler.tick()
        assert launcher.outcomes[RunKey(result.job_id, 1)].cause is Cause.COMPLETED
        assert world.job(result.job_id)["state"] == "completed"
        pair.fail_over()
        assert (world.job(result.job_id)["state"], world.rows(result.dataset_id)) == ("running", 0)
        await until_idle(world, reconciler)
    check_finished(world)
    assert world.rows(result.dataset_id) == 2
    causes = [run["cause"] for run in world.query("select cause from runs order by epoch")]
    assert causes == ["left_without_commit", "completed"]


async def test_a_runner_of_a_history_that_is_lost_cannot_commit_under_the_same_epoch(pair: Pair) -> None:
    world = pair.world
    result = world.submit(world.file("yob2020.txt", "Mary,F,2020\n"))
    key = RunKey(result.job_id, 1)
    pair.split()
    async with world.controller(InlineLauncher(world.storage_config, world.conninfo), "old") as reconciler:
        launcher = reconciler.context.launcher
        assert isinstance(launcher, InlineLauncher)
        launcher.held = True
        await reconciler.tick()
    with RunnerStore(world.conninfo, key, proven(world.conninfo, key, "zombie")) as store:
        assignment = store.take()
    pair.fail_over()
    assert world.job(result.job_id)["lease_epoch"] == 0

    def zombie_commits_nothing() -> None:
        row = f"{assignment.dataset_key}\t2020\tZombie\tF\tzombie\t1\n".encode()
        with RunnerStore(world.conninfo, key, proven(world.conninfo, key, "zombie")) as zombie:
            assert not zombie.heartbeat(1, 1)
            with pytest.raises(LostLease):
                zombie.load(assignment, [row], LOADED, 1)

    zombie_commits_nothing()
    launcher = InlineLauncher(world.storage_config, world.conninfo)
    launcher.held = True
    async with world.controller(launcher, "new") as reconciler:
        await reconciler.tick()
        assert launcher.launches == [key]  # the same epoch once more
        zombie_commits_nothing()
        with RunnerStore(world.conninfo, key, proven(world.conninfo, key, "the new one")) as store:
            store.take()
        zombie_commits_nothing()
        launcher.lose(key)
        launcher.held = False
        await until_idle(world, reconciler)
    check_finished(world)
    assert [row["name"] for row in world.query("select name from names")] == ["Mary"]


async def test_a_standby_that_is_not_promoted_counts_as_a_database_that_is_away(pair: Pair) -> None:
    world = pair.world
    result = world.submit(world.file("yob2020.txt", "Mary,F,2020\n"))
    pair.wait_for_standby()
    pair.use(pair.standby)
    async with world.controller(InlineLauncher(world.storage_config, world.conninfo)) as reconciler:
        assert not await reconciler.tick_safely()
        with (
            RunnerStore(
                world.conninfo, RunKey(result.job_id, 1), proven(world.conninfo, RunKey(result.job_id, 1), "one")
            ) as store,
            pytest.raises(Unavailable, match="read-only"),
        ):
            store.take()
        with pytest.raises(Unavailable, match="read-only"):
            world.client.jobs.cancel(result.job_id)
        # A URL of both servers finds the primary by itself.
        both = pair.primary.url("test").replace("/test", f",127.0.0.1:{pair.standby.port}/test")
        with Client.connect(f"{both}?target_session_attrs=read-write") as client:
            pair.fail_over()
            assert client.status() is not None
            client.jobs.cancel(result.job_id)
        await until_idle(world, reconciler)
    assert world.job(result.job_id)["state"] == "cancelled"
