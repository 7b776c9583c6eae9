"""affirm-worker as users install it: built images, the chart by helm, Postgres and S3 outside the cluster."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.cluster import Cluster, images
from tests.kit.logins import three_logins
from tests.kit.warm_command import affirm_worker
from tests.servers.postgres import PostgresServer
from tests.servers.versitygw import VersityGateway

RELEASE = "affirm-worker"
BUCKET = "datasets"
CONNECTIONS = 100
"""Of each login: chaos kills controllers, and Postgres takes a while to notice."""
ROOT = Path(__file__).parents[2]
NATIONAL = sorted((ROOT / "tests" / "data" / "us" / "national").glob("yob*.txt"))
"""The shipped files: `test_main_job` loads them."""


def _free_years() -> Iterator[int]:
    loaded = {int(path.stem.removeprefix("yob")) for path in NATIONAL}
    return (year for year in range(1880, 2026) if year not in loaded)


@dataclass(frozen=True)
class Installation:
    """One release in a namespace of its own, with its cluster and servers.

    Args:
        cluster: the one that it runs in.
        namespace: which holds the release, its Secrets and its runner pods.
        conninfo: the database as this host reaches it, for a superuser.
        bucket: the folder that the S3 server keeps the bucket in.
        environment: settings for `affirm-worker` on this host, with the controller's login and the same storage.
        free_years: that no file of the United States in this database has: two files of one year exclude each other.
    """

    cluster: Cluster
    namespace: str
    conninfo: str
    bucket: Path
    environment: dict[str, str]
    free_years: Iterator[int] = field(default_factory=_free_years)

    def cli(self, *args: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs `affirm-worker` on this host, as its user would."""
        done = affirm_worker(*args, env={**os.environ, **self.environment}, timeout=120)
        assert not check or done.returncode == 0, done.stderr
        return done

    def submit(self, *files: Path, country: str = "US") -> list[dict[str, Any]]:
        """Submits files by the command line, and returns its answer for each."""
        answer: list[dict[str, Any]] = json.loads(self.cli("submit", *files, "--country", country, "--json").stdout)
        return answer

    def new_years(self, number: int) -> list[int]:
        """Years that no other test uses in this database."""
        return [next(self.free_years) for _ in range(number)]

    def submit_small(self, folder: Path, number: int = 1) -> list[dict[str, Any]]:
        """Submits as many files of one row, each of a year of its own."""
        paths = [folder / f"yob{year}.txt" for year in self.new_years(number)]
        for path in paths:
            path.write_text(f"Mary,F,{path.stem[3:]}\n")
        return self.submit(*paths)

    def query(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Asks the database."""
        with psycopg.connect(self.conninfo, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(sql.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def kubectl(self, *args: str | Path, check: bool = True, input: str | None = None) -> str:
        """kubectl in the installation's namespace."""
        return self.cluster.kubectl("--namespace", self.namespace, *args, check=check, input=input)

    def runner_jobs(self) -> list[dict[str, Any]]:
        """The Kubernetes Jobs of our runs."""
        listed = json.loads(self.kubectl("get", "jobs", "-l", "app=affirm-parser", "-o", "json"))
        items: list[dict[str, Any]] = listed["items"]
        return items

    def runner_pods(self) -> list[dict[str, Any]]:
        """The pods of our runs, as `kubectl get pods -l app=affirm-parser` shows them."""
        listed = json.loads(self.kubectl("get", "pods", "-l", "app=affirm-parser", "-o", "json"))
        items: list[dict[str, Any]] = listed["items"]
        return items

    def touch_pods(self) -> None:
        """Lets the controller look at its pods now: without an event of a pod it does once a minute.

        A pod that is deleted between kubectl's list and its patch is no error: its end was an event too.
        """
        now = f"touched={time.monotonic_ns()}"
        self.kubectl("annotate", "pods", "-l", "app=affirm-parser", "--overwrite", now, check=False)

    def until(self, sql: str, *parameters: object, seconds: float = 90) -> list[dict[str, Any]]:
        """Waits until a query has rows, and returns them; if it has none in time, shows the controller's log."""
        deadline = time.monotonic() + seconds
        with psycopg.connect(self.conninfo, autocommit=True, row_factory=dict_row) as connection:
            while not (rows := connection.execute(sql.encode(), parameters or None).fetchall()):
                if time.monotonic() > deadline:
                    jobs = self.query("select id, state, attempts, last_cause, last_error from jobs")
                    runs = self.query("select * from runs order by claimed_at desc limit 5")
                    raise AssertionError(f"timed out: {sql}\n{jobs}\n{runs}\n{self.controller_log()}")
                time.sleep(0.05)
        return rows

    def until_finished(self, submitted: list[dict[str, Any]], seconds: float = 120) -> list[dict[str, Any]]:
        """Waits until the jobs of these submissions are finished and hold no slot; returns the jobs."""
        ids = [one["job_id"] for one in submitted]
        self.until(
            "select 1 where (select count(*) from jobs where id = any(%s) and finished_at is not null) = %s"
            " and not exists (select 1 from runs where job_id = any(%s) and released_at is null)",
            ids, len(ids), ids, seconds=seconds,
        )  # fmt: skip
        return self.query("select * from jobs where id = any(%s) order by key", ids)

    def controller_log(self) -> str:
        """What the controller has logged last."""
        return self.kubectl("logs", f"deployment/{RELEASE}", "--tail=60", check=False)

    def scale_controller(self, replicas: int) -> None:
        """Sets how many controllers there are, and waits until it is so."""
        self.kubectl("scale", f"deployment/{RELEASE}", f"--replicas={replicas}")
        selector = "app.kubernetes.io/component=controller"
        if replicas:
            self.kubectl("rollout", "status", f"deployment/{RELEASE}", "--timeout=100s")
            return
        self.cluster.wait(
            lambda: not json.loads(self.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"],
            "the controller's pod to be gone",
        )


def evict(installation: Installation, pod: str) -> None:
    """Evicts a pod by the Eviction API, as a drain of its node does; one that is gone is fine."""
    where = {"name": pod, "namespace": installation.namespace}
    eviction = json.dumps({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": where})
    path = f"/api/v1/namespaces/{where['namespace']}/pods/{pod}/eviction"
    installation.cluster.kubectl("create", "--raw", path, "-f", "-", input=eviction, check=False)


@dataclass(frozen=True)
class Servers:
    """The servers outside the cluster: Postgres and S3, which pods reach at the host's address."""

    postgres: PostgresServer
    s3: VersityGateway


@contextmanager
def running_servers(cluster: Cluster, folder: Path) -> Iterator[Servers]:
    """A Postgres and an S3 server that pods can reach; what S3 keeps is in `folder`."""
    with (
        # What was committed outlives a crash of the server, which some tests provoke.
        PostgresServer(listen="0.0.0.0", allow=[cluster.pod_cidr], settings={"synchronous_commit": "on"}) as postgres,
        VersityGateway(folder, host="0.0.0.0") as s3,
    ):
        s3.make_bucket(BUCKET)
        yield Servers(postgres, s3)


@pytest.fixture(scope="session")
def servers(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers that the session's installations share."""
    with running_servers(cluster, tmp_path_factory.mktemp("s3")) as running:
        yield running


def load_images(cluster: Cluster) -> str:
    """Makes both images of this checkout known to the nodes; returns their tag."""
    for image in (images.CONTROLLER, images.PARSER_RUNNER):
        images.load(cluster, image)
    return images.CHECKOUT


@pytest.fixture(scope="session")
def product_images(cluster: Cluster) -> str:
    """Both images of this checkout, known to the nodes; their tag."""
    return load_images(cluster)


def install_custom_resource(cluster: Cluster) -> None:
    """Makes ParserPools known, as this checkout has them. No release owns them, since all share the cluster's one."""
    crd = ROOT / "charts" / "affirm-worker" / "files" / "parserpools.yaml"
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", crd)
    waiting = ("wait", "--for=condition=Established", "crd/parserpools.affirm.dev", "--timeout=5s")
    # More than once: it fails at once where the resource has no conditions at all yet.
    cluster.wait(lambda: "condition met" in cluster.kubectl(*waiting, check=False), "ParserPools to be known")


@contextmanager
def installed(cluster: Cluster, servers: Servers, tag: str, database: str, *settings: str) -> Iterator[Installation]:
    """Installs the chart in a new namespace, with a new database and a prefix of its own in the bucket.

    Args:
        cluster, servers: where.
        tag: of the images.
        database: its name, and the prefix's.
        settings: further `--set` arguments.
    """
    install_custom_resource(cluster)
    with (
        cluster.namespace("affirm-e2e") as namespace,
        _installed(cluster, servers, tag, database, namespace, RELEASE, *settings) as made,
    ):
        yield made


@contextmanager
def beside(first: Installation, servers: Servers, tag: str, database: str) -> Iterator[Installation]:
    """A second installation in the namespace of a first one, its release named as its database."""
    with _installed(first.cluster, servers, tag, database, first.namespace, database) as made:
        yield made


@contextmanager
def _installed(
    cluster: Cluster, servers: Servers, tag: str, database: str, namespace: str, release: str, *settings: str
) -> Iterator[Installation]:
    conninfo = servers.postgres.create_database(database)
    credentials = servers.s3.credentials()
    keys = {name: credentials[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    values = [
        f"image.registry=localhost,image.tag={tag},database.existingSecret={release}",
        f"runner.image.registry=localhost,runner.image.tag={tag}",
        f"storage.s3.bucket={BUCKET},storage.s3.region={servers.s3.region},storage.s3.prefix={database}",
        f"storage.s3.endpoint={servers.s3.endpoint(cluster.host_address)},storage.existingSecret=s3",
        "runner.resources.requests.cpu=50m,controller.resources.requests.cpu=50m",
        *settings,
    ]
    sets = [word for value in values for word in ("--set", value)]
    with three_logins(servers.postgres, database, CONNECTIONS) as logins:
        secret = logins.at(cluster.host_address).as_secret()
        cluster.apply(_secret(namespace, release, secret), _secret(namespace, "s3", keys))
        cluster.helm(
            "install", release, ROOT / "charts" / "affirm-worker", "--namespace", namespace, *sets, "--wait",
            "--timeout", "120s",
        )  # fmt: skip
        environment = {
            **credentials, **servers.s3.storage_env(BUCKET, database), "DATABASE_URL": logins.controller,
            "LOG_FORMAT": "json",
        }  # fmt: skip
        try:
            yield Installation(cluster, namespace, conninfo, servers.s3.folder / "buckets" / BUCKET, environment)
        finally:
            cluster.helm("uninstall", release, "--namespace", namespace, check=False)


@pytest.fixture(scope="session")
def installation(cluster: Cluster, servers: Servers, product_images: str) -> Iterator[Installation]:
    """The release that most tests share: retries come at once."""
    with installed(cluster, servers, product_images, "shared", r"worker.retryWaits=0s") as made:
        yield made


def _secret(namespace: str, name: str, values: dict[str, str]) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
