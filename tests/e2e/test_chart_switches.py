"""The API server takes every object of the chart, whatever is switched on; nothing is made.

The cluster of the tests enforces no NetworkPolicy: tests/unit/test_chart_network.py asks a model of what they say.
"""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml

from controller.pools.runner_pod import job_manifest
from controller.runner_config import read_runner_config
from dataset_jobs.model.keys import RunKey
from tests.cluster import Cluster
from tests.e2e.installation import RELEASE, install_custom_resource
from tests.unit import chart

OF_OTHERS = {"PodMonitor", "PrometheusRule", "HTTPRoute"}
"""Kinds that this cluster does not know."""
VALUES = {
    "least": chart.LEAST,
    "everything": chart.API,
    "files on a volume": chart.LOCAL,
    "OpenShift": (chart.CHART / "openshift.yaml").read_text() + chart.LEAST,
    "production": chart.PRODUCTION + chart.RUNNERS + "database: {caConfigMap: ca, sslMode: verify-full}",
    "narrow network": chart.NARROW,
    "wide network": chart.WIDE,
}


def test_the_api_server_takes_every_switch(cluster: Cluster, tmp_path: Path) -> None:
    """And the Job of a runner, as the controller makes it of these values."""
    install_custom_resource(cluster)
    with cluster.namespace("affirm-switches") as namespace:
        for name, values in VALUES.items():
            objects = [*rendered(values, namespace), runner_job(values, tmp_path / "runner.json")]
            # A bare pod, as `helm test` has one, is taken only if its account is there already.
            for pod in (one for one in objects if one["kind"] == "Pod"):
                cluster.apply(account(pod["spec"]["serviceAccountName"], namespace))
            said = cluster.kubectl(
                *("apply", "--server-side", "--dry-run=server", "--force-conflicts", "--validate=strict"),
                *("--namespace", namespace, "--filename", "-"),
                input=yaml.safe_dump_all(objects),
            )
            assert said.count("(server dry run)") == len(objects), name


def account(name: str, namespace: str) -> dict[str, Any]:
    """A service account."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}


def rendered(values: str, namespace: str) -> list[dict[str, Any]]:
    """All objects of the chart that the cluster knows."""
    place = (RELEASE, str(chart.CHART), "--namespace", namespace, "--values", "-")
    documents = yaml.safe_load_all(chart.helm("template", *place, values=values))
    return [one for one in documents if one and one["kind"] not in OF_OTHERS]


def runner_job(values: str, file: Path) -> dict[str, Any]:
    """A Job of the first run of some job."""
    file.write_text(json.dumps(chart.runner_config(values)))
    some = UUID(int=1)
    return job_manifest(RunKey(some, 1), some, "default", some, read_runner_config(file))
