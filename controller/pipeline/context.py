"""What the steps work with."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from controller.launchers import Launcher
from controller.policy.settling import RetryPolicy
from dataset_jobs.store.for_controller import ControllerStore


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
    random: Callable[[], float] = field(default=random.random)
