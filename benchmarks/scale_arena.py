"""Where the benchmarks of thousands of pods take place: kwok's nodes, a namespace, a database, and one real controller.

Nothing runs in its pods: what their kubelet and their runners would do comes from `scale_agent`.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.queue_ours import Queue, fresh_queue
from tests.cluster import Cluster, acquire, kwok
from tests.servers.postgres import PostgresServer

NODES, PODS_PER_NODE = 20, 600
USER = "bench"
"""The controller's service account, its flow schema in the API server, and its role in Postgres."""

_ROOT = Path(__file__).parents[1]
_DISPATCHED = re.compile(rf'^apiserver_flowcontrol_dispatched_requests_total{{flow_schema="{USER}".*}} (\S+)$', re.M)
_STATEMENT = re.compile(rf"^{USER} LOG:  (?:statement|execute)", re.M)


@dataclass(frozen=True)
class Arena:
    """All of it, but the controller.

    Args:
        cluster, namespace: where its Jobs go.
        kubeconfig: of the controller's service account.
        server, queue: its database.
        folder: for files of the benchmark.
    """

    cluster: Cluster
    namespace: str
    kubeconfig: Path
    server: PostgresServer
    queue: Queue
    folder: Path

    def api_requests(self) -> int:
        """How many requests of the controller's user the API server has let through."""
        found = _DISPATCHED.findall(self.cluster.kubectl("get", "--raw=/metrics"))
        return sum(int(float(count)) for count in found)

    def statements(self) -> int:
        """How many SQL statements the controller has sent, as the server's log has them."""
        return len(_STATEMENT.findall(self.server.log.read_text(errors="replace")))

    def one(self, sql: str, *parameters: object) -> Any:
        """The one value that a query gives."""
        row = self.queue.connection.execute(sql.encode(), parameters or None).fetchone()
        return None if row is None else next(iter(row.values()))

    def until(self, condition: Callable[[], Any], what: str, seconds: float) -> None:
        """Waits, checking every 0.2 s; raises if it times out."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                states = self.queue.connection.execute("select state, count(*) from jobs group by state").fetchall()
                raise SystemExit(f"waited {seconds:.0f} s in vain for {what}: {states}")
            time.sleep(0.2)


class Controller:
    """`affirm-worker run --launcher kubernetes`, a process of its own on this host.

    Args:
        arena: where.
        maximum: of runs at once.
        pods: RUNNER_CONFIG, if it is not that of `runner_pods`.
    """

    def __init__(self, arena: Arena, maximum: int, pods: dict[str, Any] | None = None) -> None:
        with psycopg.connect(arena.queue.conninfo) as connection:
            info = connection.info
            url = f"postgresql://{USER}:{arena.server.password}@{info.host}:{info.port}/{info.dbname}"
        environment = {
            **os.environ, "DATABASE_URL": url, "KUBECONFIG": str(arena.kubeconfig), "NAMESPACE": arena.namespace,
            "RUNNER_CONFIG": str(_runner_config(arena, pods or runner_pods())), "POOL_MAX_PARALLELISM": str(maximum),
            "POOL_MAX_PENDING": str(maximum), "STORAGE_TYPE": "local", "STORAGE_PATH": str(arena.folder / "storage"),
            "WORKER_CONTROLLER_NAME": arena.namespace, "WORKER_RETRY_WAITS": "0s", "LOG_FORMAT": "json",
            "AFFIRM_WORKER_HOME": str(arena.folder), "NO_PROXY": "*", "no_proxy": "*",
        }  # fmt: skip
        self.log = arena.folder / "controller.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli", "run", "--launcher", "kubernetes"],
                cwd=_ROOT, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        self._proc = Path(f"/proc/{self._process.pid}")
        listening = "select count(*) from pg_stat_activity where usename = %s and query like 'listen %%affirm_jobs%%'"
        arena.until(lambda: self._alive() and arena.one(listening, USER), "the controller to listen", 60)

    def cpu_seconds(self) -> float:
        """Of all its threads, user and system, since it was started."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident, in MB."""
        return self._status("VmRSS")

    def peak_memory(self) -> float:
        """The most that was resident, in MB, since it was started or `forget_peak` was called."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        """From now on another peak counts."""
        (self._proc / "clear_refs").write_text("5")

    def stop(self) -> None:
        """Ends it, as its pod's kubelet would."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _alive(self) -> bool:
        if self._process.poll() is not None:
            raise SystemExit(f"the controller has ended:\n{self.log.read_text()[-3000:]}")
        return True

    def _status(self, field: str) -> float:
        found = re.search(rf"^{field}:\s+(\d+) kB", (self._proc / "status").read_text(), re.M)
        assert found is not None
        return int(found[1]) * 1024 / 1e6


