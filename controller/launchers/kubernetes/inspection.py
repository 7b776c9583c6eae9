"""The questions of a check to a cluster. Nothing is created: trials are dry runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from controller.launchers.kubernetes.api import ApiRefused, KubernetesApi


@dataclass(frozen=True, slots=True)
class Quota:
    """A ResourceQuota: its limits and the part of them in use, as quantities by resource."""

    name: str
    hard: Mapping[str, str]
    used: Mapping[str, str]


class NotAllowed(Exception):
    """The caller may not see it. That says nothing about the installation."""


class ClusterInspection(Protocol):
    """A namespace, as a check looks at it.

    Every method raises `ClusterSilent` if the API server does not answer.
    """

    namespace: str

    async def version(self) -> tuple[int, int]:
        """Of Kubernetes, such as (1, 34)."""

    async def who_am_i(self) -> str:
        """The user's name, as RBAC has it; empty if the server does not say it."""

    async def may(self, verb: str, group: str, resource: str) -> bool:
        """Whether the caller may do that in the namespace."""

    async def has_service_account(self, name: str) -> bool:
        """Whether there is one; raises NotAllowed."""

    async def quotas(self) -> list[Quota]:
        """All ResourceQuotas of the namespace; raises NotAllowed."""

    async def parser_pool_fields(self) -> frozenset[str] | None:
        """The fields of a ParserPool's spec, as the cluster knows them; None if it knows none. Raises ApiRefused."""

    async def parser_pools(self) -> list[dict[str, Any]]:
        """Those of the namespace, of all controllers; raises NotAllowed."""

    async def knows_parser_pools(self) -> bool:
        """Whether the resource is known; raises NotAllowed."""

    async def try_job(self, manifest: Mapping[str, Any]) -> None:
        """Asks whether a Job would be created; raises ApiRefused."""

    async def try_pod(self, manifest: Mapping[str, Any]) -> None:
        """Asks whether a pod would be created; raises ApiRefused."""

    async def close(self) -> None:
        """Closes the connections."""


class KubernetesInspection(KubernetesApi):
    """`ClusterInspection` of a real cluster."""

    async def version(self) -> tuple[int, int]:
        """See ClusterInspection."""
        said = await self._request("GET", "/version")
        return int(said["major"]), int("".join(filter(str.isdigit, said["minor"])))

    async def who_am_i(self) -> str:
        """See ClusterInspection."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            said = await self._request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=body)
        except ApiRefused:
            return ""
        return str(said.get("status", {}).get("userInfo", {}).get("username", ""))

    async def may(self, verb: str, group: str, resource: str) -> bool:
        """See ClusterInspection."""
        name, _, part = resource.partition("/")
        asked = {"namespace": self.namespace, "verb": verb, "group": group, "resource": name, "subresource": part}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        said = await self._request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=body)
        return bool(said["status"]["allowed"])

    async def has_service_account(self, name: str) -> bool:
        """See ClusterInspection."""
        return await self._seen(f"/api/v1/namespaces/{self.namespace}/serviceaccounts/{name}") is not None

    async def quotas(self) -> list[Quota]:
        """See ClusterInspection."""
        found = await self._seen(f"/api/v1/namespaces/{self.namespace}/resourcequotas") or {}
        return [
            Quota(one["metadata"]["name"], *(one.get("status", {}).get(part, {}) for part in ("hard", "used")))
            for one in found.get("items", ())
        ]

    async def parser_pools(self) -> list[dict[str, Any]]:
        """See ClusterInspection."""
        found = await self._seen(self._parser_pools) or {}
        items: list[dict[str, Any]] = found.get("items", [])
        return items

    async def knows_parser_pools(self) -> bool:
        """See ClusterInspection."""
        return await self._seen(self._parser_pools) is not None

    async def try_pod(self, manifest: Mapping[str, Any]) -> None:
        """See ClusterInspection."""
        await self._request("POST", self._pods, {"dryRun": "All", "fieldValidation": "Strict"}, manifest)

    async def _seen(self, path: str) -> Any:
        """An object or a list; None if it is not there. Raises NotAllowed."""
        try:
            return await self._request("GET", path)
        except ApiRefused as error:
            if error.status == 404:
                return None
            if error.status == 403:
                raise NotAllowed from None
            raise
