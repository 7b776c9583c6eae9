"""What the steps work with."""

import random
from collections.abc import Awaitable, Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

from controller.launchers import Launcher
from controller.metrics import Metrics
from controller.pipeline.schedules import Schedules
from controller.policy.pool_spec import PoolSpec
from dataset_jobs.store.for_controller import ControllerStore


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should notice.

    Args:
        reason: one word in CamelCase, as Kubernetes events have it.
        message: a sentence or two.
        warning: something is wrong; else it is right again.
        pool: the pool that it is about; empty where it is about none.
    """

    reason: str
    message: str
    warning: bool
    pool: str = ""


Announce = Callable[[Notice], Awaitable[None]]
"""Puts a notice, which is logged already, where people look as well; never raises."""


async def to_nobody(notice: Notice) -> None:
    """One machine has its log."""


class Pools(Protocol):
    """The pools that a controller claims from, and how each is run."""

    async def refresh(self) -> None:
        """Called at the begin of every tick: reads anew what may have changed.

        Raises:
            Unavailable: it cannot be read, and never was.
        """

    @property
    def served(self) -> Mapping[str, PoolSpec]:
        """Those that are claimed from, by name."""

    def rules(self, pool: str) -> PoolSpec:
        """How the runs of a pool are treated; of one that is not claimed from any more, too."""

    async def report(self, leads: Container[str]) -> None:
        """Called at the end of every tick: tells of the pools where people look.

        Args:
            leads: the pools that this controller decides for.
        """


@dataclass(frozen=True, slots=True)
class OnePool:
    """The one pool of a controller that has its settings alone to go by."""

    spec: PoolSpec

    async def refresh(self) -> None:
        """Settings do not change."""

    @property
    def served(self) -> Mapping[str, PoolSpec]:
        """See Pools."""
        return {self.spec.name: self.spec}

    def rules(self, pool: str) -> PoolSpec:
        """See Pools."""
        return self.spec if pool == self.spec.name else replace(self.spec, name=pool)

    async def report(self, leads: Container[str]) -> None:
        """There is `affirm-worker status`."""


@dataclass(frozen=True, slots=True)
class Context:
    """One controller: its database, its launcher, and how it is to decide.

    Args:
        owner: names this controller, anew at every start.
        pools: whose jobs it claims, and how it treats them.
        concurrency: how many runs it has at once; None where the pools' maxima alone decide.
        lease: from the claim until the runner renews it.
        announce: puts a notice where people look.
        schedules: the recurring submissions; None where nobody is to do them.
        metrics: what is counted and measured; in nobody's sight unless somebody serves them.
        random: from 0 to 1, for jitter.
    """

    store: ControllerStore
    launcher: Launcher
    owner: str
    pools: Pools
    concurrency: int | None = None
    lease: timedelta = timedelta(seconds=60)
    announce: Announce = to_nobody
    schedules: Schedules | None = None
    metrics: Metrics = field(default_factory=Metrics)
    random: Callable[[], float] = field(default=random.random)