@contextmanager
def controller(arena: Arena, maximum: int, pods: dict[str, Any] | None = None) -> Iterator[Controller]:
    """A controller that runs meanwhile; the arguments are those of Controller."""
    running = Controller(arena, maximum, pods)
    try:
        yield running
    finally:
        running.stop()


def runner_pods() -> dict[str, Any]:
    """RUNNER_CONFIG: pods that kwok's nodes take, and no other."""
    return {
        "image": "localhost/none",
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "nodeSelector": kwok.LABEL,
        "tolerations": [{"key": kwok.TAINT["key"], "operator": "Exists"}],
    }


@contextmanager
def arena() -> Iterator[Arena]:
    """Makes everything, with nodes for thousands of pods, and removes it in the end."""
    names = [f"kwok-{number}" for number in range(NODES)]
    with acquire() as cluster, kwok.nodes(cluster, names, PODS_PER_NODE), place(cluster) as where:
        yield where


@contextmanager
def place(cluster: Cluster) -> Iterator[Arena]:
    """Makes all but nodes, and removes it in the end."""
    with (
        tempfile.TemporaryDirectory() as folder,
        PostgresServer(settings={"log_line_prefix": "%u "}, on_disk=True) as server,
        fresh_queue(server, "scale") as queue,
        cluster.namespace("affirm-bench") as namespace,
    ):
        server.execute(
            psycopg.sql.SQL("create role {} superuser login password {}").format(
                psycopg.sql.Identifier(USER), psycopg.sql.Literal(server.password)
            )
        )
        server.execute(psycopg.sql.SQL("alter role {} set log_statement = 'all'").format(psycopg.sql.Identifier(USER)))
        cluster.apply(*_user(namespace))
        try:
            yield Arena(cluster, namespace, _kubeconfig(cluster, namespace, Path(folder)), server, queue, Path(folder))
        finally:
            remove_pods(cluster, namespace)
            cluster.kubectl("delete", "flowschema,clusterrolebinding", USER, check=False)


def remove_pods(cluster: Cluster, namespace: str) -> None:
    """Removes every Job and pod; no kubelet would say of one that it has ended."""
    where = ("--namespace", namespace, "--all", "--wait=false")
    cluster.kubectl("delete", "jobs", *where, check=False, timeout_seconds=300)
    cluster.kubectl("delete", "pods", *where, "--force", "--grace-period=0", check=False, timeout_seconds=300)


def _user(namespace: str) -> list[dict[str, Any]]:
    """A service account whose requests the API server counts apart from all others."""
    account = {"kind": "ServiceAccount", "name": USER, "namespace": namespace}
    every = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    rule = {
        "subjects": [{"kind": "ServiceAccount", "serviceAccount": {"name": USER, "namespace": namespace}}],
        "resourceRules": [every],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    flow = {"matchingPrecedence": 100, "priorityLevelConfiguration": {"name": "workload-low"}, "rules": [rule]}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": USER, "namespace": namespace}},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": USER},
            "subjects": [account], "roleRef": role,
        },
        {
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": USER},
            "spec": flow,
        },
    ]  # fmt: skip


def _kubeconfig(cluster: Cluster, namespace: str, folder: Path) -> Path:
    config = json.loads(cluster.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    token = cluster.kubectl("create", "token", USER, "--namespace", namespace, "--duration=6h").strip()
    config["users"][0]["user"] = {"token": token}
    path = folder / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return path


def _runner_config(arena: Arena, pods: dict[str, Any]) -> Path:
    path = arena.folder / "runner.json"
    path.write_text(json.dumps(pods))
    return path
