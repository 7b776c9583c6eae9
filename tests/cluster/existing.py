"""The provider of those who bring a cluster: it is used as it is, and never started, stopped or broken.

Only AFFIRM_TEST_KUBECONFIG names it. A plain KUBECONFIG may be somebody's production.
"""

import os
import shlex
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster.api import Cluster
from tests.cluster.errors import ClusterError

NAME = "AFFIRM_TEST_KUBECONFIG"
_HOST_ADDRESS = "AFFIRM_TEST_HOST_ADDRESS"
_LOAD_COMMAND = "AFFIRM_TEST_LOAD_COMMAND"


def why_not() -> str | None:
    """Why there is none, or None."""
    return None if os.environ.get(NAME) else f"{NAME} is not set"


def running() -> Cluster | None:
    """The cluster, if it was given and answers.

    Raises:
        ClusterError: it was given and does not answer; taking another one instead would surprise.
    """
    given = os.environ.get(NAME)
    if not given:
        return None
    if not Path(given).is_file():
        raise ClusterError(f"{NAME} names {given}, which is not a file")
    cluster = Cluster(NAME, Path(given).absolute(), False, "", "0.0.0.0/0", _load)
    server = cluster.kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    cluster.kubectl("get", "--raw=/readyz")
    return Cluster(NAME, cluster.kubeconfig, False, _host_address(server), cluster.pod_cidr, _load)


def start() -> Cluster:
    """As running(): somebody else has started it."""
    cluster = running()
    if cluster is None:
        raise ClusterError(f"{NAME} is not set")
    return cluster


def stop() -> None:
    """Does nothing."""


def _host_address(server: str) -> str:
    """This host's address on the way to the API server; the best guess at the one on the way back from pods."""
    given = os.environ.get(_HOST_ADDRESS)
    if given:
        return given
    url = urlsplit(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # Connecting a datagram socket sends nothing: it only asks the routing table.
        probe.connect((url.hostname or "", url.port or 443))
        return str(probe.getsockname()[0])


def _load(tag: str, archive: Path) -> None:
    command = os.environ.get(_LOAD_COMMAND)
    if not command:
        raise ClusterError(f"set {_LOAD_COMMAND} to the command that loads {tag} from an archive into {NAME}'s nodes")
    subprocess.run([*shlex.split(command), archive], check=True)
