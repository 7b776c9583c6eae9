"""`helm install` without values, as a story: it becomes ready, works, is upgraded, refuses to be left, and goes.

The images have names of this checkout, since no registry can be reached; nothing else is set.
"""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import Cluster, binaries, images
from tests.cluster.errors import ClusterError
from tests.e2e.installation import NATIONAL, RELEASE, ROOT, install_custom_resource
from tests.unit import chart

CHART = ROOT / "charts" / "affirm-worker"
SERVERS = ("postgres", "storage")
OF_RELEASE = f"app.kubernetes.io/instance={RELEASE}"


@dataclass(frozen=True)
class Bare:
    """A release without values.

    Args:
        cluster, namespace: where it is.
        images: the arguments of helm that name the images.
    """

    cluster: Cluster
    namespace: str
    images: tuple[str, ...]

    def helm(self, *args: str, check: bool = True, program: Path | None = None) -> str:
        return self.cluster.helm(*args, "--namespace", self.namespace, check=check, program=program)

    def install(self, program: Path | None = None) -> str:
        return self.helm("install", RELEASE, str(CHART), *self.images, "--wait", "--timeout", "180s", program=program)

    def upgrade(self, *args: str) -> str:
        return self.helm("upgrade", RELEASE, str(CHART), *self.images, *args)

    def kubectl(self, *args: str, input: str | None = None) -> str:
        return self.cluster.kubectl("--namespace", self.namespace, *args, input=input, timeout_seconds=180)

    def get(self, *args: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.cluster.get("--namespace", self.namespace, *args)["items"]
        return items

    def cli(self, *args: str, input: str | None = None) -> str:
        """`affirm-worker` in the controller's pod."""
        command = ("exec", "-i", f"deployment/{RELEASE}", "-c", "controller", "--", "affirm-worker", *args)
        return self.kubectl(*command, input=input)

    def datasets(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.cli("datasets", "list", "--json"))
        return listed

    def secrets(self) -> dict[str, dict[str, str]]:
        """Those that the release makes: name to data."""
        return {one["metadata"]["name"]: one["data"] for one in self.get("secrets", "-l", OF_RELEASE)}


@pytest.fixture(scope="module")
def bare(cluster: Cluster, product_images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    images.load(cluster, images.SERVERS)
    names = [f"{prefix}image.registry=localhost,{prefix}image.tag={product_images}" for prefix in ("", "runner.")]
    repository, _, tag = images.SERVERS.tag.removeprefix("localhost/").rpartition(":")
    for server in SERVERS:
        image = f"bundled.{server}.image"
        names.append(f"{image}.registry=localhost,{image}.repository={repository},{image}.tag={tag},{image}.digest=")
    install_custom_resource(cluster)
    with (
        cluster.namespace("affirm-bare") as namespace,
        volumes(cluster, namespace, tmp_path_factory.mktemp("volumes")),
    ):
        made = Bare(cluster, namespace, tuple(word for name in names for word in ("--set", name)))
        made.install()
        try:
            yield made
        finally:
            made.helm("uninstall", RELEASE, check=False)


@contextmanager
def volumes(cluster: Cluster, namespace: str, folder: Path) -> Iterator[None]:
    """Volumes for the claims, if the cluster makes none by itself."""
    if cluster.get("storageclasses")["items"]:
        yield
        return
    names = [f"{namespace}-{server}" for server in SERVERS]
    for name, server in zip(names, SERVERS, strict=True):
        (path := folder / server).mkdir()
        path.chmod(0o777)
        claim = {"namespace": namespace, "name": f"data-{RELEASE}-{server}-0"}
        spec = {
            "capacity": {"storage": "8Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": str(path)},
            "claimRef": claim, "persistentVolumeReclaimPolicy": "Retain",
        }  # fmt: skip
        cluster.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec})
    try:
        yield
    finally:
        cluster.kubectl("delete", "pv", *names, "--wait=false", "--ignore-not-found", check=False)


def test_all_is_ready_in_the_right_order(bare: Bare) -> None:
    """No container had to be started twice."""
    pods = bare.get("pods")
    parts = sorted(one["metadata"]["labels"]["app.kubernetes.io/component"] for one in pods)
    assert parts == ["api", "api", "controller", "postgres", "storage"]
    for pod in pods:
        status = pod["status"]
        assert {"type": "Ready", "status": "True"}.items() <= next(
            one for one in status["conditions"] if one["type"] == "Ready"
        ).items()
        containers = [*status.get("initContainerStatuses", ()), *status["containerStatuses"]]
        assert [one["restartCount"] for one in containers] == [0] * len(containers), pod["metadata"]["name"]


def test_helm_test_sees_rows_and_leaves_none(bare: Bare) -> None:
    said = bare.helm("test", RELEASE, "--logs")
    assert "203 rows of 20150309_BDM_Top-100-Baby-Names-2010.csv came through http://affirm-worker-api:80" in said
    assert bare.datasets() == []
    assert json.loads(bare.cli("keys", "list", "--json")) == []


