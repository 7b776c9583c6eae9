"""A controller put together for a test. It does nothing until the test ticks or runs it."""

import asyncio
from collections.abc import Callable
from random import random as chance

from controller.background.schedules import Schedules
from controller.context import Context
from controller.launchers.interface import Launcher
from controller.loop import RESYNC_SECONDS, Reconciler
from controller.loop_health import LoopHealth
from controller.metrics import Metrics
from controller.pools.source import OnePool, Pools
from controller.pools.spec import PoolSpec
from dataset_jobs.store.for_controller import ControllerStore

DEFAULT_POOL = PoolSpec("default")


def no_jitter() -> float:
    """The lower bound of every wait."""
    return 0.0


def controller(
    store: ControllerStore,
    launcher: Launcher,
    owner: str = "test",
    pools: Pools | PoolSpec = DEFAULT_POOL,
    *,
    concurrency: int | None = None,
    random: Callable[[], float] = chance,
    metrics: Metrics | None = None,
    poll_seconds: float = 1.0,
    resync_seconds: float = RESYNC_SECONDS,
    wake: asyncio.Event | None = None,
    schedules: Schedules | None = None,
) -> Reconciler:
    """Puts a controller together; see `Context` and `Reconciler`.

    Args:
        pools: where they come from, or the only one.
        metrics, wake: new ones if none are given.
    """
    source = OnePool(pools) if isinstance(pools, PoolSpec) else pools
    context = Context(store, launcher, owner, source, concurrency, metrics=metrics or Metrics(), random=random)
    return Reconciler(context, poll_seconds, wake or asyncio.Event(), LoopHealth(), resync_seconds, schedules)
