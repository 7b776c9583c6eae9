"""Who counts while the chaos goes on: every claim in the database, and every live pod in the cluster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient, CoreV1Api
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.watch import Watch

from controller.launchers.kubernetes.api import load_configuration
from controller.pools.runner_pod import CONTAINER
from tests.e2e.installation import Installation
from tests.kit.triggers import COUNT_CLAIMS


class Witness:
    """The most runs that held a slot, and the most pods that lived at once."""

    def __init__(self, installation: Installation) -> None:
        self.most_pods = 0
        self._installation = installation
        self._live: set[str] = set()
        installation.query(COUNT_CLAIMS)

    @property
    def most_runs(self) -> int:
        """The most runs that held a slot right after a claim."""
        return int(self._installation.query("select coalesce(max(unreleased), 0) as most from claims_seen")[0]["most"])

    def over(self, maximum: int) -> int:
        """How many claims went over the maximum, and whether live pods ever did."""
        [row] = self._installation.query("select count(*) from claims_seen where unreleased > %s", maximum)
        return int(row["count"]) + (self.most_pods > maximum)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Follows the pods of our runs."""
        async with ApiClient(await load_configuration(self._installation.cluster.kubeconfig)) as client:
            task = asyncio.create_task(self._follow(CoreV1Api(client)))
            try:
                yield
            finally:
                task.cancel()

    async def _follow(self, api: CoreV1Api) -> None:
        where = self._installation.namespace
        while True:
            try:
                listed: Any = await api.list_namespaced_pod(where, label_selector="app=affirm-parser")
                self._live = {pod.metadata.uid for pod in listed.items if _lives(pod.to_dict())}
                self._count()
                stream = Watch().stream(
                    api.list_namespaced_pod,
                    where,
                    label_selector="app=affirm-parser",
                    resource_version=listed.metadata.resource_version,
                    timeout_seconds=300,
                )
                async for event in stream:
                    self._note(event["type"], event["raw_object"])
            except (ApiException, aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.5)

    def _note(self, kind: str, pod: dict[str, Any]) -> None:
        uid = pod["metadata"]["uid"]
        if kind == "DELETED" or not _lives(pod):
            self._live.discard(uid)
        else:
            self._live.add(uid)
        self._count()

    def _count(self) -> None:
        self.most_pods = max(self.most_pods, len(self._live))


def _lives(pod: dict[str, Any]) -> bool:
    """Whether the pod's runner may run. Its end counts: the kubelet reports that of the pod a moment later."""
    status = pod.get("status") or {}
    containers = status.get("containerStatuses") or status.get("container_statuses") or []
    ended = any((one.get("state") or {}).get("terminated") for one in containers if one.get("name") == CONTAINER)
    return status.get("phase") not in ("Succeeded", "Failed") and not ended
