"""The server that tests make up, against the contract. tests/e2e holds Kubernetes to it."""

from collections.abc import AsyncIterator

import pytest
from kubernetes.aio.client import Configuration

from controller.launchers.kubernetes.inspection import KubernetesInspection
from tests.conformance.inspection_contract import Inspected, InspectionContract
from tests.servers.kubernetes_namespace import FakeNamespace, serving


class TestFakeNamespace(InspectionContract):
    @pytest.fixture
    async def inspected(self) -> AsyncIterator[Inspected]:
        namespace = FakeNamespace()
        async with serving(namespace):
            stranger = Configuration(host=namespace.url)
            stranger.api_key = {"BearerToken": "Bearer stranger"}
            administrator = KubernetesInspection(Configuration(host=namespace.url), namespace.name)
            both = (administrator, KubernetesInspection(stranger, namespace.name))
            yield Inspected(
                *both,
                namespace.accounts.add,
                lambda name, hard: namespace.quotas.update({name: dict(hard)}),
                lambda: namespace.created,
            )
            for one in both:
                await one.close()
