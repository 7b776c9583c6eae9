"""`affirm-worker doctor` on a real cluster: what it sees there, and what it says in the controller's own pod."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.launchers.kubernetes.api import load_configuration
from controller.launchers.kubernetes.inspection import KubernetesInspection
from tests.cluster import Cluster
from tests.conformance.inspection_contract import Inspected, InspectionContract
from tests.e2e.installation import Installation, install_custom_resource

STRANGER = "stranger"


@pytest.fixture(scope="module")
def looked_at(cluster: Cluster) -> Iterator[str]:
    """A namespace that all tests of the contract share: none is in another one's way."""
    install_custom_resource(cluster)
    with cluster.namespace("affirm-doctor") as namespace:
        cluster.kubectl("create", "serviceaccount", STRANGER, "-n", namespace)
        yield namespace


@pytest.fixture(scope="module")
def strangers_kubeconfig(cluster: Cluster, looked_at: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a service account that has no rights."""
    token = cluster.kubectl("create", "token", STRANGER, "-n", looked_at).strip()
    config = json.loads(cluster.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    used = next(one for one in config["contexts"] if one["name"] == config["current-context"])
    used["context"]["user"] = STRANGER
    config["users"] = [{"name": STRANGER, "user": {"token": token}}]
    path = tmp_path_factory.mktemp("stranger") / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


class TestKubernetes(InspectionContract):
    @pytest.fixture
    async def inspected(self, cluster: Cluster, looked_at: str, strangers_kubeconfig: Path) -> AsyncIterator[Inspected]:
        def make(kind: str, name: str, **more: Any) -> None:
            metadata = {"name": name, "namespace": looked_at}
            cluster.apply({"apiVersion": "v1", "kind": kind, "metadata": metadata, **more})

        administrator = KubernetesInspection(await load_configuration(cluster.kubeconfig), looked_at)
        stranger = KubernetesInspection(await load_configuration(strangers_kubeconfig), looked_at)
        yield Inspected(
            administrator,
            stranger,
            lambda name: make("ServiceAccount", name),
            lambda name, hard: make("ResourceQuota", name, spec={"hard": dict(hard)}),
            lambda: [one["metadata"]["name"] for one in cluster.get("jobs", "-n", looked_at)["items"]],
        )
        for one in (administrator, stranger):
            await one.close()


def test_doctor_finds_nothing_wrong_in_the_controllers_pod(installation: Installation) -> None:
    said = json.loads(
        installation.kubectl("exec", "deployment/affirm-worker", "--", "affirm-worker", "doctor", "--json")
    )
    found = {one["name"]: one for one in said["checks"]}
    assert said["ok"], found
    assert {name for name, one in found.items() if one["verdict"] not in ("ok", "warning")} == set()
    [rights] = [one["says"] for one in found["cluster"]["findings"] if "rights of a controller" in one["says"]]
    assert rights == "all 13 rights of a controller"
    assert found["cluster"]["findings"][-1]["says"].startswith("the runner's Job would be accepted")
    assert found["controllers"]["verdict"] == "ok"
