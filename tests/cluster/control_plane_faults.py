"""Breaks the local cluster's parts, for tests of the consequences; never another provider's."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

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
    """A ready node beside the real one, on which nothing runs.

    A cluster that has lost every node believes itself cut off, and gives up no pod.
    """
    with kwok.nodes(cluster, [SECOND_NODE]):
        yield


def node_is_ready(cluster: Cluster, name: str = NODE) -> bool:
    """What the cluster takes a node for."""
    return kwok.is_ready(cluster, name)
