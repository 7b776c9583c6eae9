"""How a pool is run. A ParserPool says it, or on one machine the settings."""

from dataclasses import dataclass, field
from datetime import timedelta

from controller.autoscaling.behavior import Behavior
from controller.outcomes.retry import RetryPolicy
from controller.pools.runner_pod import Memory, RunnerTemplate

KEEP = timedelta(minutes=10)
"""How long a settled run's Kubernetes Job is kept for people to look at, unless its pool says otherwise."""

START_DEADLINE = timedelta(minutes=5)
"""How long a pod may fail to start before its claim is given back."""


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """One pool.

    Args:
        name: the pool's, in Postgres and on its Jobs.
        min_parallelism: the fewest desired runs while jobs wait.
        max_parallelism: the most runs at once; None keeps the database's figure.
        target_backlog_per_runner: how many waiting and running jobs there should be per runner.
        behavior: how fast the desired runs may follow the queue.
        paused: nothing is claimed; None keeps the database's word.
        max_pending: the most runs that have not started; None keeps the database's figure.
        template: how its runner pods are made; None with the process launcher.
        retry: budgets and waits.
        start_deadline: how long a pod may fail to start before its claim is given back.
        keep_jobs: how long a settled Kubernetes Job is kept for people to look at.
        retention: how long its finished jobs and their runs are kept in the database; None for ever.
        generation: rises with every change; of two descriptions the one with the higher counts.
    """

    name: str
    min_parallelism: int = 0
    max_parallelism: int | None = None
    target_backlog_per_runner: int = 1
    behavior: Behavior = field(default_factory=Behavior)
    paused: bool | None = None
    max_pending: int | None = None
    template: RunnerTemplate | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    start_deadline: timedelta = START_DEADLINE
    keep_jobs: timedelta = KEEP
    retention: timedelta | None = None
    generation: int = 0

    @property
    def memory(self) -> Memory | None:
        """A runner's memory; None if the template sets no limit, or there is none."""
        return None if self.template is None else self.template.memory
