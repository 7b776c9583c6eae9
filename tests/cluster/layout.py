"""Names, addresses, ports and files of the local cluster, in one place."""

from dataclasses import dataclass
from pathlib import Path

NODE = "node1"

# The node's address must not be a loopback one, so it has a bridge of its own; pods sit on the other.
NODE_BRIDGE = "affirm-node"
NODE_ADDRESS = "10.245.0.1"
POD_BRIDGE = "affirm-pods"
POD_CIDR = "10.244.0.0/24"
POD_GATEWAY = "10.244.0.1"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"

# All pods' cgroups are below this one, so that what is left of a crashed cluster can be told from the rest.
CGROUP = "affirm-cluster"

# Unusual ones below the ephemeral range, so that a developer's own etcd or Kubernetes is not in the way.
API_PORT = 26443
ETCD_PORT = 22379
ETCD_PEER_PORT = 22380
KUBELET_PORT = 20250
KUBELET_HEALTH_PORT = 20248
PROXY_METRICS_PORT = 20249
PROXY_HEALTH_PORT = 20256
CONTROLLER_MANAGER_PORT = 20257
SCHEDULER_PORT = 20259
PORTS = (
    API_PORT,
    ETCD_PORT,
    ETCD_PEER_PORT,
    KUBELET_PORT,
    KUBELET_HEALTH_PORT,
    PROXY_METRICS_PORT,
    PROXY_HEALTH_PORT,
    CONTROLLER_MANAGER_PORT,
    SCHEDULER_PORT,
)

SERVER = f"https://{NODE_ADDRESS}:{API_PORT}"
PAUSE_IMAGE = "localhost/affirm-test-pause:1"


@dataclass(frozen=True)
class Files:
    """The files of a cluster below its state folder."""

    root: Path

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.root / "pki"

    @property
    def logs(self) -> Path:
        """One log a process; kept after the cluster has stopped, until the next one starts."""
        return self.root / "logs"

    @property
    def processes(self) -> Path:
        """One file a started process, with its id."""
        return self.root / "processes"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig; that it exists says that the cluster was once ready."""
        return self.root / "kubeconfig"

    @property
    def containerd(self) -> Path:
        """containerd's root, state and configuration."""
        return self.root / "containerd"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd answers."""
        return self.containerd / "c.sock"
