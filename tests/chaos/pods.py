"""What becomes of each pod of the fake cluster: most load their file, and all else that can happen happens to some."""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import psycopg

from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.storage import StorageConfig
from tests.chaos.ledger import Ledger
from tests.chaos.pod_fates import (
    CONNECTION_CUT,
    ENDED_BY_KUBELET,
    ENDS,
    EVICTED,
    JOB_DELETED,
    NO_IMAGE,
    NO_IMAGE_YET,
    NO_NODE,
    NODE_LOST,
    OUT_OF_MEMORY,
    PAST_ITS_DEADLINE,
    PREEMPTED,
    STALLED,
    TWIN,
    ZOMBIE,
    Fate,
    disrupt,
    end,
    excuses_of,
)
from tests.fakes.cluster import FakeCluster, FakePod
from tests.fakes.runners import Ended, run_pod
from tests.faults.actor import Actor, Boundary, Kind

LAST_BOUNDARY = 45
"""A runner meets about so many; one that is to be hit later is not hit at all."""

NOTHING = Fate("nothing")
AT_A_BOUNDARY = Fate("a fault at a boundary")
BY_THE_MACHINE = Fate("a fault of the machine")

FATES = {
    NOTHING: 55,
    AT_A_BOUNDARY: 14,
    BY_THE_MACHINE: 8,
    OUT_OF_MEMORY: 3,
    EVICTED: 3,
    PREEMPTED: 2,
    ENDED_BY_KUBELET: 2,
    PAST_ITS_DEADLINE: 2,
    JOB_DELETED: 3,
    ZOMBIE: 5,
    NODE_LOST: 4,
    STALLED: 3,
    NO_IMAGE: 1,
    NO_IMAGE_YET: 2,
    NO_NODE: 2,
    CONNECTION_CUT: 3,
}
"""How often each happens."""

MORE = 5
"""Times as often happens what should happen oftener."""

TWINS = 0.04
SIDECARS = 0.15
"""Of the pods, into which a container is injected that never ends, whatever else becomes of them."""
LAST_OF_MACHINE = 30
"""So many uses of its machine a small load makes, besides seeks, and more of an archive or workbook."""

GRACE = timedelta(seconds=30)


@dataclass(eq=False, slots=True)
class _Process:
    actor: Actor
    ended: asyncio.Future[Ended | None]
    stands: asyncio.Event
    """It has come to the boundary at which its fate meets it, and stands still there."""


