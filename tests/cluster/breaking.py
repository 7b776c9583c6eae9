"""Breaks the local cluster's parts, for tests of what then happens; never another provider's."""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import binaries, local, network, processes
from tests.cluster.api import Cluster
from tests.cluster.layout import API_PORT, NODE, Files
from tests.cluster.paths import state_dir

SECOND_NODE = "kwok-node"

_HEARTBEAT = """
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  lastHeartbeatTime: {{ Now | Quote }}
{{ end }}
"""
_STAGE = {
    "apiVersion": "kwok.x-k8s.io/v1alpha1",
    "kind": "Stage",
    "metadata": {"name": "heartbeat"},
    "spec": {
        "resourceRef": {"apiGroup": "v1", "kind": "Node"},
        # An empty list would match nothing. Each heartbeat is a change, and so leads to the next one.
        "selector": {"matchExpressions": [{"key": ".metadata.name", "operator": "Exists"}]},
        "delay": {"durationMilliseconds": 2000},
        "next": {"statusTemplate": _HEARTBEAT},
    },
}


def possible(cluster: Cluster) -> bool:
    """Whether the cluster is the local one, whose processes are ours."""
    return cluster.name == local.NAME


@contextmanager
def standing_still(name: str) -> Iterator[None]:
    """Stops a process of the cluster, such as kubelet, and lets it go on in the end."""
    pid = processes.pid(Files(state_dir()), name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def restart_api_server(cluster: Cluster) -> None:
    """Kills the API server and starts it again; returns when it answers."""
    files = Files(state_dir())
    command = processes.remove(files, "kube-apiserver")
    network.wait_for_ports([API_PORT])
    processes.start(files, "kube-apiserver", command)
    cluster.wait(lambda: cluster.kubectl("get", "--raw=/readyz", check=False) == "ok", "the API server to be back")


@contextmanager
def second_node(cluster: Cluster) -> Iterator[None]:
    """A ready node beside the real one, on which nothing runs: kwok keeps it alive.

    A cluster of which every node is lost takes itself to be cut off, and gives up no pod.
    """
    files = Files(state_dir())
    stage = files.root / "kwok.json"
    stage.write_text(json.dumps(_STAGE))
    command: list[str | Path] = [
        # Its client asks for lists in a way that this etcd cannot serve, again and again, and sees no change meanwhile.
        "/usr/bin/env",
        "KUBE_FEATURE_WatchListClient=false",
        binaries.kwok(),
        f"--kubeconfig={files.kubeconfig}",
        f"--config={stage}",
        "--manage-all-nodes=false",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
    ]
    taint = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}
    metadata = {"name": SECOND_NODE, "annotations": {"kwok.x-k8s.io/node": "fake"}}
    cluster.apply({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"taints": [taint]}})
    processes.start(files, "kwok", command)
    try:
        cluster.wait(lambda: node_is_ready(cluster, SECOND_NODE), "the second node")
        yield
    finally:
        with contextlib.suppress(Exception):
            cluster.kubectl("delete", "node", SECOND_NODE)
        processes.remove(files, "kwok")


def node_is_ready(cluster: Cluster, name: str = NODE) -> bool:
    """What the cluster takes a node for."""
    conditions = cluster.get("node", name).get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
