"""What kubectl does until it is stopped, such as to lead a port of this host to one of the cluster."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import binaries
from tests.e2e.installation import Installation


@contextmanager
def forwarded(installation: Installation, target: str, port: int) -> Iterator[int]:
    """A port of this host that leads to one of the cluster."""
    with going_on(installation, "port-forward", target, f":{port}") as forwarding:
        assert forwarding.stdout is not None
        said = forwarding.stdout.readline()
        assert "->" in said, said
        yield int(said.split(" ->")[0].rpartition(":")[2])


@contextmanager
def going_on(installation: Installation, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """kubectl, which goes on until the end of the block."""
    command: list[str | Path] = [
        binaries.kubectl(), f"--kubeconfig={installation.cluster.kubeconfig}", "--namespace", installation.namespace,
        *arguments,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
