"""Karpenter, with machines that kwok plays: nodes come for pods that no node has room for, and go again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cluster import binaries, kwok, processes
from tests.cluster.api import Cluster
from tests.cluster.layout import Files
from tests.cluster.paths import state_dir

_NAME = "affirm"
_KINDS = "nodepools.karpenter.sh,nodeclaims.karpenter.sh,kwoknodeclasses.karpenter.kwok.sh"


@dataclass(frozen=True, slots=True)
class Machines:
    """Those that Karpenter may order; a pod must ask for them by kwok.LABEL and tolerate kwok.TAINT.

    Args:
        cpus: that each has. Karpenter leaves 0.1 of them to the system.
        boot_seconds: between the order of a machine and its node.
        idle_seconds: that a node without changes waits until Karpenter thinks of removing it.
        grace_seconds: after which a machine that is taken away is gone, whatever its pods ask for.
    """

    cpus: int
    boot_seconds: int
    idle_seconds: int
    grace_seconds: int


@contextmanager
def karpenter(cluster: Cluster, machines: Machines) -> Iterator[None]:
    """A cluster that grows and shrinks meanwhile; in the end its additional nodes are gone.

    Args:
        cluster: the local one.
        machines: that are there to be had.
    """
    files = Files(state_dir())
    folder = binaries.karpenter()
    # Applied by the client, its annotation would be too long.
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", folder / "crds")
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all")
    with kwok.heartbeats():
        processes.start(files, "karpenter", [*_environment(cluster), folder / "kwok", *_OPTIONS])
        try:
            cluster.apply(_node_class(machines), node_pool(machines))
            yield
        finally:
            _remove(cluster)
            processes.remove(files, "karpenter")


_OPTIONS = ("--disable-leader-election=true", "--metrics-port=0", "--health-probe-port=0", "--log-level=info")


def _environment(cluster: Cluster) -> list[str]:
    # It takes no flag for it.
    return ["/usr/bin/env", f"KUBECONFIG={cluster.kubeconfig}", "SYSTEM_NAMESPACE=kube-system"]


def _remove(cluster: Cluster) -> None:
    """First the pool, so that nothing comes again; then its machines, from which Karpenter itself takes a finalizer."""
    cluster.kubectl("delete", "nodepool", _NAME, "--wait=false", check=False)
    cluster.kubectl("delete", "nodeclaims", "--all", "--timeout=100s", check=False)
    left = cluster.kubectl("get", _KINDS, "-o", "name", check=False).split()
    left += cluster.kubectl("get", "nodes", "-l", "karpenter.sh/nodepool", "-o", "name", check=False).split()
    for name in left:
        cluster.kubectl("patch", name, "--type=merge", "--patch", '{"metadata": {"finalizers": null}}', check=False)
        cluster.kubectl("delete", name, "--ignore-not-found", "--wait=false", check=False)
    cluster.kubectl("delete", "-f", binaries.karpenter() / "crds", "--timeout=100s", check=False)


def _node_class(machines: Machines) -> dict[str, Any]:
    return {
        "apiVersion": "karpenter.kwok.sh/v1alpha1",
        "kind": "KWOKNodeClass",
        "metadata": {"name": _NAME},
        "spec": {"nodeRegistrationDelay": f"{machines.boot_seconds}s"},
    }


def node_pool(machines: Machines) -> dict[str, Any]:
    """What Karpenter may order, and when it takes it back."""
    asked = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "karpenter.sh/capacity-type": "on-demand",
        "karpenter.kwok.sh/instance-family": "c",
        "karpenter.kwok.sh/instance-cpu": str(machines.cpus),
    }
    node = {
        "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": _NAME},
        "requirements": [{"key": key, "operator": "In", "values": [value]} for key, value in asked.items()],
        "taints": [kwok.TAINT],
        "expireAfter": "Never",
        "terminationGracePeriod": f"{machines.grace_seconds}s",
    }
    disruption = {
        "consolidationPolicy": "WhenEmptyOrUnderutilized",
        "consolidateAfter": f"{machines.idle_seconds}s",
        # By default a tenth of the nodes at a time.
        "budgets": [{"nodes": "100%"}],
    }
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": _NAME},
        "spec": {"template": {"metadata": {"labels": kwok.LABEL}, "spec": node}, "disruption": disruption},
    }
