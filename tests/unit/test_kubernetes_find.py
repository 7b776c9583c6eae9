"""A run is gone when its Job and its pods are: a Job may be deleted before its pod has ended."""

from typing import Any, cast
from uuid import uuid4

import pytest

from controller.launchers import Phase
from controller.launchers.kubernetes import KubernetesLauncher
from controller.launchers.kubernetes_api import KubernetesApi
from controller.policy.job_manifest import RunnerTemplate
from tests.unit.kubernetes_objects import KEY, pod, terminated


class PodsWithoutAJob:
    """An API server that has no Job any more, and these pods."""

    def __init__(self, pods: list[dict[str, Any]]) -> None:
        self._pods = pods

    async def get_job(self, name: str) -> None:
        return None

    async def list_pods(self, selector: str) -> list[dict[str, Any]]:
        return self._pods


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
    api = cast("KubernetesApi", PodsWithoutAJob(pods))
    launcher = KubernetesLauncher(api, uuid4(), "default", RunnerTemplate(image="i"))
    found = await launcher.find(KEY)
    assert (None if found is None else found.phase) == phase
