"""A hypothesis state machine over one installation: whatever comes in whatever order, what must hold does.

Everything happens one thing after the other: a controller can be made to stand still within its tick while others go
on, a runner passes a few boundaries and stands still again, and time moves only by a rule.
"""

import asyncio
import contextlib
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from psycopg.rows import dict_row

from controller.background.retention import remove_old_jobs
from controller.launchers.kubernetes.api import ApiRefused
from controller.outcomes.retry import RetryPolicy
from controller.pools.spec import PoolSpec
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.storage import StorageConfig, open_storage
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from services.client import Client
from services.submission import read_file
from tests.chaos.audit import Audit
from tests.chaos.controllers import controller_at_risk
from tests.chaos.files import ROWS_OF_DATASETS, File, kind_of, make_file
from tests.chaos.ledger import Ledger
from tests.chaos.pod_fates import (
    ENDS,
    JOB_DELETED,
    NEITHER,
    NO_IMAGE,
    NO_NODE,
    NODE_LOST,
    TWIN,
    ZOMBIE,
    Fate,
    disrupt,
    end,
    excuses_of,
)
from tests.fakes.cluster import FakeCluster, FakePod
from tests.fakes.runners import Stepped
from tests.fakes.watch import FakeWatch
from tests.faults.actor import Actor, Boundary, Crashed, Kind
from tests.faults.clock import VirtualClock
from tests.faults.connections import async_connection, sync_connection
from tests.faults.ports import exposed
from tests.kit.submit import submit

RETRY = RetryPolicy()
ROUNDS = 60
"""Within so many rounds of ticks, five minutes each, everything ends once there are no more faults."""

which = st.integers(0, 11)
"""Which one of those that there are."""

KINDS = st.sampled_from(list(Kind))


class Controller:
    """One controller of the machine; it can stand still at a boundary of its tick."""

    def __init__(self, machine: "Machine", name: str) -> None:
        self.actor = Actor(tell=lambda kind, at: machine.ledger.fault(f"controller {kind}"), slow_seconds=0)
        self.actor.pause = self._pause
        self.tick: asyncio.Task[bool] | None = None
        self.stands = asyncio.Event()
        self._go_on = asyncio.Event()
        self._passes = -1
        self._pool = controller_pool(machine.conninfo, 2, async_connection(self.actor))
        store = ControllerStore(self._pool, timedelta(seconds=10))
        spec = PoolSpec("default", retry=RETRY, retention=timedelta(days=1))
        self._reconciler, self._launcher = controller_at_risk(
            self.actor, machine.cluster, machine.installation, store, name, spec
        )
        self._watch = FakeWatch(machine.cluster)

    async def open(self) -> None:
        """Connects."""
        await self._pool.open()

    async def go_on(self, passes: int, resync: bool = True) -> bool:
        """Begins a tick or goes on with the one that it stands still in; True if that has ended.

        Args:
            passes: the number of boundaries before it stands still; below 0: does not stand still.
            resync: whether a tick that begins looks at everything.
        """
        self._passes = passes
        self.stands.clear()
        self._go_on.set()
        if self.tick is None:
            self._watch.tell(self._launcher.on_event)
            self.tick = asyncio.create_task(self._reconciler.tick_safely(resync))
        standing = asyncio.create_task(self.stands.wait())
        either: set[asyncio.Task[Any]] = {self.tick, standing}
        while not self.tick.done() and not standing.done() and not self.actor.dead:
            await asyncio.wait(either, timeout=0.02, return_when=asyncio.FIRST_COMPLETED)
        standing.cancel()
        if not self.tick.done():
            return self.actor.dead
        tick, self.tick = self.tick, None
        with contextlib.suppress(BaseExceptionGroup, Crashed) if self.actor.dead else contextlib.nullcontext():
            tick.result()
        return True

    async def purge(self) -> None:
        """Removes old jobs, as it does every minute of real time."""
        self._passes = -1
        await remove_old_jobs(self._reconciler.context)

    async def close(self) -> None:
        """SIGKILL; then frees its resources in this process."""
        self.actor.die()
        if self.tick is not None:
            self.tick.cancel()
            await asyncio.gather(self.tick, return_exceptions=True)
        with contextlib.suppress(BaseException):
            await self._pool.close(timeout=0)

    async def _pause(self, at: Boundary) -> None:
        if at.port == "postgres":
            return  # within a transaction others would have to wait for real time
        if self._passes == 0:
            self._go_on.clear()
            self.stands.set()
            await self._go_on.wait()
        elif self._passes > 0:
            self._passes -= 1


