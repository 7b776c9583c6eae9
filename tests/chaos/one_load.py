"""One load from its submission to its end, step by step, each of the three who take part at risk of a plan."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from controller.launchers.kubernetes.api import ApiRefused
from controller.loop import Reconciler
from controller.pools.spec import PoolSpec
from dataset_jobs.model.causes import CountsAs
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import JobState
from dataset_jobs.storage import StorageConfig, open_storage
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from services.client import Client
from services.submission import read_file
from tests.chaos.audit import Audit
from tests.chaos.controllers import RETRY, controller_at_risk
from tests.chaos.files import File, make_file
from tests.chaos.ledger import Ledger
from tests.chaos.pod_fates import excuses_of
from tests.fakes.cluster import FakeCluster, FakePod
from tests.fakes.runners import run_pod
from tests.faults.actor import Actor, Boundary, Crashed, Kind, Plan, no_faults
from tests.faults.clock import VirtualClock
from tests.faults.connections import async_connection, sync_connection
from tests.faults.ports import exposed
from tests.kit.submit import submit

TICKS = 40
"""Within so many, a quarter of an hour each, a load has ended."""


@dataclass(frozen=True, slots=True)
class Story:
    """How a load goes if nothing else happens.

    Args:
        cancelled: when its pod is there.
        refused: the cluster refuses its first launch.
        reprocessed: it is loaded once more, and that is the load that is meant.
        file: its kind, as `make_file` has them.
    """

    cancelled: bool = False
    refused: bool = False
    reprocessed: bool = False
    file: str = "text"

    def __str__(self) -> str:
        done = "cancelled" * self.cancelled + "refused" * self.refused + "reprocessed" * self.reprocessed or "loaded"
        return done if self.file == "text" else f"{self.file} {done}"


class OneLoad:
    """One database for all replays; each has a dataset of its own.

    Args:
        conninfo: of a database that `clock.prepare` has made.
    """

    def __init__(self, conninfo: str, folder: Path, password: str) -> None:
        self.clock = VirtualClock(conninfo)
        self.ledger = Ledger()
        self.about = "no fault"
        self._conninfo = conninfo
        self._look = Client.connect(conninfo)
        self._folder = folder
        self._password = password
        self._storage = StorageConfig.from_env({"STORAGE_PATH": str(folder / "storage")})
        (folder / "storage").mkdir()
        self._number = 0
        self._files: dict[str, File] = {}
        self._cluster = FakeCluster(lambda: self.clock.now)
        self._cluster.on_stop = lambda pod, now: self._cluster.lose(pod)

    async def replay(self, story: Story, plans: Mapping[str, Plan]) -> dict[str, list[Boundary]]:
        """Once through; returns the boundaries that client, controller and runner have met."""
        plan = {"client": no_faults, "controller": no_faults, "runner": no_faults, **plans}
        first: dict[str, Actor] = {}
        if not story.reprocessed:
            job_id = await asyncio.to_thread(self._submit, story.file, plan["client"], first)
        else:
            job_id = await asyncio.to_thread(self._submit, story.file, no_faults, {})
            await self._work(job_id, Story(), no_faults, no_faults, no_faults, {})
            job_id = await asyncio.to_thread(self._reprocess, job_id, plan["client"], first)
        await self._work(job_id, story, plan["client"], plan["controller"], plan["runner"], first)
        return {who: actor.met for who, actor in first.items()}

    def close(self) -> None:
        """Lets go of its connections."""
        self.clock.close()
        self._look.close()

    def audit(self) -> None:
        """Everything is as it must be, of this replay and of all before."""
        figures = Audit(self._conninfo, self._files, self.ledger, RETRY, self._password).figures()
        assert figures.good, (self.about, self.ledger.findings)
        assert not self.ledger.findings, (self.about, self.ledger.findings)

    # --- clients -------------------------------------------------------------------------------------------------

    def _submit(self, kind: str, plan: Plan, first: dict[str, Actor]) -> UUID:
        self._number += 1
        file = make_file(self._folder, self._number, Random(kind), False, 5, kind)
        self._files[read_file(file.path).sha256] = file

        def submit_it(client: Client, actor: Actor) -> UUID | None:
            storage = exposed(open_storage(self._storage), "storage", actor)
            return submit(client, storage, file.path, file.country).job_id

        return self._until_answered(submit_it, plan, first)

    def _reprocess(self, job_id: UUID, plan: Plan, first: dict[str, Actor]) -> UUID:
        dataset_id = self._look.jobs.get(job_id)[0].dataset_id

        def reprocess(client: Client, actor: Actor) -> UUID | None:
            with contextlib.suppress(InvalidRequest):  # it may have been done before
                client.datasets.reprocess(dataset_id)
            return client.jobs.list(dataset_id=dataset_id, limit=1)[0].id

        return self._until_answered(reprocess, plan, first)

    def _cancel(self, job_id: UUID, plan: Plan, first: dict[str, Actor]) -> None:
        def cancel(client: Client, actor: Actor) -> UUID | None:
            with contextlib.suppress(InvalidRequest):
                client.jobs.cancel(job_id)
            return job_id

        self.ledger.cancelled.add(job_id)
        self._until_answered(cancel, plan, first)

    def _until_answered(self, do: Callable[[Client, Actor], UUID | None], plan: Plan, first: dict[str, Actor]) -> UUID:
        for number in range(3):
            actor = self._actor(plan if number == 0 else no_faults)
            first.setdefault("client", actor)
            store = Client.connect(self._conninfo, connection_class=sync_connection(actor))
            try:
                found = do(exposed(store, "client's store", actor), actor)
                assert found is not None
                return found
            except (RunError, Crashed):
                continue
            finally:
                store.close()
        raise AssertionError(f"{self.about}: not even the third time")

    def _actor(self, plan: Plan) -> Actor:
        return Actor(plan, lambda kind, at: self.ledger.fault(str(kind)), slow_seconds=0.001)

    # --- controllers and runners ---------------------------------------------------------------------------------

    async def _work(
        self, job_id: UUID, story: Story, client: Plan, controller: Plan, runner: Plan, first: dict[str, Actor]
    ) -> None:
        refusals = 1 if story.refused else 0
        to_cancel = story.cancelled

        def refuse(key: RunKey) -> ApiRefused | None:
            nonlocal refusals
            refusals -= 1
            if refusals < 0:
                return None
            self.ledger.excuse(key, CountsAs.NEITHER)
            return ApiRefused(403, "exceeded quota")

        self._cluster.refusal = refuse
        actor = self._actor(controller)
        first.setdefault("controller", actor)
        ticks = 0
        while ticks < TICKS:
            with contextlib.suppress(Crashed):
                async with self._controller(actor) as reconciler:
                    while ticks < TICKS:
                        ticks += 1
                        await _tick(actor, reconciler)
                        pods = self._cluster.live_pods()
                        if pods and to_cancel:
                            to_cancel = False
                            first.pop("client", None)
                            await asyncio.to_thread(self._cancel, job_id, client, first)
                        for pod in pods:
                            await self._run_pod(pod, runner, first)
                            runner = no_faults
                        if self._is_over(job_id):
                            return
                        self.clock.move(timedelta(minutes=15))
                        self._cluster.advance()
            actor = self._actor(no_faults)
        raise AssertionError(f"{self.about}: not over after {TICKS} ticks")

    @asynccontextmanager
    async def _controller(self, actor: Actor) -> AsyncIterator[Reconciler]:
        pool = controller_pool(self._conninfo, 2, async_connection(actor))
        store, owner = ControllerStore(pool), f"controller-{id(actor)}"
        spec = PoolSpec("default", retry=RETRY)
        reconciler, _ = controller_at_risk(actor, self._cluster, UUID(int=1), store, owner, spec)
        try:
            await pool.open()
            yield reconciler
        finally:
            with contextlib.suppress(BaseException):
                await pool.close(timeout=0)

    async def _run_pod(self, pod: FakePod, plan: Plan, first: dict[str, Actor]) -> None:
        self._cluster.schedule(pod, "node-1")
        self._cluster.start(pod)

        def tell(kind: Kind, at: Boundary) -> None:
            self.ledger.hit(pod.key, str(kind), *excuses_of(kind))

        actor = Actor(plan, tell, slow_seconds=0.001)
        first.setdefault("runner", actor)
        ended = await asyncio.to_thread(run_pod, pod, self._conninfo, self._storage, actor)
        if ended is None:
            self._cluster.end(pod, 137)
            return
        assert not ended.unforeseen, (self.about, ended)
        self._cluster.end(pod, ended.exit_code, ended.message)

    def _is_over(self, job_id: UUID) -> bool:
        job, runs = self._look.jobs.get(job_id)
        return JobState(job.state).finished and all(run.released_at is not None for run in runs)


async def _tick(actor: Actor, reconciler: Reconciler) -> None:
    """One tick; raises `Crashed` if the controller has died in it, even if it still waits for something."""
    tick = asyncio.create_task(reconciler.tick_safely())
    while not tick.done() and not actor.dead:
        await asyncio.wait({tick}, timeout=0.05)
    if actor.dead:
        tick.cancel()
        await asyncio.gather(tick, return_exceptions=True)
        raise Crashed
    tick.result()
