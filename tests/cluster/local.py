"""The local provider: a control plane and one node with a real kubelet, on this machine, as root."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.cluster import (
    binaries,
    cgroups,
    controlplane,
    kubeconfig,
    mounts,
    network,
    node,
    packages,
    pause,
    processes,
)
from tests.cluster.api import Cluster
from tests.cluster.errors import ClusterError
from tests.cluster.layout import NODE, POD_CIDR, POD_GATEWAY, SERVER, Files
from tests.cluster.paths import state_dir
from tests.cluster.pki import Authority

NAME = "local control plane"


def why_not() -> str | None:
    """Why no cluster can run on this machine, or None."""
    if sys.platform != "linux":
        return "only Linux can run a kubelet"
    if os.geteuid() != 0:
        return "a kubelet of our own needs root"
    return packages.why_not() or network.why_not()


def running() -> Cluster | None:
    """The running cluster, if it is healthy."""
    files = Files(state_dir())
    if not files.kubeconfig.exists() or processes.dead(files):
        return None
    cluster = _cluster(files)
    return cluster if _node_is_ready(cluster) else None


def start() -> Cluster:
    """Start a cluster; first removes the remains of an earlier one that crashed.

    Raises:
        NotPrepared: a program is not built; nothing has been stopped.
        ClusterError: it did not start; the message says which part, and nothing is left running.
    """
    for program in (binaries.kubernetes, binaries.etcd, binaries.pause, binaries.kubectl):
        program()
    files = Files(state_dir())
    _stop(files)
    shutil.rmtree(files.root, ignore_errors=True)
    files.root.mkdir(parents=True)
    try:
        return _start(files)
    except BaseException:
        _stop(files)
        raise


def stop() -> None:
    """Stop the cluster and remove its files from this machine, all but its logs; no cluster is no error."""
    files = Files(state_dir())
    if not files.processes.exists():
        return
    _stop(files)
    for path in files.root.iterdir():
        if path.is_dir() and path != files.logs:
            shutil.rmtree(path)
        elif path.is_file():
            path.unlink()
    network.wait_for_ports()


def _stop(files: Files) -> None:
    files.kubeconfig.unlink(missing_ok=True)
    processes.stop(files)
    cgroups.remove()
    mounts.unmount_below(files.root)
    network.remove()


def _start(files: Files) -> Cluster:
    network.wait_for_ports()
    network.create()
    cgroups.create()
    ca = Authority(files.pki)
    tokens = controlplane.start_api(files, ca)
    mounts.in_memory(files.containerd)
    node.start_containerd(files)
    # Under another name until the node is ready: the file's own name says that the cluster works.
    admin = ca.issue("admin", "affirm-test-admin", "system:masters")
    unready = kubeconfig.write(files.root / "kubeconfig.unready", SERVER, ca.cert, admin)
    archive = files.root / "pause.tar"
    pause.write(archive)
    cluster = _cluster(files, unready)
    _wait(files, cluster, "containerd", files.containerd_socket.exists)
    cluster.load_image("pause", archive)
    _wait(files, cluster, "the API server", lambda: cluster.kubectl("get", "--raw=/readyz", check=False) == "ok")
    controlplane.start_controllers(files, ca, tokens)
    node.start_kubelet(files, ca)
    node.start_proxy(files, ca)
    node.start_dns(files, ca, admin)
    _wait(files, cluster, "the node", lambda: _node_is_ready(cluster))
    processes.check(files)
    unready.rename(files.kubeconfig)
    return _cluster(files)


def _wait(files: Files, cluster: Cluster, what: str, condition: Callable[[], bool]) -> None:
    def met() -> bool:
        processes.check(files)
        return condition()

    try:
        cluster.wait(met, what)
    except ClusterError as error:
        raise ClusterError(f"{error}; see the logs in {files.logs}") from error


def _cluster(files: Files, config: Path | None = None) -> Cluster:
    def load(tag: str, archive: Path) -> None:
        command = [packages.program("ctr"), f"--address={files.containerd_socket}", "--namespace=k8s.io"]
        done = subprocess.run([*command, "images", "import", archive], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ClusterError(f"containerd did not take {tag}: {done.stderr.strip()}")

    return Cluster(NAME, config or files.kubeconfig, True, POD_GATEWAY, POD_CIDR, load)


def _node_is_ready(cluster: Cluster) -> bool:
    """Whether pods can be created and will be scheduled."""
    wanted = [f"node/{NODE}", "serviceaccount/default", "configmap/kube-root-ca.crt"]
    said = cluster.kubectl("get", *wanted, "-n", "default", "-o", "json", check=False, timeout_seconds=10)
    if not said:
        return False
    items = json.loads(said)["items"]
    if len(items) < len(wanted):
        return False
    conditions = {entry["type"]: entry["status"] for entry in items[0]["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not items[0]["spec"].get("taints")
