"""What can come between two steps, each made to come just there."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from controller.launchers.interface import Launch, LaunchRefused
from controller.loop import Reconciler
from controller.outcomes.retry import RetryPolicy
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.coverage import Covered
from dataset_jobs.model.errors import RunError, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import ExitCode, Outcome
from dataset_jobs.model.settlement import CANCELLED, Diagnosis, Evidence, Settlement
from dataset_jobs.model.states import JobState
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from dataset_jobs.store.runner import Loaded, RunnerStore
from tests.fakes.launcher import FakeLauncher
from tests.faults.actor import Actor, Boundary, Crashed, Kind
from tests.faults.connections import async_connection, sync_connection
from tests.faults.ports import exposed
from tests.integration.loads import AT_THE_END, commit_held_up, take
from tests.integration.world import World, key_of
from tests.kit.runners import proven
from tests.kit.settle import settle

pytestmark = pytest.mark.every_postgres

FAILED = Settlement(Diagnosis(Cause.CRASHED, None, "no retries are left"), JobState.FAILED, attempts=1)
QUEUED = Settlement(Diagnosis(Cause.VANISHED, None, "gone"), JobState.QUEUED, interruptions=1)
LOADED = Loaded("test", "births", None, None, [Covered(2020, "F", 1, 5)])


class RefusesAfter(FakeLauncher):
    """Refuses a launch, but something has come first."""

    def __init__(self, first: Callable[[RunKey], None], launches_too: bool = False) -> None:
        super().__init__()
        self._first = first
        self._launches_too = launches_too

    async def launch(self, launch: Launch) -> str:
        if self._launches_too:
            await super().launch(launch)
        self._first(launch.key)
        raise LaunchRefused("exceeded quota", Reason.QUOTA)


@asynccontextmanager
async def meddled_with(
    world: World, launcher: FakeLauncher, at: str, do: Callable[[], None]
) -> AsyncIterator[Reconciler]:
    """A controller whose store waits for `do` whenever it is about to do `at`."""
    actor = Actor()

    async def pause(boundary: Boundary) -> None:
        if boundary == Boundary("store", at):
            do()

    async with world.controller(launcher) as reconciler:
        actor.pause = pause
        store = exposed(reconciler.context.store, "store", actor)
        reconciler.context = replace(reconciler.context, store=store)
        yield reconciler


async def test_a_refused_launch_keeps_a_taken_runs_slot(world: World) -> None:
    result = world.submit_small()
    async with world.controller(RefusesAfter(lambda key: take(world, key, "another controller's pod"))) as reconciler:
        await reconciler.tick()
    assert world.job(result.job_id)["state"] == "running"
    assert world.one("select released_at from runs")["released_at"] is None


async def test_a_refused_launch_keeps_a_launched_runs_slot(
    world: World,
) -> None:
    """Another controller has launched it."""
    result = world.submit_small()
    launcher = RefusesAfter(lambda key: None, launches_too=True)
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        assert world.one("select released_at from runs")["released_at"] is None
        await reconciler.tick()  # stops it
        await reconciler.tick()  # settles it
    job = world.job(result.job_id)
    assert (job["attempts"], job["interruptions"], job["give_backs"]) == (0, 0, 1)
    assert world.one("select cause from runs where epoch = 1")["cause"] == "cannot_start"


class LostThenRefused(FakeLauncher):
    """Gives no answer to the first launch, and refuses the second one."""

    async def launch(self, launch: Launch) -> str:
        self.launches.append(launch.key)
        if len(self.launches) == 1:
            raise Unavailable("504")
        raise LaunchRefused("exceeded quota", Reason.QUOTA)


async def test_a_refusal_after_an_unanswered_launch_frees_nothing(
    world: World,
) -> None:
    """The slot is free once the first launch cannot come any more."""
    world.submit_small()
    launcher = LostThenRefused()
    async with world.controller(launcher) as reconciler:
        for _ in range(3):
            await reconciler.tick()
        run = world.one("select * from runs")
        assert (run["cause"], run["reason"], run["released_at"]) == ("cannot_start", "quota", None)
        world.query(
            "update runs set ended_at = now() - interval '61 seconds', claimed_at = now() - interval '2 minutes'"
        )
        await reconciler.tick()
    assert world.one("select released_at from runs where epoch = 1")["released_at"] is not None
    assert world.one("select give_backs, attempts from jobs") == {"give_backs": 1, "attempts": 0}


async def test_the_start_deadline_counts_from_the_launch(world: World) -> None:
    """Not from the claim."""
    result = world.submit_small()
    launcher = FakeLauncher()
    async with world.store() as store:
        await store.claim("default", 1, "kubernetes", "gone", timedelta(seconds=60))
    world.query("update runs set claimed_at = now() - interval '1 hour'")
    key = RunKey(result.job_id, 1)
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        launcher.pend(key, Evidence(pod_name="p"))
        await reconciler.tick()
    assert world.one("select launched_at is null as no, ended_at from runs") == {"no": False, "ended_at": None}


async def test_a_twins_run_is_not_settled_on_old_evidence(
    world: World,
) -> None:
    """The duplicate pod takes it just before it is settled."""
    result = world.submit_small()
    launcher = FakeLauncher()
    key = RunKey(result.job_id, 1)
    taken = False

    def twin_takes_it() -> None:
        nonlocal taken
        if not taken:
            take(world, key, "twin")
            taken = True

    async with meddled_with(world, launcher, "enter locked_run", twin_takes_it) as reconciler:
        await reconciler.tick()
        launcher.end(key, Evidence(exit_code=1, pod_uid="first"))
        assert not await reconciler.tick_safely()
    assert taken
    assert world.one("select released_at from runs")["released_at"] is None
    assert key_of(world.job(result.job_id)) == key


async def test_a_run_is_settled_once(world: World) -> None:
    result = world.submit_small()
    key = RunKey(result.job_id, 1)
    async with world.store() as store:
        await store.claim("default", 1, "kubernetes", "a", timedelta(seconds=60))
        assert await settle(store, key, Evidence(gone=True), QUEUED)
        assert not await settle(store, key, Evidence(exit_code=1), FAILED)
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["interruptions"]) == ("queued", 0, 1)
    assert world.one("select evidence from runs")["evidence"] == {"gone": True}


async def test_the_end_of_a_refused_twin_is_no_evidence(world: World) -> None:
    """A pod that found its run taken says nothing about the end of the one that took it."""
    result = world.submit_small()
    launcher = FakeLauncher()
    key = RunKey(result.job_id, 1)
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        take(world, key, "first")
        launcher.end(key, Evidence(exit_code=ExitCode.LOST_LEASE, pod_uid="twin"))
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["attempts"], job["interruptions"]) == (0, 1)
    assert world.one("select cause from runs where epoch = 1")["cause"] == "vanished"


async def test_the_load_of_a_new_runner_is_left_alone(world: World) -> None:
    """The runner has taken the run since that was read."""
    result = world.submit_small()
    key = RunKey(result.job_id, 1)
    stands, go_on = threading.Event(), threading.Event()

    def stand_still(at: Boundary) -> None:
        if runner.has_just == "copy_end":
            stands.set()
            go_on.wait(100)

    def load() -> None:
        with RunnerStore(
            world.conninfo, key, proven(world.conninfo, key, "twin"), connection_class=sync_connection(runner)
        ) as store:
            assignment = store.take()
            store.load(assignment, [f"{assignment.dataset_key}\t2020\tMary\tF\tmary\t5\n".encode()], LOADED, 9)

    runner = Actor(gate=stand_still)
    async with controller_pool(world.conninfo, 2) as pool:
        store = ControllerStore(pool)
        await store.claim("default", 1, "kubernetes", "a", timedelta(seconds=60))
        thread = threading.Thread(target=load)
        thread.start()
        try:
            assert stands.wait(100)
            with pytest.raises(Unavailable, match="taken since"):
                await settle(store, key, Evidence(gone=True), FAILED)
        finally:
            go_on.set()
            thread.join(100)
    assert world.job(result.job_id)["state"] == "completed"


async def test_a_load_ended_from_outside_blames_no_runner(world: World) -> None:
    """Its own word about it does not count."""
    result = world.submit_small()
    key = RunKey(result.job_id, 1)
    stands, said = threading.Event(), threading.Event()

    def stand_still(at: Boundary) -> None:
        if runner.has_just == "copy_end":
            stands.set()
            while loads(world):
                time.sleep(0.01)

    def load() -> None:
        with (
            suppress(RunError),
            RunnerStore(
                world.conninfo, key, proven(world.conninfo, key, "one"), connection_class=sync_connection(runner)
            ) as store,
        ):
            assignment = store.take()
            store.load(assignment, [f"{assignment.dataset_key}\t2020\tMary\tF\tmary\t5\n".encode()], LOADED, 9)
        with RunnerStore(world.conninfo, key, proven(world.conninfo, key, "one")) as store:
            store.record_outcome(Outcome(Cause.UNAVAILABLE, Reason.DATABASE, "database: terminated"))
        said.set()

    def loads(world: World) -> bool:
        return bool(world.query("select 1 from pg_locks where locktype = 'advisory' and objsubid = 1"))

    async def let_it_say(at: Boundary) -> None:
        if at.what == "settle.lock":
            await asyncio.to_thread(said.wait, 2)

    runner, controller = Actor(gate=stand_still), Actor()
    controller.pause = let_it_say
    launcher = FakeLauncher()
    async with (
        controller_pool(world.conninfo, 2, async_connection(controller)) as pool,
        world.controller(launcher, retry=RetryPolicy()) as reconciler,
    ):
        reconciler.context = replace(reconciler.context, store=ControllerStore(pool))
        await reconciler.tick()
        thread = threading.Thread(target=load)
        thread.start()
        assert stands.wait(100)
        launcher.lose(key)
        await reconciler.tick()
        thread.join(100)
    job = world.job(result.job_id)
    assert (job["attempts"], job["interruptions"]) == (0, 1)


async def test_a_late_load_does_not_delay_the_next_job(
    world: World,
) -> None:
    """The load began while its job was ended; the next job is of the same dataset."""
    result = world.submit_small()
    key = RunKey(result.job_id, 1)
    taken, may_load, stands, go_on = (threading.Event() for _ in range(4))

    def stand_still(at: Boundary) -> None:
        if runs.has_just == "copy_end":
            stands.set()
            go_on.wait(100)
        elif at.what == "load.begin":
            taken.set()
            may_load.wait(100)

    def load() -> None:
        with (
            suppress(RunError),
            RunnerStore(
                world.conninfo, key, proven(world.conninfo, key, "one"), connection_class=sync_connection(runs)
            ) as store,
        ):
            assignment = store.take()
            store.load(assignment, [f"{assignment.dataset_key}\t2020\tMary\tF\tmary\t5\n".encode()], LOADED, 9)

    async def let_it_load(at: Boundary) -> None:
        if at.what == "settle.run":
            may_load.set()
            assert stands.wait(100)

    runs = Actor(gate=stand_still)
    actor = Actor(lambda number, at: Kind.CRASH_AFTER if at.what == "exit_gen" else None)
    async with controller_pool(world.conninfo, 2) as pool:
        await ControllerStore(pool).claim("default", 1, "kubernetes", "a", timedelta(seconds=60))
    runner = threading.Thread(target=load)
    runner.start()
    try:
        assert taken.wait(100)
        actor.pause = let_it_load
        async with controller_pool(world.conninfo, 1, async_connection(actor)) as pool:
            # It dies when its transaction is committed, so that nobody ends the load that has just begun.
            with pytest.raises(Crashed):
                await settle(ControllerStore(pool), key, Evidence(gone=True), FAILED, "one")
        assert world.job(result.job_id)["state"] == "failed"
        world.client.datasets.reprocess(result.dataset_id)
        await world.run_until_idle()
        assert world.rows(result.dataset_id) == 1
        assert world.one("select attempts from jobs where state = 'completed'")["attempts"] == 0
    finally:
        go_on.set()
        runner.join(100)


async def test_a_statement_gives_up_on_a_stalled_load(
    world: World,
) -> None:
    """The statement gives up on a load that stands still, and settle ends that load."""
    result = world.submit_small()
    key = RunKey(result.job_id, 1)

    def load() -> None:
        try:
            with RunnerStore(world.conninfo, key, proven(world.conninfo, key, "one")) as store:
                assignment = store.take()
                row = f"{assignment.dataset_key}\t2020\tMary\tF\tmary\t5\n"
                store.load(assignment, [row.encode()], LOADED, 9)
        except RunError as error:
            failures.append(error)

    failures: list[RunError] = []
    async with controller_pool(world.conninfo, 2) as pool:
        await ControllerStore(pool).claim("default", 1, "kubernetes", "a", timedelta(seconds=60))
        runner = threading.Thread(target=load)
        with commit_held_up(world, result):
            runner.start()
            await world.until(AT_THE_END)
            impatient = ControllerStore(pool, patience=timedelta(seconds=0.5))
            with pytest.raises(Unavailable, match="no answer within"):
                await impatient.end_run(key, CANCELLED, None, only_unstarted=False)
            assert await settle(impatient, key, Evidence(gone=True), QUEUED, "one")
            runner.join(100)
    assert world.rows(result.dataset_id) == 0
    assert world.job(result.job_id)["state"] == "queued"
    assert [type(failure) for failure in failures] == [Unavailable]
