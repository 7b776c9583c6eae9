"""The launchers that need no cluster, against the contract. tests/e2e holds Kubernetes to it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from controller.launchers.interface import Launch, Launcher
from controller.launchers.kubernetes.launcher import KubernetesLauncher
from controller.launchers.process.launcher import ProcessLauncher
from controller.pools.runner_pod import RunnerTemplate
from dataset_jobs.model.settlement import Evidence
from tests.conformance.acting_runner import MESSAGE, act
from tests.conformance.launcher_contract import EXITS_0, IS_KILLED, REJECTS, WORKS, LauncherContract
from tests.fakes.cluster import FakeCluster, FakePod
from tests.fakes.launcher import FakeLauncher


class _ActingFake(FakeLauncher):
    """Ends runs at once, as the acting runner would."""

    async def launch(self, launch: Launch) -> str:
        new = await self.get(launch.key) is None
        name = await super().launch(launch)
        acts = launch.key.job_id.hex[-1]
        if new and acts != WORKS:
            code = {EXITS_0: 0, REJECTS: 65, IS_KILLED: 137}[acts]
            message = MESSAGE if acts == REJECTS else ""
            self.end(launch.key, Evidence(exit_code=code, message=message, container_started=True))
        return name


class TestFakeLauncher(LauncherContract):
    @pytest.fixture
    async def launcher(self) -> Launcher:
        return _ActingFake()


class TestKubernetesLauncherOnTheFakeCluster(LauncherContract):
    @pytest.fixture
    async def launcher(self) -> Launcher:
        cluster = FakeCluster(lambda: datetime.now(UTC))

        def act_at_once(pod: FakePod) -> None:
            cluster.schedule(pod, "node-1")
            cluster.start(pod)
            acts = pod.key.job_id.hex[-1]
            if acts != WORKS:
                code = {EXITS_0: 0, REJECTS: 65, IS_KILLED: 137}[acts]
                cluster.end(pod, code, MESSAGE if acts == REJECTS else "")

        cluster.on_pod = act_at_once
        cluster.on_stop = lambda pod, now: cluster.end(pod, 143)
        return KubernetesLauncher(cluster.api, uuid4(), RunnerTemplate("image"))


class TestProcessLauncher(LauncherContract):
    """The rules for children only stand in test_children.py."""

    @pytest.fixture
    async def launcher(self) -> AsyncIterator[Launcher]:
        launcher = ProcessLauncher(act, ["tests.conformance.acting_runner"], lambda: None)
        yield launcher
        await launcher.close()
