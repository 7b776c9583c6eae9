"""By hand: `python -m tests.cluster deps|up|status|down …`, several at once in the order given."""

import argparse
import subprocess
import sys
import time

from tests.cluster import binaries, lifecycle, packages
from tests.cluster.api import Cluster
from tests.cluster.errors import ClusterError, NotPrepared, Unavailable

_HELP = {
    "deps": "install the Debian packages that the local control plane needs (root)",
    "up": "start a cluster, or show the one that runs",
    "status": "show the running cluster; exit code 1 if there is none",
    "down": "stop the cluster and clean up after it",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the actions; the exit code is 1 when one of them could not be done."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"{name:8} {text}" for name, text in _HELP.items()),
    )
    parser.add_argument("actions", nargs="+", choices=list(_HELP), metavar="action", help="see below")
    actions = {
        "deps": packages.install,
        "up": _up,
        "status": _status,
        "down": _down,
    }
    for name in parser.parse_args(arguments).actions:
        try:
            actions[name]()
        except (Unavailable, NotPrepared, ClusterError, subprocess.CalledProcessError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return 0


def _up() -> None:
    started = time.monotonic()
    cluster = lifecycle.up(lifecycle.choose())
    print(f"ready in {time.monotonic() - started:.1f} s")
    _show(cluster)


def _status() -> None:
    for provider in lifecycle.PROVIDERS:
        cluster = provider.running()
        if cluster is not None:
            _show(cluster)
            return
    raise ClusterError("no cluster is running")


def _down() -> None:
    started = time.monotonic()
    lifecycle.down()
    print(f"down in {time.monotonic() - started:.1f} s")


def _show(cluster: Cluster) -> None:
    print(f"provider:      {cluster.name}")
    print(f"host for pods: {cluster.host_address}")
    print(f"kubectl:       {binaries.kubectl()}")
    print(f"helm:          {binaries.helm()}")
    print(f"export KUBECONFIG={cluster.kubeconfig}")


if __name__ == "__main__":
    sys.exit(main())
