"""An installation whose controller and API a Prometheus scrapes, with the rules that the chart has installed."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.cluster_alarms.rules import sooner
from tests.e2e.forwarding import going_on
from tests.e2e.installation import RELEASE, Installation, Servers
from tests.servers.ports import free_port
from tests.servers.prometheus import Prometheus

API = f"{RELEASE}-api"
EVERY = "1s"
"""Between two scrapes: kubectl leads each of them into the cluster."""


class Forward:
    """A port of this host that leads to a port of a Deployment's pod.

    Args:
        installation: whose.
        deployment: its name.
        target: the pod's port.
    """

    def __init__(self, installation: Installation, deployment: str, target: int) -> None:
        self.port = free_port("127.0.0.1")
        self._installation, self._deployment, self._target = installation, deployment, target
        self._stack = ExitStack()

    def renew(self) -> None:
        """Leads to a pod that is there now."""
        self.close()
        ports = f"{self.port}:{self._target}"
        kubectl = self._stack.enter_context(
            going_on(self._installation, "port-forward", f"deployment/{self._deployment}", ports)
        )
        assert kubectl.stdout is not None
        assert "->" in kubectl.stdout.readline(), f"no way to {self._deployment}"

    def close(self) -> None:
        """Leads nowhere."""
        self._stack.close()


@dataclass(frozen=True, slots=True)
class Place:
    """All that causes work on.

    Args:
        installation, servers: the targets; destructive.
        folder: for files that are submitted.
        prometheus: evaluates the chart's rules, in less time.
        controller, api_metrics, api: the ways to their pods.
        key: of the API.
    """

    installation: Installation
    servers: Servers
    folder: Path
    prometheus: Prometheus
    controller: Forward
    api_metrics: Forward
    api: Forward
    key: str
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def pool(self, name: str, **spec: Any) -> None:
        """Makes or changes a ParserPool, and returns when Prometheus knows the pool: its counters have begun."""
        metadata = {"name": name, "namespace": self.installation.namespace}
        kind = {"apiVersion": "affirm.dev/v1", "kind": "ParserPool", "metadata": metadata}
        made = json.dumps({**kind, "spec": {"controller": RELEASE, **spec}})
        self.installation.kubectl("apply", "-f", "-", input=made)
        self.installation.cluster.wait(
            lambda: bool(self.prometheus.query(f'affirm_worker_pool_paused{{pool="{name}"}}')), f"the pool {name}"
        )

    def submit(self, pool: str, number: int, line: str = "Mary,F,{year}") -> list[dict[str, Any]]:
        """Submits files of one line to a pool, each of a year of its own; the line may name it."""
        with self._one_at_a_time:
            years = self.installation.new_years(number)
        paths = [self.folder / f"yob{year}.txt" for year in years]
        for path, year in zip(paths, years, strict=True):
            path.write_text(line.format(year=year) + "\r\n")
        environment = {**self.installation.environment, "POOL": pool}
        return replace(self.installation, environment=environment).submit(*paths)

    def ask(self) -> None:
        """A request to the API, whatever comes of it."""
        request = Request(f"http://127.0.0.1:{self.api.port}/v1/jobs", headers={"Authorization": f"Bearer {self.key}"})
        try:
            urlopen(request, timeout=60).close()
        except (URLError, OSError):
            return

    def firing(self) -> set[tuple[str, str]]:
        """What fires: alert and pool, if it is about one."""
        return {(one["labels"]["alertname"], one["labels"].get("pool", "")) for one in self.prometheus.alerts()}

    def promtool_sees(self, alert: str) -> bool:
        """Whether the alert fires for promtool too."""
        query = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
        command = ["promtool", "query", "instant", self.prometheus.address, query]
        return alert in subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@contextmanager
def watched(installation: Installation, servers: Servers, folder: Path) -> Iterator[Place]:
    """Starts Prometheus with the rules of the installed PrometheusRule, and the jobs that its selectors name."""
    installed = json.loads(installation.kubectl("get", "prometheusrule", RELEASE, "-o", "json"))
    made = ("affirm-worker", "keys", "make", "alarms", "--role", "viewer")
    key = installation.kubectl("exec", f"deployment/{RELEASE}", "-c", "controller", "--", *made).strip()
    ways = (Forward(installation, RELEASE, 8080), Forward(installation, API, 8081), Forward(installation, API, 8080))
    for name in ("prometheus", "files"):
        (folder / name).mkdir()
    jobs = {f"{installation.namespace}/{RELEASE}": ways[0].port, f"{installation.namespace}/{API}": ways[1].port}
    with ExitStack() as stack:
        for way in ways:
            stack.callback(way.close)
            way.renew()
        groups = sooner(installed["spec"]["groups"])
        prometheus = stack.enter_context(Prometheus(folder / "prometheus", jobs, groups, EVERY))
        yield Place(installation, servers, folder / "files", prometheus, *ways, key=key)
