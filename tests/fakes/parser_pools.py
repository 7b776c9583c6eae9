"""ParserPools as the API server keeps them, below `controller.pools.parser_pools`."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast

from controller.launchers.kubernetes.api import ApiRefused, KubernetesApi
from controller.pools.resource import SPEC_FIELDS
from dataset_jobs.model.errors import RunError


class FakeParserPools:
    """The resource, and the trial of Jobs.

    Args:
        there: whether the cluster knows the resource.
    """

    namespace = "default"

    def __init__(self, there: bool = True) -> None:
        self.there = there
        self.pools: dict[str, dict[str, Any]] = {}
        self.away: RunError | None = None
        self.refuses_new: RunError | None = None
        self.refused_images: dict[str, str] = {}
        self.fields: frozenset[str] | None = SPEC_FIELDS
        self.writes = 0
        self.lists = 0
        self.trials = 0
        self._made = 0
        self._versions = 0

    @property
    def api(self) -> KubernetesApi:
        """As the code under test sees it."""
        return cast("KubernetesApi", self)

    def apply(self, name: str, **spec: Any) -> None:
        """Makes a pool or changes it."""
        spec = {"controller": "affirm-worker", **spec}
        pool = self.pools.get(name)
        if pool is None:
            self._made += 1
            metadata = {
                "name": name,
                "uid": f"u{self._made}",
                "creationTimestamp": f"2026-11-24T10:00:{self._made:02}Z",
            }
            self.pools[name] = {"metadata": {**metadata, "generation": 1}, "spec": spec}
            self._changed(name)
        elif pool["spec"] != spec:
            pool["spec"] = spec
            pool["metadata"]["generation"] += 1
            self._changed(name)

    def _changed(self, name: str) -> None:
        self._versions += 1
        self.pools[name]["metadata"]["resourceVersion"] = str(self._versions)

    def delete(self, name: str) -> None:
        """Removes a pool."""
        del self.pools[name]

    async def list_parser_pools(self) -> list[dict[str, Any]]:
        """See KubernetesApi."""
        self.lists += 1
        if self.away is not None:
            raise self.away
        if not self.there:
            raise ApiRefused(404, "Kubernetes API: 404: the server could not find the requested resource")
        return deepcopy([*self.pools.values()])

    async def create_parser_pool(self, manifest: Mapping[str, Any]) -> bool:
        """See KubernetesApi."""
        if self.refuses_new is not None:
            raise self.refuses_new
        metadata = manifest["metadata"]
        if metadata["name"] in self.pools:
            return False
        self.apply(metadata["name"], **manifest["spec"])
        self.pools[metadata["name"]]["metadata"]["labels"] = metadata["labels"]
        return True

    async def try_job(self, manifest: Mapping[str, Any]) -> None:
        """See KubernetesApi; refuses the images in its list."""
        self.trials += 1
        if self.away is not None:
            raise self.away
        [container] = manifest["spec"]["template"]["spec"]["containers"]
        if container["image"] in self.refused_images:
            raise ApiRefused(422, self.refused_images[container["image"]])

    async def parser_pool_fields(self) -> frozenset[str] | None:
        """See KubernetesApi."""
        return self.fields

    async def set_parser_pool_status(
        self, name: str, status: Mapping[str, Any], version: str | None = None
    ) -> dict[str, Any]:
        """See KubernetesApi."""
        if name not in self.pools:
            raise ApiRefused(404, "not found")
        if version not in (None, self.pools[name]["metadata"]["resourceVersion"]):
            raise ApiRefused(422, "the server rejected our request due to an error in our request")
        self.writes += 1
        self.pools[name]["status"] = deepcopy(dict(status))
        self._changed(name)
        return deepcopy(self.pools[name])
