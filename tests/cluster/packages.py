"""The system's programs that the local cluster needs, and the Debian packages that have them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.errors import Unavailable

# Debian keeps them in folders that are not on everybody's PATH.
SYSTEM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])

CNI_PLUGINS = Path("/usr/lib/cni")

# A program to look for, and its package.
OF_THE_CLUSTER = {
    "containerd": "containerd",
    "runc": "runc",
    f"{CNI_PLUGINS}/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ethtool": "ethtool",
    "socat": "socat",
    "ip": "iproute2",
    "mount": "mount",
    "debootstrap": "debootstrap",
    "buildah": "buildah",
    "pgrep": "procps",
}
# The same, of what other tests need: not of the cluster.
OF_OTHER_TESTS = {
    "pgbouncer": "pgbouncer",
    "curl": "curl",
    "chromium-headless-shell": "chromium-headless-shell",
    "/usr/lib/postgresql/15/bin/initdb": "postgresql-15",
    "spin": "spin",
    "promtool": "prometheus",
    "gcc": "gcc",
    "gencat": "libc6-dev",  # for C's headers, which are no programs
}
_HOW = "run `sudo make cluster-deps`"


def missing(needed: Mapping[str, str] = OF_THE_CLUSTER) -> list[str]:
    """The Debian packages whose program is not there, in a fixed order."""
    return [package for program, package in needed.items() if not shutil.which(program, path=SYSTEM_PATH)]


def program(name: str) -> str:
    """The full path of one of the system's programs.

    Raises:
        Unavailable: it is not installed.
    """
    found = shutil.which(name, path=SYSTEM_PATH)
    if found is None:
        raise Unavailable(f"{name} is missing: {_HOW}")
    return found


def why_not() -> str | None:
    """The packages that a local cluster lacks on this machine, and how to get them; None if there are all."""
    packages = missing()
    if packages:
        return f"Debian packages are missing: {' '.join(packages)}"
    return None


def install() -> None:
    """Install the missing packages with apt-get.

    Raises:
        Unavailable: not root, or no apt-get here.
        subprocess.CalledProcessError: apt-get failed.
    """
    packages = missing({**OF_THE_CLUSTER, **OF_OTHER_TESTS})
    if not packages:
        return
    if os.geteuid() != 0:
        raise Unavailable(f"installing {' '.join(packages)} needs root: {_HOW}")
    apt = shutil.which("apt-get")
    if apt is None:
        raise Unavailable(f"no apt-get here; install what this system calls {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([apt, "update", "-q"], env=environment, stdout=sys.stderr, check=True)
    # Another Debian has another Postgres: that is no reason to install nothing.
    packages = [name for name in packages if name not in OF_OTHER_TESTS.values() or _is_there(name)]
    # RUNLEVEL=1 keeps Debian's scripts from starting the packages' own services: containerd, Postgres.
    environment["RUNLEVEL"] = "1"
    command = [apt, "install", "-qy", "--no-install-recommends", *packages]
    subprocess.run(command, env=environment, stdout=sys.stderr, check=True)


def _is_there(package: str) -> bool:
    return subprocess.run(["apt-cache", "show", package], capture_output=True).returncode == 0
