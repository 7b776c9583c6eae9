"""The kind provider, for machines with a Docker engine; kind itself is fetched and driven by pytest-kind."""

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cluster import binaries, building
from tests.cluster.api import Cluster
from tests.cluster.errors import ClusterError
from tests.cluster.paths import state_dir

NAME = "kind"
_CLUSTER = "affirm-test"
# pytest-kind's own defaults are years old. An image belongs to a release of kind, whose notes list its digest.
_VERSION = "v0.33.0"
_IMAGE = "kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d"


def why_not() -> str | None:
    """Why kind cannot run here, or None; the docker command is often there without an engine."""
    docker = shutil.which("docker")
    if docker is None:
        return "there is no docker command"
    try:
        asked = subprocess.run([docker, "info"], capture_output=True, timeout=20, check=False)
        answers = asked.returncode == 0
    except subprocess.TimeoutExpired:
        answers = False
    return None if answers else "no Docker engine answers (docker info)"


def running() -> Cluster | None:
    """The running cluster, if it answers."""
    if not _kubeconfig().exists():
        return None
    cluster = _cluster()
    return cluster if cluster.kubectl("get", "--raw=/readyz", check=False, timeout_seconds=10) == "ok" else None


def fetch() -> None:
    """Have kind itself and its node's image at hand.

    Raises:
        NotPrepared: one of them is missing, and this process may not fetch it.
        subprocess.CalledProcessError: the image did not come.
    """
    kind = _pytest_kind()
    if not kind.kind_path.exists():
        building.require(f"kind {_VERSION}")
        kind.ensure_kind()
    if kind.image:
        pull(kind.image)


def pull(image: str) -> None:
    """Have an image of a registry at hand; errors as in fetch()."""
    docker = shutil.which("docker") or "docker"
    if subprocess.run([docker, "image", "inspect", image], capture_output=True, check=False).returncode != 0:
        building.require(f"the image {image}")
        subprocess.run([docker, "pull", image], stdout=sys.stderr, check=True)


def start() -> Cluster:
    """Create the cluster anew."""
    fetch()
    _kubeconfig().parent.mkdir(parents=True, exist_ok=True)
    _kind("delete", "cluster", check=False)
    _pytest_kind().create()
    cluster = _cluster()
    cluster.wait(lambda: _is_ready(cluster), "the node", seconds=180)
    return cluster


def stop() -> None:
    """Delete the cluster; nothing to do is no error."""
    if _kubeconfig().exists():
        _kind("delete", "cluster", check=False)
        _kubeconfig().unlink(missing_ok=True)


def _kubeconfig() -> Path:
    return state_dir() / "kind.kubeconfig"


def _cluster() -> Cluster:
    # Connections from pods leave kind's node by its own address or theirs, depending on the route.
    return Cluster(NAME, _kubeconfig(), True, _host_address(), "0.0.0.0/0", _load)


def _is_ready(cluster: Cluster) -> bool:
    nodes = cluster.get("nodes")["items"]
    return bool(nodes) and not any(node["spec"].get("taints") for node in nodes)


def _host_address() -> str:
    """Docker Desktop has a name for the host; elsewhere it is the gateway of kind's own network."""
    if platform.system() != "Linux":
        return "host.docker.internal"
    said = subprocess.run(["docker", "network", "inspect", "kind"], capture_output=True, text=True, check=True)
    for entry in json.loads(said.stdout)[0]["IPAM"]["Config"]:
        if "." in entry.get("Gateway", ""):
            return str(entry["Gateway"])
    raise ClusterError("Docker's network `kind` has no IPv4 gateway")


def _load(tag: str, archive: Path) -> None:
    _kind("load", "image-archive", str(archive))


def _kind(*args: str, check: bool = True) -> None:
    kind = _pytest_kind()
    done = subprocess.run([kind.kind_path, *args, f"--name={_CLUSTER}"], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise ClusterError(f"kind {args[0]}: {done.stderr.strip()}")


def _pytest_kind() -> Any:
    # Its version is read when pytest-kind is imported, so the import has to wait until here.
    os.environ.setdefault("KIND_VERSION", _VERSION)
    from pytest_kind import KindCluster

    own = shutil.which("kind")
    return KindCluster(
        _CLUSTER,
        kubeconfig=_kubeconfig(),
        # A kind of the machine's own knows best which image fits it.
        image=None if own else _IMAGE,
        kind_path=Path(own) if own else None,
        kubectl_path=binaries.kubectl(),
    )
