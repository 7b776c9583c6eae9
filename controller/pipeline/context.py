"""What the steps work with."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from controller.launchers import Launcher
from controller.pipeline.schedules import Schedules
from controller.policy.settling import RetryPolicy
from dataset_jobs.store.for_controller import ControllerStore


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should notice.

    Args:
        reason: one word in CamelCase, as Kubernetes events have it.
        message: a sentence or two.
        warning: something is wrong; else it is right again.
    """

    reason: str
    message: str
    warning: bool


Announce = Callable[[Notice], Awaitable[None]]
"""Puts a notice, which is logged already, where people look as well; never raises."""


async def to_nobody(notice: Notice) -> None:
    """One machine has its log."""


@dataclass(frozen=True, slots=True)
class Context:
    """One controller: its database, its launcher, and how it is to decide.

    Args:
        owner: names this controller, anew at every start.
        pool: whose jobs it claims.
        concurrency: how many runs it has at once; None where the pool's maximum alone decides.
        retry: budgets and waits.
        lease: from the claim until the runner renews it.
        start_deadline: how long a pod may fail to start before its claim is given back.
        retention: how long finished jobs are kept; None for ever.
        announce: puts a notice where people look.
        schedules: the recurring submissions; None where nobody is to do them.
        random: from 0 to 1, for jitter.
    """

    store: ControllerStore
    launcher: Launcher
    owner: str
    pool: str
    concurrency: int | None
    retry: RetryPolicy
    lease: timedelta = timedelta(seconds=60)
    start_deadline: timedelta = timedelta(minutes=5)
    retention: timedelta | None = None
    announce: Announce = to_nobody
    schedules: Schedules | None = None
    random: Callable[[], float] = field(default=random.random)
