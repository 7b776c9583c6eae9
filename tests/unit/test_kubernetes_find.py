"""A run is gone when its Job and its pods are: a Job may be deleted before its pod has ended."""

from typing import Any, cast
from uuid import UUID

import pytest

from controller.launchers.interface import ObservedRun, Phase
from controller.launchers.kubernetes.api import KubernetesApi
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.launchers.kubernetes.objects import Job, Pod, job_of, pod_of
from controller.pools.runner_pod import LABEL_INSTALLATION, RunnerTemplate
from tests.unit.kubernetes_objects import KEY, job, pod, terminated


class Cluster:
    """An API server that has these pods, and this Job or none any more."""

    def __init__(self, pods: list[dict[str, Any]], job: dict[str, Any] | None = None) -> None:
        self._pods = pods
        self._job = job

    async def get_job(self, name: str) -> Job | None:
        return None if self._job is None else job_of(self._job)

    async def list_pods(self, selector: str) -> list[Pod]:
        return [pod_of(pod) for pod in self._pods]


async def find(cluster: Cluster) -> ObservedRun | None:
    installation = UUID(job()["metadata"]["labels"][LABEL_INSTALLATION])
    launcher = KubernetesLauncher(cast("KubernetesApi", cluster), installation, RunnerTemplate(image="i"))
    return await launcher.get(KEY)


@pytest.mark.parametrize(
    ("pods", "phase"),
    [
        ([], None),
        ([pod("Running", {"running": {"startedAt": "2025-03-01T10:00:05Z"}})], Phase.RUNNING),
        ([pod("Failed", terminated(143))], Phase.ENDED),
    ],
)
async def test_a_run_whose_job_was_deleted_is_there_as_long_as_its_pod(
    pods: list[dict[str, Any]], phase: Phase | None
) -> None:
    found = await find(Cluster(pods))
    assert (None if found is None else found.phase) == phase


async def test_a_run_with_a_new_job_keeps_its_pod() -> None:
    """Its Job was deleted and made anew; the run is there as long as the first pod."""
    left = pod("Running", {"running": {"startedAt": "2025-03-01T10:00:05Z"}}, suffix="left1")
    left["metadata"]["ownerReferences"][0]["uid"] = "of the Job that was deleted"
    found = await find(Cluster([left, pod("Failed", terminated(80), suffix="anew1")], job("Failed")))
    assert found is not None
    assert (found.phase, found.evidence.pod_uid) == (Phase.RUNNING, "pod-left1")
