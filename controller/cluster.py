"""Where a controller's runs run, as the rest of it needs to know: on one machine, or in a Kubernetes cluster."""

from typing import NamedTuple

from app.settings import Settings
from controller.context import Announce
from controller.launchers.interface import Launcher
from controller.outcomes.retry import RetryPolicy
from controller.pools.source import Pools
from controller.pools.spec import PoolSpec


class Cluster(NamedTuple):
    """Where runs run.

    Args:
        launcher: starts them and sees them end.
        announce: tells people of a pool that is blocked, or not any more.
        pools: which pools this controller serves.
    """

    launcher: Launcher
    announce: Announce
    pools: Pools


def own_pool(settings: Settings) -> PoolSpec:
    """The pool that the settings describe."""
    return PoolSpec(
        settings.pool,
        retry=RetryPolicy(settings.worker_max_retries, settings.worker_retry_waits),
        start_deadline=settings.worker_start_deadline,
        retention=settings.worker_retention,
    )
