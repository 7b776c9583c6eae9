"""The watch over a fake cluster: tells of what has changed since it was asked last, as the API server would."""

from collections.abc import Callable
from typing import Any

from controller.launchers.cluster_view import JOB, POD
from controller.operator import Saw
from tests.fakes.cluster import FakeCluster


class FakeWatch:
    """What one controller's watch is told.

    Args:
        cluster: the cluster.
        lost: asked for each event whether nobody hears of it.
    """

    def __init__(self, cluster: FakeCluster, lost: Callable[[], bool] = lambda: False) -> None:
        self._cluster = cluster
        self._lost = lost
        self._shown: dict[tuple[str, str], dict[str, Any]] = {}

    def tell(self, saw: Saw) -> None:
        """Everything that is new, changed or deleted."""
        shown = {(JOB, job.uid): job.shown() for job in self._cluster.jobs.values()}
        shown |= {(POD, pod.uid): pod.shown() for pod in self._cluster.pods.values()}
        for (kind, uid), thing in shown.items():
            if self._shown.get((kind, uid)) != thing and not self._lost():
                saw(kind, False, thing)
        for (kind, uid), thing in self._shown.items():
            if (kind, uid) not in shown and not self._lost():
                saw(kind, True, thing)
        self._shown = shown
