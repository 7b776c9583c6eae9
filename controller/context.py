"""The context of the steps: one controller, with its database, launcher and pools."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from controller.launchers.interface import Launcher
from controller.metrics import Metrics
from controller.pools.source import Pools
from dataset_jobs.model.keys import RUN_LEASE
from dataset_jobs.store.controller import ControllerStore


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should notice.

    Args:
        reason: one word in CamelCase, as Kubernetes events have it.
        message: a sentence or two.
        warning: something is wrong; else it is right again.
        pool: the pool that it concerns, if any.
    """

    reason: str
    message: str
    warning: bool
    pool: str = ""


Announce = Callable[[Notice], Awaitable[None]]
"""Shows people a notice that is in the log already, in another place too; never raises."""


async def to_nobody(notice: Notice) -> None:
    """One machine has its log."""


@dataclass(slots=True)
class Tally:
    """What this controller has settled so far: `failed` counts the jobs that it gave up."""

    failed: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """One controller: its database, its launcher, and its rules.

    Args:
        owner: the controller's name, a new one at every start.
        pools: whose jobs it claims, and how it treats them.
        concurrency: how many runs it has at once; None if only the pools' maxima limit them.
        lease: from the claim until the runner renews it.
        announce: shows people a notice.
        metrics: counts and measures; nobody sees them unless somebody serves them.
        tally: what it has settled.
        random: from 0 to 1, for jitter.
    """

    store: ControllerStore
    launcher: Launcher
    owner: str
    pools: Pools
    concurrency: int | None = None
    lease: timedelta = RUN_LEASE
    announce: Announce = to_nobody
    metrics: Metrics = field(default_factory=Metrics)
    tally: Tally = field(default_factory=Tally)
    random: Callable[[], float] = field(default=random.random)
