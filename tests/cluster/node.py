"""The node's processes and their settings: containerd, kubelet, kube-proxy, and the name service of its pods."""

import json
import sys
from pathlib import Path

from tests.cluster import binaries, dns, processes
from tests.cluster.controlplane import component_kubeconfig
from tests.cluster.layout import (
    CGROUP,
    KUBELET_HEALTH_PORT,
    KUBELET_PORT,
    NODE,
    NODE_ADDRESS,
    PAUSE_IMAGE,
    POD_BRIDGE,
    POD_CIDR,
    POD_GATEWAY,
    PROXY_HEALTH_PORT,
    PROXY_METRICS_PORT,
    SERVER,
    Files,
)
from tests.cluster.packages import CNI_PLUGINS, program
from tests.cluster.pki import Authority, Pair

_CRI = '[plugins."io.containerd.grpc.v1.cri"'


def start_containerd(files: Files) -> None:
    """Start containerd with a configuration of its own; nothing of it is shared with the system's."""
    cni = files.root / "cni"
    cni.mkdir(parents=True, exist_ok=True)
    (cni / "10-pods.conflist").write_text(json.dumps(_cni(files)))
    files.containerd.mkdir(parents=True, exist_ok=True)
    config = files.containerd / "config.toml"
    config.write_text(
        f"""version = 2
root = "{files.containerd}/root"
state = "{files.containerd}/state"
[grpc]
  address = "{files.containerd_socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{files.containerd}/opt"
{_CRI}]
  sandbox_image = "{PAUSE_IMAGE}"
  # Inside a container even root may not lower the score, as kubelet asks for.
  restrict_oom_score_adj = true
  # Below our own folder they are unmounted with everything else that is there.
  netns_mounts_under_state_dir = true
  {_CRI}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    {_CRI}.containerd.runtimes.runc.options]
      Root = "{files.containerd}/runc"
  {_CRI}.cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{cni}"
"""
    )
    processes.start(files, "containerd", [program("containerd"), "--config", config])


def _cni(files: Files) -> dict[str, object]:
    bridge = {
        "type": "bridge",
        "bridge": POD_BRIDGE,
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": POD_CIDR}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(files.root / "cni-addresses"),
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]}


def start_kubelet(files: Files, ca: Authority) -> None:
    """Start the kubelet; containerd and the API server have to answer."""
    serving = ca.issue("kubelet", f"system:node:{NODE}", hosts=(NODE, NODE_ADDRESS))
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "port": KUBELET_PORT,
        "readOnlyPort": 0,
        "healthzPort": KUBELET_HEALTH_PORT,
        "tlsCertFile": str(serving.cert),
        "tlsPrivateKeyFile": str(serving.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(ca.cert)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{files.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "failCgroupV1": False,
        "failSwapOn": False,
        # A developer's full disk is no reason to evict the pods of a test.
        "evictionHard": {},
        "enforceNodeAllocatable": [],
        "imageGCHighThresholdPercent": 100,
        "imageMaximumGCAge": "0s",
        "volumePluginDir": str(files.root / "volume-plugins"),
        "podLogsDir": str(files.root / "pod-logs"),
        "resolvConf": "/etc/resolv.conf",
        "clusterDNS": [POD_GATEWAY],
        "clusterDomain": dns.DOMAIN,
        "maxPods": 250,
        "serializeImagePulls": False,
        # How full emptyDirs are: a minute by default.
        "volumeStatsAggPeriod": "5s",
        "kubeAPIQPS": 300,
        "kubeAPIBurst": 500,
        "eventRecordQPS": 0,
        # Renewed four times as often: well within the time after which the node counts as lost.
        "nodeLeaseDurationSeconds": 8,
    }
    path = files.root / "kubelet.json"
    path.write_text(json.dumps(config))
    credentials = component_kubeconfig(files, ca, f"system:node:{NODE}", "system:nodes")
    command: list[str | Path] = [
        binaries.kubernetes() / "kubelet",
        f"--config={path}",
        f"--kubeconfig={credentials}",
        f"--root-dir={files.root / 'kubelet'}",
        f"--cert-dir={files.pki / 'kubelet-own'}",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_ADDRESS}",
    ]
    processes.start(files, "kubelet", command)


def start_proxy(files: Files, ca: Authority) -> None:
    """Start kube-proxy, which makes services reachable."""
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(component_kubeconfig(files, ca, "system:kube-proxy"))},
        "mode": "iptables",
        # Pods share one bridge. Without this the answer of a service's pod would take the short way over the
        # bridge, past the translation of its address, unless the br_netfilter module is loaded.
        "iptables": {"masqueradeAll": True, "minSyncPeriod": "100ms"},
        "clusterCIDR": POD_CIDR,
        "hostnameOverride": NODE,
        "metricsBindAddress": f"127.0.0.1:{PROXY_METRICS_PORT}",
        "healthzBindAddress": f"127.0.0.1:{PROXY_HEALTH_PORT}",
        # Leave the host's own connection tracking limits alone.
        "conntrack": {"maxPerCore": 0, "min": 0},
    }
    path = files.root / "kube-proxy.json"
    path.write_text(json.dumps(config))
    processes.start(files, "kube-proxy", [binaries.kubernetes() / "kube-proxy", f"--config={path}"])


def start_dns(files: Files, ca: Authority, admin: Pair) -> None:
    """Start the name service, by which pods find services."""
    command: list[str | Path] = [sys.executable, "-I", dns.__file__, POD_GATEWAY, SERVER]
    processes.start(files, "dns", [*command, ca.cert, admin.cert, admin.key])
