"""The host's side of the cluster's network: two bridges, forwarding, and kube-proxy's rules."""

import shlex
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.errors import ClusterError
from tests.cluster.layout import (
    NODE_ADDRESS,
    NODE_BRIDGE,
    POD_BRIDGE,
    POD_CIDR,
    POD_GATEWAY,
    PORTS,
)
from tests.cluster.packages import program

_BRIDGES = (NODE_BRIDGE, POD_BRIDGE)


def create() -> None:
    """Make the bridges with their addresses, so that servers for pods can listen before the first pod is there."""
    prefix = POD_CIDR.partition("/")[2]
    # Link-layer addresses of their own: a bridge's would change with the first pod and leave others' caches stale.
    _bridge(NODE_BRIDGE, f"{NODE_ADDRESS}/32", "0a:f4:00:00:00:01")
    _bridge(POD_BRIDGE, f"{POD_GATEWAY}/{prefix}", "0a:f4:00:00:00:02")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")


def _bridge(name: str, address: str, mac: str) -> None:
    ip = program("ip")
    if not _exists(name):
        subprocess.run([ip, "link", "add", name, "address", mac, "type", "bridge"], check=True)
    subprocess.run([ip, "address", "replace", address, "dev", name], check=True)
    subprocess.run([ip, "link", "set", name, "up"], check=True)


def remove() -> None:
    """Remove the bridges and the packet filter rules; quiet where they are not there."""
    if not any(map(_exists, _BRIDGES)):
        return
    # The rules first: without the bridges nobody could tell any more that they are ours.
    _remove_rules()
    for name in filter(_exists, _BRIDGES):
        subprocess.run([program("ip"), "link", "delete", name], check=False)


def why_not() -> str | None:
    """Why this machine's network cannot take a cluster, or None."""
    nat = _output([program("iptables"), "-w", "-t", "nat", "-S"])
    if "-N KUBE-" in nat and not any(map(_exists, _BRIDGES)):
        return "another Kubernetes runs on this machine: the nat table has its KUBE- chains"
    return None


def _exists(bridge: str) -> bool:
    return Path("/sys/class/net", bridge).exists()


def _remove_rules() -> None:
    proxy = binaries.kubernetes() / "kube-proxy"
    subprocess.run([proxy, "--cleanup"], capture_output=True, check=False)
    # kube-proxy leaves the few chains that it shares with the kubelet.
    for command in ("iptables", "ip6tables"):
        for table in ("filter", "nat", "mangle"):
            _remove_chains(program(command), table)


def _remove_chains(iptables: str, table: str) -> None:
    rules = _output([iptables, "-w", "-t", table, "-S"]).splitlines()
    for rule in rules:
        if rule.startswith("-A ") and " -j KUBE-" in rule:
            subprocess.run([iptables, "-w", "-t", table, "-D", *shlex.split(rule)[1:]], check=False)
    chains = [rule.split()[1] for rule in rules if rule.startswith("-N KUBE-")]
    for action in ("-F", "-X"):
        for chain in chains:
            subprocess.run([iptables, "-w", "-t", table, action, chain], capture_output=True, check=False)


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wait_for_ports(ports: Sequence[int] = PORTS, seconds: float = 10) -> None:
    """Wait until none of these ports of the cluster is listened on.

    Raises:
        ClusterError: some still are; most likely another program has them.
    """
    deadline = time.monotonic() + seconds
    while taken := [port for port in ports if not _free(port)]:
        if time.monotonic() > deadline:
            raise ClusterError(f"other programs listen on ports {taken}, which the cluster needs")
        time.sleep(0.1)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: connections of the last cluster that linger in TIME_WAIT are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