class Machine(RuleBasedStateMachine):
    """See the module. One database serves all examples, and is emptied before each."""

    conninfo: str
    password: str
    folder: Path
    number = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).number += 1
        self.runner = asyncio.Runner()
        self.runner.get_loop().set_exception_handler(lambda loop, about: None)  # tasks of controllers that were killed
        self.ledger = Ledger()
        self.look = psycopg.connect(self.conninfo, autocommit=True, row_factory=dict_row)
        self.look.execute("truncate names, runs, jobs, datasets restart identity cascade")
        self.look.execute("update pools set max_running = 3, paused = false")
        self.installation = self._one("select id from installation")["id"]
        self.clock = VirtualClock(self.conninfo)
        self.cluster = FakeCluster(lambda: self.clock.now, self._born, self._stopped)
        self.controllers: list[Controller] = []
        self.pods: list[FakePod] = []
        self.runners: dict[FakePod, Stepped] = {}
        self.files: dict[str, File] = {}
        self.unsure: set[str] = set()
        """Files whose dataset may have been deleted."""
        self.excused: set[str] = set()
        """Files of which a job was seen failed or cancelled."""
        self.epochs: dict[Any, int] = {}
        self.ceiling = 3
        self.held_when_alive: set[FakePod] = set()
        self.judged: set[RunKey] = set()
        self.born = 0
        self.raw_client: Client | None = None
        self._client_again()

    # --- clients -------------------------------------------------------------------------------------------------

    @initialize(controllers=st.integers(1, 4))
    def begin(self, controllers: int) -> None:
        """Some controllers."""
        for _ in range(controllers):
            self.start_controller()

    @rule(bad=st.sampled_from([False, False, False, True]))
    def submit(self, bad: bool) -> None:
        """A new file."""
        folder = self.folder / f"{self.number}"
        folder.mkdir(exist_ok=True)
        number = len(self.files) + len(self.unsure) + 1
        file = make_file(folder, number, Random(number), bad, 5, kind_of(number))
        sha256 = read_file(file.path).sha256
        storage = exposed(open_storage(self._storage()), "storage", self.client_actor)
        if self._try(lambda: submit(self.client, storage, file.path, file.country)):
            self.files[sha256] = file
        else:
            self.unsure.add(sha256)

    @rule(index=which)
    def reprocess(self, index: int) -> None:
        """Loads a dataset again."""
        if dataset := self._pick("select id from datasets order by key", index):
            self._try(lambda: self.client.datasets.reprocess(dataset["id"]))

    @rule(index=which)
    def cancel(self, index: int) -> None:
        """Asks for a cancel."""
        if job := self._pick("select id from jobs where finished_at is null order by key", index):
            self.ledger.cancelled.add(job["id"])
            self._try(lambda: self.client.jobs.cancel(job["id"]))

    @rule(index=which)
    def retry(self, index: int) -> None:
        """Puts a dead letter back."""
        if job := self._pick("select id from jobs where state in ('failed', 'cancelled') order by key", index):
            self._try(lambda: self.client.jobs.retry(job["id"]))

    @rule(index=which)
    def delete(self, index: int) -> None:
        """Deletes a dataset."""
        if dataset := self._pick("select id, sha256 from datasets order by key", index):
            storage = exposed(open_storage(self._storage()), "storage", self.client_actor)
            done = self._try(lambda: self.client.datasets.delete(dataset["id"], storage))
            if not done or not self._all("select from datasets where id = %s", dataset["id"]):
                self.files.pop(dataset["sha256"], None)
                self.unsure.add(dataset["sha256"])

    @rule(maximum=st.integers(0, 4), paused=st.booleans())
    def change_pool(self, maximum: int, paused: bool) -> None:
        """Another maximum."""
        self.look.execute("update pools set max_running = %s, paused = %s", [maximum, paused])
        self.ceiling = max(self.ceiling, maximum)

    @rule(kind=KINDS, after=st.integers(0, 12))
    def hit_client(self, kind: Kind, after: int) -> None:
        """The client's fault to come."""
        self.client_actor.plan = _one_fault(self.client_actor, kind, after)

    # --- controllers ---------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.controllers) < 4)
    @rule()
    def start_controller(self) -> None:
        """One more."""
        self.born += 1
        controller = self._run(self._made(f"controller-{self.born}"))
        self.controllers.append(controller)

    async def _made(self, name: str) -> Controller:
        controller = Controller(self, name)
        await controller.open()
        return controller

    @precondition(lambda self: self.controllers)
    @rule(index=which)
    def kill_controller(self, index: int) -> None:
        """SIGKILL, wherever it stands."""
        controller = self.controllers.pop(index % len(self.controllers))
        self._run(controller.close())

    @precondition(lambda self: self.controllers)
    @rule(index=which, resync=st.booleans())
    def tick(self, index: int, resync: bool) -> None:
        """A whole tick, or the rest of one."""
        self._go_on(self.controllers[index % len(self.controllers)], -1, resync)

    @precondition(lambda self: self.controllers)
    @rule(index=which, passes=st.integers(0, 12), resync=st.booleans())
    def tick_a_bit(self, index: int, passes: int, resync: bool) -> None:
        """A part of a tick; the rest comes later."""
        self._go_on(self.controllers[index % len(self.controllers)], passes, resync)

    @precondition(lambda self: self.controllers)
    @rule(index=which, kind=KINDS, after=st.integers(0, 40))
    def hit_controller(self, index: int, kind: Kind, after: int) -> None:
        """A controller's fault to come."""
        actor = self.controllers[index % len(self.controllers)].actor
        actor.plan = _one_fault(actor, kind, after)

    @precondition(lambda self: self.controllers)
    @rule(index=which)
    def purge(self, index: int) -> None:
        """Old jobs are removed."""
        controller = self.controllers[index % len(self.controllers)]
        if controller.tick is None:
            with contextlib.suppress(Crashed):
                self._run(controller.purge())
            self._bury(controller)

    # --- the cluster ---------------------------------------------------------------------------------------------

    @precondition(lambda self: self._waiting_pods())
    @rule(index=which)
    def start_pod(self, index: int) -> None:
        """A pod's container starts."""
        waiting = self._waiting_pods()
        self._start(waiting[index % len(waiting)])

    @precondition(lambda self: self._waiting_pods())
    @rule(index=which, why=st.sampled_from([NO_NODE, NO_IMAGE]))
    def pod_cannot_start(self, index: int, why: Fate) -> None:
        """No room, or no image."""
        waiting = self._waiting_pods()
        pod = waiting[index % len(waiting)]
        self.ledger.hit(pod.key, why.kind, *why.excuses)
        if why is NO_NODE:
            self.cluster.cannot_be_scheduled(pod)
        else:
            self.cluster.schedule(pod, "node-1")
            self.cluster.waits(pod, "ErrImagePull")

    @precondition(lambda self: self._working())
    @rule(index=which, boundaries=st.integers(1, 25))
    def runner_goes_on(self, index: int, boundaries: int) -> None:
        """A runner passes some boundaries; a zombie too."""
        working = self._working()
        self._step(working[index % len(working)], boundaries)

    @precondition(lambda self: self._working())
    @rule(index=which, kind=KINDS, after=st.integers(0, 30))
    def hit_runner(self, index: int, kind: Kind, after: int) -> None:
        """A runner's fault to come."""
        working = self._working()
        actor = working[index % len(working)].actor
        actor.plan = _one_fault(actor, kind, after)

    @precondition(lambda self: self._running_pods())
    @rule(index=which, fate=st.sampled_from(ENDS))
    def pod_ends(self, index: int, fate: Fate) -> None:
        """The infrastructure ends a pod, or the kernel does."""
        running = self._running_pods()
        pod = running[index % len(running)]
        self.ledger.hit(pod.key, fate.kind, *fate.excuses)
        self.runners[pod].kill()
        disrupt(self.cluster, pod, fate)
        end(self.cluster, pod, fate)

    @precondition(lambda self: self._running_pods())
    @rule(index=which)
    def pod_becomes_a_zombie(self, index: int) -> None:
        """Its object is removed by force, and its process goes on."""
        running = self._running_pods()
        pod = running[index % len(running)]
        self.ledger.hit(pod.key, ZOMBIE.kind, *ZOMBIE.excuses)
        self.cluster.lose(pod)

    @precondition(lambda self: self._running_pods())
    @rule(index=which)
    def node_is_lost(self, index: int) -> None:
        """A runner may go on without its kubelet."""
        running = self._running_pods()
        pod = running[index % len(running)]
        self.ledger.hit(pod.key, NODE_LOST.kind, *NODE_LOST.excuses)
        self.cluster.lose_node(pod)

    @precondition(lambda self: any(pod.lost for pod in self.pods))
    @rule(index=which)
    def node_is_back(self, index: int) -> None:
        """Its kubelet carries out the orders that it missed, and reports the result."""
        lost = [pod for pod in self.pods if pod.lost]
        pod = lost[index % len(lost)]
        self.cluster.node_is_back(pod)
        if pod.deleting:
            self.runners[pod].kill()
        self._see_to(self.runners[pod])

    @precondition(lambda self: self.cluster.jobs)
    @rule(index=which, force=st.booleans())
    def job_is_deleted(self, index: int, force: bool) -> None:
        """Somebody deletes a Job."""
        jobs = list(self.cluster.jobs.values())
        job = jobs[index % len(jobs)]
        self.ledger.hit(job.key, JOB_DELETED.kind, *JOB_DELETED.excuses)
        self.cluster.delete(job.name, force)

    @precondition(lambda self: self.cluster.jobs)
    @rule(index=which)
    def twin(self, index: int) -> None:
        """The Job controller makes a second pod."""
        jobs = list(self.cluster.jobs.values())
        job = jobs[index % len(jobs)]
        if self.cluster.twin(job) is not None:
            self.ledger.hit(job.key, TWIN.kind)

    @rule(what=st.sampled_from(["refused", "late", "lists fail", "well"]))
    def api_server_is(self, what: str) -> None:
        """How the API server answers from now on."""

        def refuse(key: RunKey) -> ApiRefused | None:
            self.ledger.hit(key, "launch refused", NEITHER)
            return ApiRefused(403, "exceeded quota (a fault of the test)")

        def late(key: RunKey) -> timedelta:
            self.ledger.hit(key, "launch carried out late")
            return timedelta(seconds=30)

        self.cluster.refusal = refuse if what == "refused" else lambda key: None
        self.cluster.lateness = late if what == "late" else lambda key: None
        self.cluster.list_fails = lambda: what == "lists fail"

    @rule(seconds=st.sampled_from([-3600, -5, 1, 5, 15, 40, 70, 400, 4000, 100_000]))
    def time_passes(self, seconds: int) -> None:
        """Or goes back."""
        if seconds >= 60:
            for key in {pod.key for pod in self.cluster.live_pods()} | self._holding():
                self.ledger.excuse(key, NEITHER)
        self.clock.move(timedelta(seconds=seconds))
        self.cluster.advance()

    # --- what must hold ------------------------------------------------------------------------------------------

    def rows_are_there_all_or_not_at_all(self) -> None:
        """And once, and as the dataset says."""
        for row in self._all(ROWS_OF_DATASETS):
            file = self.files.get(row["sha256"])
            loaded = row["status"] in ("completed", "reprocessing")
            assert bool(row["rows"]) == loaded, row
            if loaded and file is not None:
                assert row["digest"] == file.digest, row
        orphans = "select from names where not exists (select from datasets where key = dataset_key) limit 1"
        assert not self._all(orphans), "rows of no dataset"

    def jobs_are_committed_once_and_epochs_never_fall(self) -> None:
        """A job is completed if and only if one of its runs has committed."""
        jobs = self._all(
            "select jobs.id, state, lease_epoch, sha256,"
            " (select count(*) from runs where job_id = jobs.id and committed_at is not null) as commits"
            " from jobs join datasets on dataset_id = datasets.id"
        )
        for job in jobs:
            if job["state"] in ("failed", "cancelled"):
                self.excused.add(job["sha256"])
            assert job["commits"] == (job["state"] == "completed"), job
            assert job["lease_epoch"] >= self.epochs.get(job["id"], 0), job
            self.epochs[job["id"]] = job["lease_epoch"]

    def the_maximum_holds_for_runs_and_for_pods(self) -> None:
        """And no run is released whose pod is alive."""
        holding = self._holding()
        maximum = self._one("select max_running from pools")["max_running"]
        assert len(holding) <= max(self.ceiling, maximum), (holding, self.ceiling, maximum)
        self.ceiling = max(maximum, min(self.ceiling, len(holding)))
        for pod in self.cluster.live_pods():
            if pod.key in holding:
                self.held_when_alive.add(pod)
            elif not pod.was_lost:
                history = self.ledger.history(pod.key)
                assert pod not in self.held_when_alive, f"{pod.key} is released, its pod is {pod.phase}: {history}"

    def every_end_of_a_run_is_justified_by_what_was_done_to_it(self) -> None:
        """No attempt is used up by the infrastructure."""
        ended = (
            "select runs.*, sha256 from runs join jobs on job_id = jobs.id join datasets on dataset_id = datasets.id"
        )
        for run in self._all(f"{ended} where released_at is not null"):
            key = RunKey(run["job_id"], run["epoch"])
            if key in self.judged:
                continue
            self.judged.add(key)
            cause = Cause(run["cause"])
            file = self.files.get(run["sha256"])
            about = (run["cause"], run["error"], run["evidence"], self.ledger.history(key))
            if cause is Cause.REJECTED:
                assert file is None or not file.good, about
            else:
                assert self.ledger.justifies(key, cause), about

    def nothing_was_found(self) -> None:
        """By those who look all the time."""
        assert not self.ledger.findings, self.ledger.findings

    def teardown(self) -> None:
        """No more faults: everything ends, and the audit finds nothing."""
        try:
            self._everything_ends()
        finally:
            for runner in self.runners.values():
                runner.kill()
            for controller in self.controllers:
                self._run(controller.close())
            self._client_again()
            self.clock.close()
            self.look.close()
            self.runner.close()

    def _everything_ends(self) -> None:
        self.api_server_is("well")
        self.change_pool(4, False)
        for _ in [pod for pod in self.pods if pod.lost]:
            self.node_is_back(0)
        for controller in self.controllers:
            self._run(controller.close())
        self.controllers.clear()
        for _ in range(2):
            self.start_controller()
        for _ in range(ROUNDS):
            for controller in self.controllers:
                self._go_on(controller, -1)
            for pod in self._waiting_pods():
                self._start(pod)
            for runner in self._working():
                runner.actor.plan = lambda number, at: None
                self._step(runner, 1000)
            self.what_must_hold()
            if not self._holding() and not self._all("select from jobs where finished_at is null"):
                break
            self.time_passes(300)
        audit = Audit(self.conninfo, self.files, self.ledger, RETRY, self.password, frozenset(self.excused))
        figures = audit.figures()
        assert figures.good, self.ledger.findings

    @invariant()
    def what_must_hold(self) -> None:
        """All of it, after every step."""
        self.rows_are_there_all_or_not_at_all()
        self.jobs_are_committed_once_and_epochs_never_fall()
        self.the_maximum_holds_for_runs_and_for_pods()
        self.every_end_of_a_run_is_justified_by_what_was_done_to_it()
        self.nothing_was_found()

    # -------------------------------------------------------------------------------------------------------------

    def _storage(self) -> StorageConfig:
        return StorageConfig.from_env({"STORAGE_PATH": str(self.folder / "storage")})

    def _client_again(self) -> None:
        if self.raw_client is not None:
            self.raw_client.close()
        self.client_actor = Actor(tell=lambda kind, at: self.ledger.fault(f"client {kind}"), slow_seconds=0)
        self.raw_client = Client.connect(self.conninfo, connection_class=sync_connection(self.client_actor))
        self.client = exposed(self.raw_client, "client's store", self.client_actor)

    def _try(self, do: Any) -> bool:
        try:
            do()
        except InvalidRequest:
            return True
        except RunError:
            return False
        except Crashed:
            self._client_again()
            return False
        return True

    def _go_on(self, controller: Controller, passes: int, resync: bool = True) -> None:
        self._run(controller.go_on(passes, resync))
        self._bury(controller)

    def _bury(self, controller: Controller) -> None:
        if controller.actor.dead and controller in self.controllers:
            self.controllers.remove(controller)
            self._run(controller.close())

    def _born(self, pod: FakePod) -> None:
        self.pods.append(pod)

    def _stopped(self, pod: FakePod, now: bool) -> None:
        runner = self.runners.get(pod)
        if pod.lost:
            return
        if runner is None:
            self.cluster.lose(pod)
        elif now:
            runner.kill()
        else:
            runner.actor.interrupt()

    def _start(self, pod: FakePod) -> None:
        self.cluster.schedule(pod, "node-1")
        self.cluster.start(pod)

        def tell(kind: Kind, at: Boundary) -> None:
            self.ledger.hit(pod.key, f"runner {kind} at {at}", *excuses_of(kind))

        actor = Actor(tell=tell, slow_seconds=0)
        self.runners[pod] = Stepped(pod, self.conninfo, self._storage(), actor)
        self._see_to(self.runners[pod])

    def _step(self, runner: Stepped, boundaries: int) -> None:
        runner.step(boundaries)
        self._see_to(runner)

    def _see_to(self, runner: Stepped) -> None:
        if not runner.over or runner.pod.lost:
            return
        ended = runner.ended
        if ended is None:
            self.cluster.end(runner.pod, 137)
            return
        assert not ended.unforeseen and '"crashed"' not in ended.message, ended
        self.cluster.end(runner.pod, ended.exit_code, ended.message)

    def _waiting_pods(self) -> list[FakePod]:
        return [pod for pod in self.pods if pod.live and pod.phase == "Pending"]

    def _running_pods(self) -> list[FakePod]:
        return [pod for pod in self.pods if pod.live and pod.phase == "Running" and not pod.lost]

    def _working(self) -> list[Stepped]:
        return [runner for runner in self.runners.values() if not runner.over]

    def _holding(self) -> set[RunKey]:
        rows = self._all("select job_id, epoch from runs where released_at is null")
        return {RunKey(row["job_id"], row["epoch"]) for row in rows}

    def _pick(self, query: str, index: int) -> dict[str, Any] | None:
        rows = self._all(query)
        return rows[index % len(rows)] if rows else None

    def _all(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        return self.look.execute(query.encode(), parameters or None).fetchall()

    def _one(self, query: str) -> dict[str, Any]:
        [row] = self._all(query)
        return row

    def _run(self, do: Any) -> Any:
        return self.runner.run(do)


def _one_fault(actor: Actor, kind: Kind, after: int) -> Any:
    number = len(actor.met) + after

    def plan(met: int, at: Boundary) -> Kind | None:
        return kind if met == number and kind in at.kinds else None

    return plan
