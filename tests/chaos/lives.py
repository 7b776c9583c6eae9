"""What becomes of each pod of the fake cluster: most load their file, and all else that can happen happens to some."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import psycopg

from dataset_jobs.model.causes import CountsAs
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.storage import StorageConfig
from tests.chaos.ledger import Ledger
from tests.fakes.cluster import FakeCluster, FakePod
from tests.fakes.runners import Ended, run_pod
from tests.faults.actor import Actor, Boundary, Kind

LAST_BOUNDARY = 45
"""A runner meets about so many; one that is to be hit later is not hit at all."""

ATTEMPT, INTERRUPTION, NEITHER = CountsAs.ATTEMPT, CountsAs.INTERRUPTION, CountsAs.NEITHER

FATES = {
    "nothing": 55,
    "boundary": 14,
    "machine": 8,
    "out_of_memory": 3,
    "evicted": 3,
    "preempted": 2,
    "drained_by_kubelet": 2,
    "deadline": 2,
    "deleted": 3,
    "zombie": 5,
    "node_lost": 4,
    "stalled": 3,
    "image": 1,
    "image_heals": 2,
    "unschedulable": 2,
    "connection_cut": 3,
}
"""How often what happens."""

TWINS = 0.04
SIDECARS = 0.15
"""Of the pods, into which a container is injected that never ends, whatever else becomes of them."""
LAST_OF_MACHINE = 30
"""So many uses of its machine a small load makes, and more of an archive."""

GRACE = timedelta(seconds=30)


@dataclass(eq=False, slots=True)
class _Process:
    actor: Actor
    ended: asyncio.Future[Ended | None]
    stands: asyncio.Event
    """It has come to the boundary at which its fate meets it, and stands still there."""


class Lives:
    """Leads the life of every pod, each in a task of its own.

    Args:
        calm: asked whether nothing is to happen any more.
        virtual_sleep: waits for so many seconds of the virtual clock.
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
    ) -> None:
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
        """Kills what is left, and waits for it."""
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
        """Runners that are at work, or stand still in it."""
        return len(self._processes)

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
        fate = "nothing" if self._calm() else self._random.choices(list(FATES), list(FATES.values()))[0]
        if not self._calm() and self._random.random() < TWINS:
            self._later(self._random.uniform(0, 5), lambda: self._twin(pod))
        await self._sleep(self._random.uniform(0, 2))
        if fate in ("unschedulable", "image", "image_heals") and not await self._wait_to_start(pod, fate):
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

    async def _wait_to_start(self, pod: FakePod, fate: str) -> bool:
        self._ledger.hit(pod.key, f"pod {fate}", NEITHER)
        if fate == "unschedulable":
            self._cluster.cannot_be_scheduled(pod)
            await self._sleep(self._random.uniform(30, 400))
            return True
        self._cluster.schedule(pod, "node-1")
        self._cluster.waits(pod, "ErrImagePull")
        if fate == "image_heals":
            await self._sleep(self._random.uniform(30, 250))
            return True
        while not pod.gone and not self._calm():
            await self._sleep(20)
        return not pod.gone

    def _twin(self, pod: FakePod) -> None:
        if self._cluster.twin(pod.job) is not None:
            self._ledger.hit(pod.key, "pod twin")

    def _start(self, pod: FakePod, fate: str) -> _Process:
        loop = asyncio.get_running_loop()
        stands = asyncio.Event()
        at = self._random.randint(0, LAST_BOUNDARY)
        kind = self._random.choice(list(Kind))
        in_copy = fate == "zombie" and self._random.random() < 0.7  # its rows sent, and in part inserted
        met = False
        uses, use = 0, self._random.randint(1, LAST_OF_MACHINE)
        actor: Actor

        def plan(number: int, where: Boundary) -> Kind | None:
            nonlocal met, uses
            if fate == "machine":
                uses += where.port == "machine"
                met, before = uses >= use, met
                return self._random.choice((Kind.UNAVAILABLE, Kind.ANSWER_LOST)) if met and not before else None
            here = "copy_end" in (where.what, actor.has_just) if in_copy else number == at
            if met or not here or fate == "nothing":
                return None
            met = True
            if fate == "boundary":
                return kind if kind in where.kinds else None
            if fate != "connection_cut":
                actor.freeze()
            loop.call_soon_threadsafe(stands.set)
            return None

        def tell(kind: Kind, where: Boundary) -> None:
            excuses = () if kind in (Kind.SLOW, Kind.DUPLICATE) else (ATTEMPT,)
            whose = "runner's machine" if where.port == "machine" else "runner"
            self._ledger.hit(pod.key, f"{whose} {kind}", *excuses)

        actor = Actor(plan, tell)
        ended = loop.run_in_executor(self._threads, run_pod, pod, self._conninfo, self._storage, actor)
        process = _Process(actor, ended, stands)
        self._processes[pod] = process
        return process

    async def _work(self, pod: FakePod, process: _Process, fate: str) -> None:
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

    async def _meet_fate(self, pod: FakePod, process: _Process, fate: str) -> None:
        cluster, key = self._cluster, pod.key
        match fate:
            case "out_of_memory":
                self._ledger.hit(key, "pod out of memory", ATTEMPT)
                process.actor.die()
                await process.ended
                cluster.end(pod, 137, container_reason="OOMKilled")
            case "deadline":
                self._ledger.hit(key, "pod past its deadline", ATTEMPT)
                process.actor.die()
                await process.ended
                cluster.end(pod, 137, pod_reason="DeadlineExceeded")
            case "evicted" | "preempted":
                self._ledger.hit(key, f"pod {fate}", INTERRUPTION)
                reason = "EvictionByEvictionAPI" if fate == "evicted" else "PreemptionByScheduler"
                cluster.disrupt(pod, reason)
                pod.deleting = True
                await self._sleep(self._random.uniform(0, 5))
                process.actor.interrupt()
            case "drained_by_kubelet":
                self._ledger.hit(key, "pod ended by its kubelet", INTERRUPTION)
                cluster.disrupt(pod, "TerminationByKubelet")
                process.actor.die()
                await process.ended
                cluster.end(pod, 137, pod_reason=self._random.choice(["Terminated", "Evicted"]))
            case "deleted":
                self._ledger.hit(key, "Job deleted by somebody", INTERRUPTION)
                cluster.delete(pod.job.name, force=self._random.random() < 0.3)
            case "zombie":
                # Its object is removed by force, or its node has lost touch: its process stands still, and goes on.
                self._ledger.hit(key, "zombie", INTERRUPTION)
                cluster.lose(pod)
                await self._sleep(self._random.uniform(30, 600))
            case "node_lost":
                self._ledger.hit(key, "node lost", INTERRUPTION)
                cluster.lose_node(pod)
                if self._random.random() < 0.5:
                    process.actor.thaw()  # it goes on without its kubelet
                await self._sleep(self._random.uniform(30, 400))
                cluster.node_is_back(pod)
                if pod.deleting:
                    process.actor.die()
            case "stalled":
                self._ledger.hit(key, "runner stands still for a while")
                await self._sleep(self._random.uniform(1, 200))
            case "connection_cut":
                self._ledger.hit(key, "connection cut by the server", ATTEMPT)
                await asyncio.to_thread(self._cut, f"parser-runner {key.job_id} {key.epoch}")

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
