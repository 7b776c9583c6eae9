"""Controllers that die and come again, on the real launcher over the fake cluster."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

from controller.launchers.interface import ObservedRun
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.loop import Reconciler
from controller.outcomes.retry import RetryPolicy
from controller.pools.runner_pod import RunnerTemplate
from controller.pools.source import Pools
from controller.pools.spec import PoolSpec
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from tests.chaos.clients import POOLS
from tests.chaos.ledger import Ledger
from tests.fakes.cluster import FakeCluster
from tests.fakes.watch import FakeWatch
from tests.faults.actor import Actor, Boundary, Crashed, Kind
from tests.faults.connections import async_connection
from tests.faults.ports import exposed
from tests.kit.controller import controller, no_jitter

FAULTS = 0.004
"""How likely a fault is at a boundary; a tick meets some thirty, and more with every run."""

KINDS = {
    Kind.CRASH_BEFORE: 2,
    Kind.CRASH_AFTER: 2,
    Kind.ANSWER_LOST: 3,
    Kind.UNAVAILABLE: 2,
    Kind.SLOW: 3,
    Kind.DUPLICATE: 3,
}

_log = logging.getLogger(__name__)


class StaleLauncher(KubernetesLauncher):
    """The real one, whose answers may have been long under way."""

    stale: Callable[[], bool] = staticmethod(lambda: False)
    """Whether a list is the one before."""
    _last: list[ObservedRun] | None = None

    async def list_all(self) -> list[ObservedRun]:
        if self._last is not None and self.stale():
            return self._last
        self._last = await super().list_all()
        return self._last


@dataclass
class _Served:
    """Several pools, as settled as one that the settings describe."""

    served: Mapping[str, PoolSpec]
    warnings: tuple[str, ...] = ()

    async def refresh(self) -> None: ...

    def rules(self, pool: str) -> PoolSpec:
        return self.served[pool]

    async def report(self, leads: Container[str]) -> None: ...


def controller_at_risk(
    actor: Actor,
    cluster: FakeCluster,
    installation: UUID,
    store: ControllerStore,
    owner: str,
    pools: Pools | PoolSpec,
    random: Callable[[], float] = no_jitter,
) -> tuple[Reconciler, StaleLauncher]:
    """A controller over the fake cluster; each call of a port is a boundary of its actor.

    Returns:
        The controller, and its launcher as it is inside.
    """
    api = exposed(cluster.api, "kubernetes", actor)
    launcher = StaleLauncher(api, installation, RunnerTemplate("image", deadline_seconds=0))
    store, port = exposed(store, "store", actor), exposed(launcher, "launcher", actor)
    return controller(store, port, owner, pools, random=random), launcher


class Controllers:
    """Keeps a number of controllers alive: each runs in its own task and starts again when it dies.

    Args:
        calm: asked whether nothing is to happen any more.
    """

    def __init__(
        self,
        cluster: FakeCluster,
        conninfo: str,
        installation: UUID,
        ledger: Ledger,
        random: Random,
        calm: Callable[[], bool],
        retry: RetryPolicy,
    ) -> None:
        self._cluster = cluster
        self._conninfo = conninfo
        self._installation = installation
        self._ledger = ledger
        self._random = random
        self._calm = calm
        self._retry = retry
        self._born = 0
        self._tasks: list[asyncio.Task[None]] = []
        self.ticks = 0

    def start(self, count: int) -> None:
        """So many more."""
        self._tasks += [asyncio.create_task(self._again_and_again()) for _ in range(count)]

    def broken(self) -> list[BaseException]:
        """The errors that ended a controller for good; there should be none."""
        return [error for task in self._tasks if task.done() and (error := task.exception()) is not None]

    async def close(self) -> None:
        """Ends them all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _again_and_again(self) -> None:
        while True:
            actor = Actor(self._plan, self._tell)
            life = asyncio.create_task(self._live(actor))
            try:
                while not life.done():
                    await asyncio.wait({life}, timeout=0.05)
                    if actor.dead:
                        life.cancel()
                if not life.cancelled():
                    life.result()
            except* Crashed:
                pass
            finally:
                life.cancel()
                actor.die()

    async def _live(self, actor: Actor) -> None:
        self._born += 1
        pool = controller_pool(self._conninfo, 4, async_connection(actor))
        try:
            await pool.open()
            await self._tick(actor, ControllerStore(pool))
        finally:
            # Of one that has died only the process is cleaned up: its connections are cut already.
            with contextlib.suppress(BaseException):
                await pool.close(timeout=0)

    async def _tick(self, actor: Actor, store: ControllerStore) -> None:
        pools = _Served({pool: PoolSpec(pool, retry=self._retry) for pool in POOLS})
        owner = f"controller-{self._born}"
        reconciler, launcher = controller_at_risk(
            actor, self._cluster, self._installation, store, owner, pools, self._random.random
        )
        launcher.stale = self._stale
        watch = FakeWatch(self._cluster, self._event_lost)
        while True:
            resync = self._calm() or self._random.random() < 0.3
            watch.tell(launcher.on_event)
            await reconciler.tick_safely(resync)
            self.ticks += 1
            await asyncio.sleep(self._random.uniform(0, 0.05))

    def _stale(self) -> bool:
        if self._calm() or self._random.random() > 0.03:
            return False
        self._ledger.fault("list stale")
        return True

    def _event_lost(self) -> bool:
        if self._calm() or self._random.random() > 0.1:
            return False
        self._ledger.fault("watch event lost")
        return True

    def _plan(self, number: int, at: Boundary) -> Kind | None:
        if self._calm() or self._random.random() > FAULTS:
            return None
        kind = self._random.choices(list(KINDS), list(KINDS.values()))[0]
        return kind if kind in at.kinds else None

    def _tell(self, kind: Kind, at: Boundary) -> None:
        self._ledger.fault(f"controller {kind}")


RETRY = RetryPolicy(give_up_starting=timedelta(hours=24))
