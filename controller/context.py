"""What the steps work with."""

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


@dataclass(frozen=True, slots=True)
class Context:
    """One controller: its database, its launcher, and how it is to decide.

    Args:
        owner: names this controller, anew at every start.
        pools: whose jobs it claims, and how it treats them.
        concurrency: how many runs it has at once; None where the pools' maxima alone decide.
        lease: from the claim until the runner renews it.
        announce: puts a notice where people look.
        metrics: what is counted and measured; in nobody's sight unless somebody serves them.
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
    random: Callable[[], float] = field(default=random.random)
