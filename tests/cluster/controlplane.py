"""The control plane's processes and their settings: etcd, API server, controller manager, scheduler."""

from collections.abc import Sequence
from pathlib import Path

from tests.cluster import binaries, kubeconfig, processes
from tests.cluster.layout import (
    API_PORT,
    API_SERVICE_ADDRESS,
    CONTROLLER_MANAGER_PORT,
    ETCD_PEER_PORT,
    ETCD_PORT,
    NODE_ADDRESS,
    POD_GATEWAY,
    SCHEDULER_PORT,
    SERVER,
    SERVICE_CIDR,
    Files,
)
from tests.cluster.pki import Authority, Pair

_ETCD = f"https://127.0.0.1:{ETCD_PORT}"
_API_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "127.0.0.1",
    NODE_ADDRESS,
    POD_GATEWAY,
    API_SERVICE_ADDRESS,
)


def start_api(files: Files, ca: Authority) -> Path:
    """Start etcd and the API server; returns the key that signs service account tokens."""
    etcd = ca.issue("etcd", "etcd", hosts=("127.0.0.1", "localhost"))
    _start_etcd(files, ca, etcd)
    serving = ca.issue("apiserver", "kube-apiserver", hosts=_API_NAMES)
    kubelet_client = ca.issue("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters")
    tokens = ca.signing_key("service-accounts")
    arguments = {
        "etcd-servers": _ETCD,
        "etcd-cafile": ca.cert,
        "etcd-certfile": etcd.cert,
        "etcd-keyfile": etcd.key,
        # Not on every interface: pods and this host reach the node's address, and nobody else has to.
        "bind-address": NODE_ADDRESS,
        "advertise-address": NODE_ADDRESS,
        "secure-port": API_PORT,
        "cert-dir": files.pki,
        "tls-cert-file": serving.cert,
        "tls-private-key-file": serving.key,
        "client-ca-file": ca.cert,
        "kubelet-certificate-authority": ca.cert,
        "kubelet-client-certificate": kubelet_client.cert,
        "kubelet-client-key": kubelet_client.key,
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": tokens,
        "service-account-signing-key-file": tokens,
        "service-cluster-ip-range": SERVICE_CIDR,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",
    }
    processes.start(files, "kube-apiserver", _command("kube-apiserver", arguments))
    return tokens


def _start_etcd(files: Files, ca: Authority, pair: Pair) -> None:
    peer = f"http://127.0.0.1:{ETCD_PEER_PORT}"
    arguments = {
        "data-dir": files.root / "etcd",
        "listen-client-urls": _ETCD,
        "advertise-client-urls": _ETCD,
        "cert-file": pair.cert,
        "key-file": pair.key,
        "trusted-ca-file": ca.cert,
        "client-cert-auth": "true",
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        # What a crash of the machine would lose is not worth keeping.
        "unsafe-no-fsync": "true",
    }
    processes.start(files, "etcd", [binaries.etcd(), *_flags(arguments)])


def start_controllers(files: Files, ca: Authority, tokens: Path) -> None:
    """Start the controller manager and the scheduler; the API server has to be ready."""
    arguments = {
        "kubeconfig": component_kubeconfig(files, ca, "system:kube-controller-manager"),
        "bind-address": "127.0.0.1",
        "secure-port": CONTROLLER_MANAGER_PORT,
        "cert-dir": files.pki / "kube-controller-manager",
        "leader-elect": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": tokens,
        # Without it kube-root-ca.crt is empty, and no client in a pod could verify the API server.
        "root-ca-file": ca.cert,
        # A node counts as lost after 50 s by default, and tests wait for it.
        "node-monitor-period": "2s",
        "node-monitor-grace-period": "20s",
        # The default rates start no more than four or five Jobs a second.
        "kube-api-qps": 300,
        "kube-api-burst": 500,
    }
    processes.start(files, "kube-controller-manager", _command("kube-controller-manager", arguments))
    arguments = {
        "kubeconfig": component_kubeconfig(files, ca, "system:kube-scheduler"),
        "bind-address": "127.0.0.1",
        "secure-port": SCHEDULER_PORT,
        "cert-dir": files.pki / "kube-scheduler",
        "leader-elect": "false",
        "kube-api-qps": 300,
        "kube-api-burst": 500,
    }
    processes.start(files, "kube-scheduler", _command("kube-scheduler", arguments))


def component_kubeconfig(
    files: Files, ca: Authority, user: str, group: str | None = None, path: Path | None = None
) -> Path:
    """A kubeconfig for one Kubernetes user, below the folder of keys if no path is given."""
    name = user.removeprefix("system:").replace(":", "-")
    client = ca.issue(f"{name}-client", user, group)
    return kubeconfig.write(path or files.pki / f"{name}.kubeconfig", SERVER, ca.cert, client)


def _command(name: str, arguments: dict[str, object]) -> Sequence[str | Path]:
    return [binaries.kubernetes() / name, *_flags(arguments)]


def _flags(arguments: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in arguments.items()]
