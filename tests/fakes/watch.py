"""The watch over a fake cluster: reports the changes since the last time, as the API server would."""

from collections.abc import Callable

from controller.launchers.kubernetes.objects import Job, Pod, job_of, pod_of
from controller.operator import OnEvent
from tests.fakes.cluster import FakeCluster


class FakeWatch:
    """The events of one controller's watch.

    Args:
        cluster: the cluster.
        lost: asked for each event whether nobody hears of it.
    """

    def __init__(self, cluster: FakeCluster, lost: Callable[[], bool] = lambda: False) -> None:
        self._cluster = cluster
        self._lost = lost
        self._shown: dict[str, Job | Pod] = {}

    def tell(self, on_event: OnEvent) -> None:
        """Everything that is new, changed or deleted."""
        shown: dict[str, Job | Pod] = {job.uid: job_of(job.shown()) for job in self._cluster.jobs.values()}
        shown |= {pod.uid: pod_of(pod.shown()) for pod in self._cluster.pods.values()}
        for uid, thing in shown.items():
            if self._shown.get(uid) != thing and not self._lost():
                on_event(thing, False)
        for uid, thing in self._shown.items():
            if uid not in shown and not self._lost():
                on_event(thing, True)
        self._shown = shown
