"""A Job of the run's name is there already: whose it is decides, and whether it still is."""

from typing import Any, cast
from uuid import UUID

import pytest

from controller.launchers.interface import Launch, LaunchRefused
from controller.launchers.kubernetes.api import KubernetesApi
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.launchers.kubernetes.objects import Job, job_of
from controller.pools.runner_pod import LABEL_INSTALLATION, RunnerTemplate, job_name
from dataset_jobs.model.errors import Unavailable
from tests.unit.kubernetes_objects import KEY, job

INSTALLATION = UUID(job()["metadata"]["labels"][LABEL_INSTALLATION])


class NameIsTaken:
    """An API server that has a Job of every name, until it is asked for it: then it has this one, or none any more."""

    def __init__(self, job: dict[str, Any] | None) -> None:
        self._job = job

    async def create_job(self, manifest: dict[str, Any]) -> bool:
        return False

    async def get_job(self, name: str) -> Job | None:
        return None if self._job is None else job_of(self._job)


async def launch(found: dict[str, Any] | None, installation: UUID = INSTALLATION) -> str:
    api = cast("KubernetesApi", NameIsTaken(found))
    launcher = KubernetesLauncher(api, installation, RunnerTemplate(image="i"))
    return await launcher.launch(Launch(KEY, UUID(int=2), "parse_dataset", 1))


async def test_a_job_of_ours_is_adopted() -> None:
    assert await launch(job()) == job_name(KEY)


async def test_a_job_that_is_not_ours_is_a_refusal() -> None:
    with pytest.raises(LaunchRefused, match="not of this installation"):
        await launch(job(), UUID(int=9))


async def test_a_job_that_was_deleted_while_it_was_being_adopted_is_asked_for_again() -> None:
    with pytest.raises(Unavailable, match="was deleted"):
        await launch(None)
