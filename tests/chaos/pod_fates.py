"""What can happen to a pod of the fake cluster, what of it the cluster shows, and which end of its run that excuses."""

from dataclasses import dataclass

from dataset_jobs.model.causes import CountsAs
from tests.fakes.cluster import FakeCluster, FakePod
from tests.faults.actor import Kind

ATTEMPT, INTERRUPTION, NEITHER = CountsAs.ATTEMPT, CountsAs.INTERRUPTION, CountsAs.NEITHER


@dataclass(frozen=True, slots=True)
class Fate:
    """Something that happens to a pod.

    Args:
        kind: its name in the ledger.
        excuses: how the pod's run may end because of it.
        disruption: the reason of the condition that Kubernetes sets before it ends the pod.
        container_reason, pod_reason: what the kubelet says when the pod has ended.
    """

    kind: str
    excuses: tuple[CountsAs, ...] = ()
    disruption: str | None = None
    container_reason: str | None = None
    pod_reason: str | None = None


OUT_OF_MEMORY = Fate("pod out of memory", (ATTEMPT,), container_reason="OOMKilled")
PAST_ITS_DEADLINE = Fate("pod past its deadline", (ATTEMPT,), pod_reason="DeadlineExceeded")
KILLED = Fate("pod killed", (ATTEMPT,))
EVICTED = Fate("pod evicted", (INTERRUPTION,), "EvictionByEvictionAPI")
PREEMPTED = Fate("pod preempted", (INTERRUPTION,), "PreemptionByScheduler")
ENDED_BY_KUBELET = Fate("pod ended by its kubelet", (INTERRUPTION,), "TerminationByKubelet")
JOB_DELETED = Fate("Job deleted by somebody", (INTERRUPTION,))
ZOMBIE = Fate("zombie", (INTERRUPTION,))
"""Its object is removed by force, and its process goes on."""
NODE_LOST = Fate("node lost", (INTERRUPTION,))
CONNECTION_CUT = Fate("connection cut by the server", (ATTEMPT,))
STALLED = Fate("runner stands still for a while")
NO_IMAGE = Fate("pod image", (NEITHER,))
NO_IMAGE_YET = Fate("pod image_heals", (NEITHER,))
NO_NODE = Fate("pod unschedulable", (NEITHER,))
TWIN = Fate("pod twin")

ENDS = (OUT_OF_MEMORY, PAST_ITS_DEADLINE, KILLED, EVICTED, PREEMPTED, ENDED_BY_KUBELET)
"""The infrastructure ends a pod, or the kernel does."""


def disrupt(cluster: FakeCluster, pod: FakePod, fate: Fate) -> None:
    """Kubernetes shows that it is about to end a pod; an evicted or preempted one is deleted."""
    if fate.disruption is not None:
        cluster.disrupt(pod, fate.disruption)
    pod.deleting = pod.deleting or fate in (EVICTED, PREEMPTED)


def end(cluster: FakeCluster, pod: FakePod, fate: Fate, pod_reason: str | None = None) -> None:
    """The pod's process was killed, and the kubelet says why; `pod_reason` in place of the fate's own."""
    cluster.end(pod, 137, container_reason=fate.container_reason, pod_reason=pod_reason or fate.pod_reason)


def excuses_of(kind: Kind) -> tuple[CountsAs, ...]:
    """How a run may end because of a fault at one of its runner's boundaries."""
    return () if kind in (Kind.SLOW, Kind.DUPLICATE) else (ATTEMPT,)
