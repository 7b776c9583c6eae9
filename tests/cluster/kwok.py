"""Nodes on which nothing runs: kwok keeps them alive."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import binaries, processes
from tests.cluster.api import Cluster
from tests.cluster.layout import Files
from tests.cluster.paths import state_dir

TAINT = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
LABEL = {"affirm.dev/node": "kwok"}
"""On every one of them, for pods that are to go there and nowhere else."""

_HEARTBEAT = """
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  lastHeartbeatTime: {{ Now | Quote }}
{{ end }}
"""


_READY = '.status.conditions.[] | select(.type == "Ready") | .status'


# Pods have none: whoever uses the nodes plays them.
def _stage(name: str, operator: str, delay_milliseconds: int) -> dict[str, Any]:
    """What happens to nodes whose condition Ready is or is not True; each is a change, and so leads to the next one."""
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Node"},
            "selector": {"matchExpressions": [{"key": _READY, "operator": operator, "values": ["True"]}]},
            "delay": {"durationMilliseconds": delay_milliseconds},
            "next": {"statusTemplate": _HEARTBEAT},
        },
    }


_STAGES = (_stage("initialize", "NotIn", 0), _stage("heartbeat", "In", 2000))


@contextmanager
def heartbeats() -> Iterator[None]:
    """Every node with kwok's annotation stays ready, whoever makes it."""
    files = Files(state_dir())
    config = files.root / "kwok.json"
    config.write_text("\n---\n".join(map(json.dumps, _STAGES)))
    command: list[str | Path] = [
        binaries.kwok(),
        f"--kubeconfig={files.kubeconfig}",
        f"--config={config}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
    ]
    processes.start(files, "kwok", command)
    try:
        yield
    finally:
        processes.remove(files, "kwok")


@contextmanager
def nodes(cluster: Cluster, names: Sequence[str], pods: int = 110) -> Iterator[None]:
    """Ready nodes beside the real one, tainted, each with room for a number of pods.

    Args:
        cluster: the local one.
        names: the nodes'.
        pods: how many of them a node takes.
    """
    cluster.apply(*(_node(name) for name in names))
    for name in names:
        patch = json.dumps({"status": {"capacity": _room(pods), "allocatable": _room(pods)}})
        cluster.kubectl("patch", "node", name, "--subresource=status", "--type=merge", "--patch", patch)
    with heartbeats():
        try:
            cluster.wait(lambda: all(is_ready(cluster, name) for name in names), "the nodes of kwok")
            yield
        finally:
            with contextlib.suppress(Exception):
                cluster.kubectl("delete", "node", *names)


def _node(name: str) -> dict[str, Any]:
    """One that no pod goes to that does not ask for it."""
    metadata = {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}, "labels": LABEL}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": [TAINT]}}


def _room(pods: int) -> dict[str, str]:
    return {"cpu": "1000", "memory": "1Ti", "ephemeral-storage": "10Ti", "pods": str(pods)}


def is_ready(cluster: Cluster, name: str) -> bool:
    """What the cluster takes a node for."""
    conditions = cluster.get("node", name).get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