def test_its_pool_is_a_parser_pool(bare: Bare) -> None:
    """Made by the controller, and followed from then on."""
    [pool] = bare.get("parserpools")
    assert (pool["metadata"]["name"], pool["spec"]["controller"]) == ("default", RELEASE)
    assert (pool["spec"]["maxParallelism"], pool["metadata"]["labels"]) == (10, {OF_RELEASE.partition("=")[0]: RELEASE})
    bare.kubectl("scale", "parserpool/default", "--replicas=7")
    bare.kubectl("wait", "--for=jsonpath={.status.observedGeneration}=2", "parserpool/default", "--timeout=90s")
    asked = ("exec", f"{RELEASE}-postgres-0", "-c", "postgres", "--", "psql", "names", "-Atc")
    assert bare.kubectl(*asked, "select max_running from affirm.pools") == "7\n"


def test_the_notes_make_the_first_key(bare: Bare) -> None:
    [command] = [one for one in chart.commands(bare.helm("get", "notes", RELEASE)) if " keys make me " in one]
    assert re.fullmatch(r"\S{30,}", bare.cluster.kubectl(*shlex.split(command)[1:]).strip())


def test_an_upgrade_keeps_passwords_servers_and_rows(bare: Bare) -> None:
    """And so does the end of both servers."""
    bare.cli("submit", "-", "--name", NATIONAL[0].name, "--country", "US", "--wait", input=NATIONAL[0].read_text())
    before = bare.secrets(), bare.datasets(), _uids(bare)
    assert [one["status"] for one in before[1]] == ["completed"]
    bare.upgrade("--wait")
    assert (bare.secrets(), bare.datasets(), _uids(bare)) == before
    bare.kubectl("delete", "pod", *(f"{RELEASE}-{server}-0" for server in SERVERS))
    for server in SERVERS:
        bare.kubectl("rollout", "status", f"statefulset/{RELEASE}-{server}", "--timeout=120s")
    assert bare.datasets() == before[1]


def test_to_leave_the_servers_or_come_to_them_is_refused(bare: Bare) -> None:
    """Only with a word for it, since nothing moves by itself."""
    own = ("--set", "database.existingSecret=mine", "--set", "storage.s3.bucket=mine", "--dry-run=server")
    alone = ("--set", "bundled.postgres.enabled=true", "--set", "storage.s3.bucket=mine", "--dry-run=server")
    with pytest.raises(ClusterError, match=r"has the bundled Postgres, and these values name another database"):
        bare.upgrade(*own)
    with pytest.raises(ClusterError, match=r"has the bundled storage, and these values name another one"):
        bare.upgrade(*alone)
    bare.upgrade(*own, "--set", "bundled.allowChange=true")
    mark = ("annotate", f"configmap/{RELEASE}", "--overwrite")
    bare.kubectl(*mark, "affirm.dev/bundled-")  # as a release of an older chart has it
    try:
        with pytest.raises(ClusterError, match=r"has a database of its own, and these values name none"):
            bare.upgrade("--dry-run=server")
        bare.kubectl(*mark, "affirm.dev/bundled=postgres")
        with pytest.raises(ClusterError, match=r"has a storage of its own, and these values name none"):
            bare.upgrade("--dry-run=server")
    finally:
        bare.kubectl(*mark, "affirm.dev/bundled=postgres,storage")


def test_what_uninstall_leaves_goes_on_or_goes(bare: Bare) -> None:
    """A new installation, by helm 3, finds its rows; the commands of the notes remove all."""
    before, pools = (bare.secrets(), bare.datasets()), bare.get("parserpools")
    bare.helm("uninstall", RELEASE)
    assert bare.secrets() == before[0] and len(bare.get("pvc")) == len(SERVERS)
    notes = bare.install(binaries.helm_3())
    assert (bare.secrets(), bare.datasets()) == before
    assert [one["metadata"]["uid"] for one in bare.get("parserpools")] == [one["metadata"]["uid"] for one in pools]
    bare.helm("uninstall", RELEASE, program=binaries.helm_3())
    commands = [one for one in chart.commands(notes) if re.match(r"kubectl .*delete (?:pvc|jobs)", one)]
    assert len(commands) == 2
    for command in commands:
        bare.cluster.kubectl(*shlex.split(command)[1:])
    bare.cluster.wait(lambda: not _left(bare), "nothing to be left", seconds=120)


def _left(bare: Bare) -> set[str]:
    """What is in the namespace and is not Kubernetes' own."""
    kinds = "pods,jobs,pvc,parserpools,services,deployments,statefulsets,secrets,configmaps,networkpolicies"
    found = {f"{one['kind']}/{one['metadata']['name']}" for one in bare.get(f"{kinds},serviceaccounts,roles")}
    return found - {"ServiceAccount/default", "ConfigMap/kube-root-ca.crt"}


def _uids(bare: Bare) -> dict[str, str]:
    return {
        one["metadata"]["name"]: one["metadata"]["uid"]
        for one in bare.get("pods", "-l", "app.kubernetes.io/component in (postgres,storage)")
    }