class Pods:
    """Leads the life of every pod, each in a task of its own.

    Args:
        calm: asked whether nothing is to happen any more.
        virtual_sleep: waits for a number of seconds of the virtual clock.
        often: the fates that happen `MORE` times as often.
    """

    def __init__(
        self,
        cluster: FakeCluster,
        conninfo: str,
        storage: StorageConfig,
        ledger: Ledger,
        random: Random,
        calm: Callable[[], bool],
        virtual_sleep: Callable[[float], asyncio.Future[None]],
        often: Collection[str],
    ) -> None:
        self._fates = {fate: share * (MORE if fate.kind in often else 1) for fate, share in FATES.items()}
        self._twins = TWINS * (MORE if TWIN.kind in often else 1)
        self._cluster = cluster
        self._conninfo = conninfo
        self._storage = storage
        self._ledger = ledger
        self._random = random
        self._calm = calm
        self._sleep = virtual_sleep
        self._threads = ThreadPoolExecutor(200, thread_name_prefix="pod")
        self._tasks: set[asyncio.Task[None]] = set()
        self._processes: dict[FakePod, _Process] = {}
        self.broken: list[BaseException] = []
        """What a life has ended with that was not foreseen."""
        cluster.on_pod = self._born
        cluster.on_stop = self._stopped

    async def close(self) -> None:
        """Kills the pods that still live, and waits for them."""
        for process in self._processes.values():
            process.actor.die()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown()

    @property
    def busy(self) -> int:
        """Lives that are being led, zombies' too."""
        return len(self._tasks)

    @property
    def working(self) -> int:
        """Runners that are at work, and do not stand still in it."""
        return sum(not process.stands.is_set() for process in self._processes.values())

    def standing(self) -> set[RunKey]:
        """The runs of which a runner stands still."""
        return {pod.key for pod, process in self._processes.items() if process.stands.is_set()}

    def _born(self, pod: FakePod) -> None:
        task = asyncio.create_task(self._live(pod))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken.append(error)

    def _stopped(self, pod: FakePod, now: bool) -> None:
        process = self._processes.get(pod)
        if pod.lost:
            return
        if process is None:
            self._cluster.lose(pod)  # its container has not started
        elif now:
            process.actor.die()
        else:
            process.actor.interrupt()

    async def _live(self, pod: FakePod) -> None:
        fate = NOTHING if self._calm() else self._random.choices(list(self._fates), list(self._fates.values()))[0]
        if not self._calm() and self._random.random() < self._twins:
            self._later(self._random.uniform(0, 5), lambda: self._twin(pod))
        await self._sleep(self._random.uniform(0, 2))
        if fate in (NO_NODE, NO_IMAGE, NO_IMAGE_YET) and not await self._wait_to_start(pod, fate):
            return
        if pod.gone:
            return
        self._cluster.schedule(pod, f"node-{self._random.randint(1, 3)}")
        await self._sleep(self._random.uniform(0, 2))
        if pod.gone:
            return
        pod.sidecar = self._random.random() < SIDECARS
        self._cluster.start(pod)
        process = self._start(pod, fate)
        try:
            await self._work(pod, process, fate)
        finally:
            self._processes.pop(pod, None)

    async def _wait_to_start(self, pod: FakePod, fate: Fate) -> bool:
        self._ledger.hit(pod.key, fate.kind, *fate.excuses)
        if fate is NO_NODE:
            self._cluster.cannot_be_scheduled(pod)
            await self._sleep(self._random.uniform(30, 400))
            return True
        self._cluster.schedule(pod, "node-1")
        self._cluster.waits(pod, "ErrImagePull")
        if fate is NO_IMAGE_YET:
            await self._sleep(self._random.uniform(30, 250))
            return True
        while not pod.gone and not self._calm():
            await self._sleep(20)
        return not pod.gone

    def _twin(self, pod: FakePod) -> None:
        if self._cluster.twin(pod.job) is not None:
            self._ledger.hit(pod.key, TWIN.kind)

    def _start(self, pod: FakePod, fate: Fate) -> _Process:
        loop = asyncio.get_running_loop()
        stands = asyncio.Event()
        at = self._random.randint(0, LAST_BOUNDARY)
        kind = self._random.choice(list(Kind))
        in_copy = fate is ZOMBIE and self._random.random() < 0.7  # its rows sent, and in part inserted
        met = False
        uses, use = 0, self._random.randint(1, LAST_OF_MACHINE)
        actor: Actor

        def plan(number: int, where: Boundary) -> Kind | None:
            nonlocal met, uses
            if fate is BY_THE_MACHINE:
                uses += where.port == "machine" and not where.what.startswith("seek")
                met, before = uses >= use, met
                return self._random.choice((Kind.UNAVAILABLE, Kind.ANSWER_LOST)) if met and not before else None
            here = "copy_end" in (where.what, actor.has_just) if in_copy else number == at
            if met or not here or fate is NOTHING:
                return None
            met = True
            if fate is AT_A_BOUNDARY:
                return kind if kind in where.kinds else None
            if fate is not CONNECTION_CUT:
                actor.freeze()
            loop.call_soon_threadsafe(stands.set)
            return None

        def tell(kind: Kind, where: Boundary) -> None:
            whose = "runner's machine" if where.port == "machine" else "runner"
            self._ledger.hit(pod.key, f"{whose} {kind}", *excuses_of(kind))

        actor = Actor(plan, tell)
        ended = loop.run_in_executor(self._threads, run_pod, pod, self._conninfo, self._storage, actor)
        process = _Process(actor, ended, stands)
        self._processes[pod] = process
        return process

    async def _work(self, pod: FakePod, process: _Process, fate: Fate) -> None:
        met = asyncio.create_task(process.stands.wait())
        try:
            either: set[asyncio.Future[Any]] = {process.ended, met}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            met.cancel()
        if process.stands.is_set() and not process.ended.done():
            if not pod.gone and not pod.deleting:
                await self._meet_fate(pod, process, fate)
            process.actor.thaw()
        ended = await asyncio.shield(process.ended)
        if ended is None:
            self._cluster.end(pod, 137)
            return
        if ended.exit_code == ExitCode.CRASHED:
            self._ledger.find(f"a runner broke down by itself: run {pod.key}: {ended.unforeseen or ended.message}")
        self._cluster.end(pod, ended.exit_code, ended.message)

    async def _meet_fate(self, pod: FakePod, process: _Process, fate: Fate) -> None:
        cluster = self._cluster
        self._ledger.hit(pod.key, fate.kind, *fate.excuses)
        disrupt(cluster, pod, fate)
        if fate in (EVICTED, PREEMPTED):
            await self._sleep(self._random.uniform(0, 5))
            process.actor.interrupt()
        elif fate in ENDS:
            process.actor.die()
            await process.ended
            reason = self._random.choice(["Terminated", "Evicted"]) if fate is ENDED_BY_KUBELET else None
            end(cluster, pod, fate, reason)
        elif fate is JOB_DELETED:
            cluster.delete(pod.job.name, force=self._random.random() < 0.3)
        elif fate is ZOMBIE:
            cluster.lose(pod)
            await self._sleep(self._random.uniform(30, 600))
        elif fate is NODE_LOST:
            await self._lose_node(pod, process)
        elif fate is STALLED:
            await self._sleep(self._random.uniform(1, 200))
        elif fate is CONNECTION_CUT:
            await asyncio.to_thread(self._cut, f"parser-runner {pod.key.job_id} {pod.key.epoch}")

    async def _lose_node(self, pod: FakePod, process: _Process) -> None:
        self._cluster.lose_node(pod)
        if self._random.random() < 0.5:
            process.actor.thaw()  # the runner goes on without its kubelet
        await self._sleep(self._random.uniform(30, 400))
        self._cluster.node_is_back(pod)
        if pod.deleting:
            process.actor.die()

    def _cut(self, application: str) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s", [application[:63]]
            )

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        async def wait() -> None:
            await self._sleep(seconds)
            do()

        task = asyncio.create_task(wait())
        self._tasks.add(task)
        task.add_done_callback(self._over)
