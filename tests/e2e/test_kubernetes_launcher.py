"""The Kubernetes launcher against the launchers' contract, with pods that act as the contract asks."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from controller.launchers.interface import Launcher, LaunchRefused, Phase
from controller.launchers.kubernetes.api import KubernetesApi, load_configuration
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.pools.runner_pod import RunnerTemplate, job_name
from dataset_jobs.model.causes import Reason
from tests.cluster import Cluster
from tests.conformance.launcher_contract import EXITS_0, WORKS, LauncherContract, a_launch, until
from tests.e2e.acting_pods import SMALL


async def _api(cluster: Cluster, namespace: str) -> KubernetesApi:
    return KubernetesApi(await load_configuration(cluster.kubeconfig), namespace)


class TestKubernetesLauncher(LauncherContract):
    @pytest.fixture
    async def launcher(self, cluster: Cluster, namespace: str, acting_image: str) -> AsyncIterator[Launcher]:
        template = RunnerTemplate(image=acting_image, image_pull_policy="Never", resources=SMALL)
        launcher = KubernetesLauncher(await _api(cluster, namespace), uuid4(), template)
        yield launcher
        for seen in await launcher.list_all():
            await launcher.stop(seen.key, now=True)
        await launcher.close()

    async def test_jobs_of_another_installation_are_not_seen_and_their_names_not_taken(
        self, cluster: Cluster, namespace: str, acting_image: str, launcher: Launcher
    ) -> None:
        template = RunnerTemplate(image=acting_image, image_pull_policy="Never", resources=SMALL)
        other = KubernetesLauncher(await _api(cluster, namespace), uuid4(), template)
        try:
            launch = a_launch(EXITS_0)
            await launcher.launch(launch)
            await until(launcher, launch.key, Phase.ENDED)
            assert await other.list_all() == []
            assert await other.get(launch.key) is None
            with pytest.raises(LaunchRefused, match="is not of this installation"):
                await other.launch(launch)
        finally:
            await other.close()

    async def test_a_full_quota_is_a_definite_refusal(self, cluster: Cluster, acting_image: str) -> None:
        with cluster.namespace("affirm-quota") as namespace:
            quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": namespace}}
            cluster.apply({**quota, "spec": {"hard": {"count/jobs.batch": "1"}}})
            cluster.wait(
                lambda: '"used"' in cluster.kubectl("get", "resourcequota/q", "-n", namespace, "-o", "json"),
                "the quota to be counted",
            )
            template = RunnerTemplate(image=acting_image, image_pull_policy="Never", resources=SMALL)
            launcher = KubernetesLauncher(await _api(cluster, namespace), uuid4(), template)
            try:
                first = a_launch(WORKS)
                await launcher.launch(first)
                with pytest.raises(LaunchRefused) as refused:
                    await launcher.launch(a_launch(WORKS))
                assert refused.value.reason is Reason.QUOTA
                # Admission refuses this one too, before it sees that the Job is there: it is adopted all the same.
                assert await launcher.launch(first) == job_name(first.key)
                await launcher.stop(first.key, now=True)
            finally:
                await launcher.close()
