"""A running cluster for tests, of any provider."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import binaries
from tests.cluster.errors import ClusterError


@dataclass(frozen=True)
class Cluster:
    """A running Kubernetes.

    Attributes:
        name: which provider it is from, for messages.
        kubeconfig: an administrator's kubeconfig file.
        disposable: we started it, so tests may break it. Elsewhere destructive tests must not run.
        host_address: the address under which pods reach servers on this host.
        pod_cidr: where pods' connections to this host come from.
        loader: makes an image archive known to the nodes; called with tag and archive.
    """

    name: str
    kubeconfig: Path
    disposable: bool
    host_address: str
    pod_cidr: str
    loader: Callable[[str, Path], None] = field(repr=False)

    def kubectl(
        self, *args: str | Path, input: str | None = None, check: bool = True, timeout_seconds: float = 100
    ) -> str:
        """Run kubectl and return its standard output.

        Args:
            args: everything after `kubectl`.
            input: for its standard input.
            check: raise when it fails.
            timeout_seconds: after this long it is stopped and has failed.

        Raises:
            ClusterError: it failed; the message is its standard error.
        """
        command = [binaries.kubectl(), f"--kubeconfig={self.kubeconfig}", *args]
        return _run(command, self._environment(), input, check, timeout_seconds)

    def helm(
        self, *args: str | Path, check: bool = True, timeout_seconds: float = 300, program: Path | None = None
    ) -> str:
        """Run helm against this cluster and return its standard output; arguments and errors as in kubectl.

        Args:
            program: another helm than that of the tests.
        """
        command = [program or binaries.helm(), f"--kubeconfig={self.kubeconfig}", *args]
        return _run(command, self._environment(), None, check, timeout_seconds)

    def get(self, *args: str) -> Any:
        """`kubectl get … -o json`, decoded."""
        return json.loads(self.kubectl("get", *args, "-o", "json"))

    def apply(self, *objects: dict[str, Any]) -> None:
        """Create or change objects."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", input=json.dumps(items))

    def load_image(self, tag: str, archive: Path) -> None:
        """Make an image known to the nodes under its tag, so that pods need not pull it.

        Args:
            tag: the image's full name, as in the archive.
            archive: in docker-archive format, as images.Builder makes it.
        """
        self.loader(tag, archive)

    @contextmanager
    def namespace(self, prefix: str) -> Iterator[str]:
        """A new namespace for restricted pods, ready for pods and removed in the end.

        Args:
            prefix: how its name begins.
        """
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        try:
            # Controllers make both a moment later, and pods without them are refused or wait.
            self.wait(
                lambda: (
                    self.kubectl(
                        *("get", "serviceaccount/default", "configmap/kube-root-ca.crt"),
                        "-n",
                        name,
                        check=False,
                    ).count("\n")
                    >= 2
                ),
                f"the service account of {name}",
            )
            yield name
        finally:
            self.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found", check=False)

    def wait(self, condition: Callable[[], bool], what: str, seconds: float = 100) -> None:
        """Wait until a condition holds, looking every 0.2 s.

        Raises:
            ClusterError: it does not hold in time; the message names the awaited state.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise ClusterError(f"timed out after {seconds:.0f} s, waiting for {what}")
            time.sleep(0.2)

    def _environment(self) -> dict[str, str]:
        # What we started is on this machine, where no proxy leads; a cluster that was given may be behind one.
        return {"NO_PROXY": "*", "no_proxy": "*"} if self.disposable else {}


def _run(
    command: list[str | Path],
    environment: dict[str, str],
    input: str | None,
    check: bool,
    timeout_seconds: float,
) -> str:
    shown = " ".join(map(str, command[2:]))
    try:
        done = subprocess.run(
            command,
            input=input,
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{shown}: no answer within {timeout_seconds:.0f} s") from None
    if check and done.returncode != 0:
        raise ClusterError(f"{shown}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
