"""With AFFIRM_RECORD set, what a cluster says of a cause is kept in tests/data/evidence, where a unit test reads it."""

import json
import os
from collections.abc import Sequence
from typing import Any

import msgspec
from kubernetes.aio.client import Configuration

from controller.launchers.kubernetes.api import KubernetesApi
from controller.launchers.kubernetes.objects import Job, Pod
from controller.pools.runner_pod import LABEL_JOB
from tests.cluster import Cluster
from tests.e2e.installation import ROOT

CORPUS = ROOT / "tests" / "data" / "evidence"


class RememberingApi(KubernetesApi):
    """Remembers the objects that the launcher was shown last; of pods, the last that there were."""

    def __init__(self, configuration: Configuration, namespace: str) -> None:
        super().__init__(configuration, namespace)
        self.jobs: list[Job] = []
        self.pods: list[Pod] = []

    async def list_jobs(self, selector: str) -> list[Job]:
        self.jobs = await super().list_jobs(selector)
        return self.jobs

    async def list_pods(self, selector: str) -> list[Pod]:
        pods = await super().list_pods(selector)
        self.pods = pods or self.pods
        return pods


def record(cluster: Cluster, namespace: str, cause: str, jobs: Sequence[Any], pods: Sequence[Any]) -> None:
    """Keeps Job and pods, and the events about them."""
    if "AFFIRM_RECORD" not in os.environ:
        return
    shown: dict[str, list[dict[str, Any]]] = msgspec.to_builtins({"jobs": jobs, "pods": pods})
    uids = {item["metadata"]["uid"] for items in shown.values() for item in items}
    events = cluster.get("events", "--namespace", namespace)["items"]
    whole = {
        **shown,
        "events": [event for event in events if event["involvedObject"].get("uid") in uids],
    }
    for item in (item for items in whole.values() for item in items):
        item["metadata"].pop("managedFields", None)
    CORPUS.mkdir(exist_ok=True)
    (CORPUS / f"{cause}.json").write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")


def record_job(cluster: Cluster, namespace: str, cause: str, job_id: str) -> None:
    """Keeps Job and pods of a job of ours as they are now."""
    if "AFFIRM_RECORD" in os.environ:
        shown = [
            cluster.get(kind, "-n", namespace, "-l", f"{LABEL_JOB}={job_id}")["items"] for kind in ("jobs", "pods")
        ]
        record(cluster, namespace, cause, *shown)
