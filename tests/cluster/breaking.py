"""Breaks the local cluster's parts, for tests of what then happens; never another provider's."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tests.cluster import kwok, local, network, processes
from tests.cluster.api import Cluster
from tests.cluster.layout import API_PORT, NODE, Files
from tests.cluster.paths import state_dir

SECOND_NODE = "kwok-node"


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
    """A ready node beside the real one, on which nothing runs: a thread says that it is well.

    A cluster of which every node is lost takes itself to be cut off, and gives up no pod.
    """
    cluster.apply(kwok.node(SECOND_NODE))
    stop = threading.Event()

    def keep_alive() -> None:
        while not stop.is_set():
            cluster.kubectl(
                "patch", "node", SECOND_NODE, "--subresource=status", "--type=merge", "--patch", _ready(), check=False
            )
            stop.wait(2)

    thread = threading.Thread(target=keep_alive)
    thread.start()
    try:
        cluster.wait(lambda: node_is_ready(cluster, SECOND_NODE), "the second node")
        yield
    finally:
        stop.set()
        thread.join()
        cluster.kubectl("delete", "node", SECOND_NODE, check=False)


def _ready() -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kept alive"}
    return json.dumps({"status": {"conditions": [{**ready, "lastHeartbeatTime": now, "lastTransitionTime": now}]}})


def node_is_ready(cluster: Cluster, name: str = NODE) -> bool:
    """What the cluster takes a node for."""
    return kwok.is_ready(cluster, name)
