"""Runner pods that act as a test asks, in a namespace of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from threading import Lock
from typing import Any
from uuid import uuid4

import pytest

from controller.launchers.interface import Launch, ObservedRun, Phase
from controller.launchers.kubernetes.api import load_configuration
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.pools.runner_pod import RunnerTemplate
from tests.cluster import Cluster, images
from tests.conformance.launcher_contract import PATIENCE_SECONDS, a_launch, until
from tests.e2e.recording import RememberingApi, record
from tests.e2e.side_by_side import PAUSE_SECONDS

SMALL = {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}


@pytest.fixture(scope="session")
def acting_image(cluster: Cluster) -> str:
    """The image whose runner acts by its job's id, on the cluster's nodes."""
    return images.load(cluster, images.ACTING_RUNNER)


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace for a module's runs."""
    with cluster.namespace("affirm-launcher") as name:
        yield name


EATS_MEMORY = "4"

_LOADING = Lock()
"""The client keeps certificates in files for all threads, and has them for written before they are."""


class Place:
    """Where a cause is provoked: a namespace, and runner pods made from a template."""

    def __init__(self, cluster: Cluster, namespace: str, image: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.template = RunnerTemplate(image=image, image_pull_policy="Never", resources=SMALL)

    @asynccontextmanager
    async def launched(self, acts: str, **template: Any) -> AsyncIterator[tuple[KubernetesLauncher, Launch]]:
        """A run that is launched, and its launcher; removed in the end."""
        with _LOADING:
            configuration = await load_configuration(self.cluster.kubeconfig)
        made = replace(self.template, **template)
        self.api = RememberingApi(configuration, self.namespace)
        launcher = KubernetesLauncher(self.api, uuid4(), made)
        launch = a_launch(acts)
        try:
            await launcher.launch(launch)
            yield launcher, launch
        finally:
            await launcher.stop(launch.key, now=True)
            await launcher.close()

    def record(self, cause: str, with_pods: bool = True) -> None:
        """Keeps what the launcher has read last; of pods, the last that there were."""
        record(self.cluster, self.namespace, cause, self.api.jobs, self.api.pods if with_pods else [])


@pytest.fixture
def place(cluster: Cluster, namespace: str, acting_image: str) -> Place:
    """Where a test's runner pods are."""
    return Place(cluster, namespace, acting_image)


async def pending_with(
    launcher: KubernetesLauncher, launch: Launch, ready: Callable[[ObservedRun], bool]
) -> ObservedRun:
    """The run as soon as it is as wanted while it is pending.

    Raises:
        TimeoutError: it is not in time.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not ready(seen := await until(launcher, launch.key, Phase.PENDING)):
            await asyncio.sleep(PAUSE_SECONDS)
    return seen
