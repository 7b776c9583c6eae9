"""The few calls to the Kubernetes API that the launcher makes, and errors as ours."""

import asyncio
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import aiohttp
import msgspec
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.config import load_incluster_config, load_kube_config

from controller.launchers.interface import ClusterRefused, ClusterSilent
from controller.launchers.kubernetes.objects import Job, Pod
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.local_machine import is_about_the_path, machine_error

PAGE = 500
"""Objects per page of a list."""

LONGEST_HOLD_SECONDS = 30.0
"""The longest that a request is held back when an API server asks for a pause."""

T = TypeVar("T")

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class ApiRefused(ClusterRefused):
    """The API server has definitely refused a request. `word` is its own reason, such as AlreadyExists."""

    def __init__(self, status: int, message: str, word: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.word = word


async def load_configuration(kubeconfig: Path | None = None) -> Configuration:
    """In a pod, its service account; elsewhere KUBECONFIG or ~/.kube/config.

    Args:
        kubeconfig: only this file.

    Raises:
        Misconfigured: none of them exists, or it cannot be read.
    """
    configuration = Configuration()
    try:
        in_pod = (_SERVICE_ACCOUNT / "token").exists() and not os.environ.get("KUBECONFIG")
        if in_pod and kubeconfig is None:
            load_incluster_config(client_configuration=configuration)
        else:
            file = None if kubeconfig is None else str(kubeconfig)
            await load_kube_config(config_file=file, client_configuration=configuration)
    except Exception as error:  # the loader raises many kinds of errors
        if isinstance(error, OSError) and not is_about_the_path(error):
            raise machine_error(error, "load a Kubernetes configuration") from None
        raise Misconfigured(f"cannot load a Kubernetes configuration: {type(error).__name__}") from None
    return configuration


class _ListMetadata(msgspec.Struct):
    token: str = msgspec.field(default="", name="continue")


class _Page(msgspec.Struct, Generic[T]):
    metadata: _ListMetadata
    items: list[T]


class KubernetesApi:
    """One namespace's Jobs and pods.

    Args:
        configuration: host and credentials.
        namespace: of the objects.
        timeout_seconds: of one request, in all.
    """

    def __init__(self, configuration: Configuration, namespace: str, timeout_seconds: float = 30) -> None:
        self._client = ApiClient(configuration)
        self._timeout = timeout_seconds
        self.namespace = namespace
        self._not_before = 0.0
        self._jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._events = f"/api/v1/namespaces/{namespace}/events"
        self._parser_pools = f"/apis/affirm.dev/v1/namespaces/{namespace}/parserpools"

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def create_job(self, manifest: Mapping[str, Any]) -> bool:
        """Creates a Job; False if a Job has that name already.

        Raises:
            ApiRefused: it definitely was not created.
            Unavailable: it may have been created.
        """
        return await self._create(self._jobs, manifest)

    async def get_job(self, name: str) -> Job | None:
        """A Job by name, if there is one; from etcd, not from a cache."""
        try:
            job: Job = await self._request("GET", f"{self._jobs}/{name}", into=Job)
        except ApiRefused as error:
            if error.status == 404:
                return None
            raise
        return job

    async def list_jobs(self, selector: str) -> list[Job]:
        """All Jobs with these labels, page by page."""
        return await self._list(self._jobs, {"labelSelector": selector}, Job)

    async def list_pods(self, selector: str) -> list[Pod]:
        """All pods with these labels, page by page."""
        return await self._list(self._pods, {"labelSelector": selector}, Pod)

    async def list_events(self, kind: str, reason: str) -> list[dict[str, Any]]:
        """The events of this reason about objects of this kind; Kubernetes keeps them for an hour."""
        selector = f"involvedObject.kind={kind},reason={reason}"
        return await self._list(self._events, {"fieldSelector": selector}, dict[str, Any])

    async def set_job_ttl(self, name: str, seconds: int) -> None:
        """Lets Kubernetes remove a finished Job after a while. Does nothing if the Job is gone."""
        body = {"spec": {"ttlSecondsAfterFinished": seconds}}
        await self._request_if_there("PATCH", f"{self._jobs}/{name}", body=body)

    async def delete_job(self, name: str, grace_seconds: int | None = None) -> None:
        """Deletes a Job and, with their grace period, its pods. Does nothing if the Job is gone."""
        body: dict[str, Any] = {"propagationPolicy": "Background"}
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        await self._request_if_there("DELETE", f"{self._jobs}/{name}", body=body)

    async def create_event(self, manifest: Mapping[str, Any]) -> None:
        """Creates an event in this namespace."""
        await self._request("POST", self._events, body=manifest)

    async def try_job(self, manifest: Mapping[str, Any]) -> None:
        """Asks whether a Job would be created (a dry run). Unknown fields are errors.

        Raises:
            ApiRefused: it would be refused, and why.
        """
        await self._request("POST", self._jobs, {"dryRun": "All", "fieldValidation": "Strict"}, manifest)

    async def list_parser_pools(self) -> list[dict[str, Any]]:
        """All ParserPools, of every controller.

        Raises:
            ApiRefused: 404 if the cluster does not know the resource.
        """
        return await self._list(self._parser_pools, {}, dict[str, Any])

    async def create_parser_pool(self, manifest: Mapping[str, Any]) -> bool:
        """Creates a ParserPool; False if there is one of its name. Raises as `create_job`."""
        return await self._create(self._parser_pools, manifest)

    async def parser_pool_fields(self) -> frozenset[str] | None:
        """The fields of a ParserPool's spec, as the cluster knows them; None if it knows none.

        The API server shows everybody who is logged in what its resources are made of, but not its definitions.

        Raises:
            ApiRefused: somebody has taken that right away.
        """
        try:
            found = await self._request("GET", "/openapi/v3/apis/affirm.dev/v1")
        except ApiRefused as error:
            if error.status == 404:
                return None
            raise
        pool = found.get("components", {}).get("schemas", {}).get("dev.affirm.v1.ParserPool", {})
        spec = pool.get("properties", {}).get("spec", {}).get("properties")
        return None if spec is None else frozenset(spec)

    async def set_parser_pool_status(
        self, name: str, status: Mapping[str, Any], version: str | None = None
    ) -> dict[str, Any]:
        """Sets a ParserPool's status, and returns the whole pool.

        Args:
            name: the pool's.
            status: all of it.
            version: the resourceVersion that it must still have; None if any will do.

        Raises:
            ApiRefused: 404 if the pool is gone, another if it has another version.
        """
        # Replaced, not merged: nothing of an earlier template may stay.
        patch = [{"op": "add", "path": "/status", "value": status}]
        if version is not None:
            patch.insert(0, {"op": "test", "path": "/metadata/resourceVersion", "value": version})
        pool: dict[str, Any] = await self._request("PATCH", f"{self._parser_pools}/{name}/status", body=patch)
        return pool

    async def _list(self, path: str, selector: dict[str, str], of: type[T]) -> list[T]:
        items: list[T] = []
        query = {**selector, "limit": str(PAGE)}
        while True:
            page: _Page[T] = await self._request("GET", path, query=query, into=_Page[of])  # type: ignore[valid-type]
            items += page.items
            if not page.metadata.token:
                return items
            query["continue"] = page.metadata.token

    async def _create(self, path: str, manifest: Mapping[str, Any]) -> bool:
        try:
            await self._request("POST", path, body=manifest)
        except ApiRefused as error:
            if error.word == "AlreadyExists":
                return False
            if error.status == 409:  # somebody changes a quota, or a webhook said so: a retry may pass
                raise ClusterSilent(str(error)) from None
            raise
        return True

    async def _request_if_there(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        try:
            await self._request(method, path, body=body)
        except ApiRefused as error:
            if error.status != 404:
                raise

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | Sequence[Any] | None = None,
        into: Any = Any,
    ) -> Any:
        await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))
        headers = {"Accept": "application/json"}
        if body is not None:
            kind = "" if method != "PATCH" else "json-patch+" if isinstance(body, list) else "merge-patch+"
            headers["Content-Type"] = f"application/{kind}json"
        try:
            # Not its body: it is plain JSON as it is, and looking for models in it takes longer than sending it.
            _, url, headers, _, _ = await self._client.param_serialize(
                method,
                path,
                query_params=list((query or {}).items()),
                header_params=headers,
                auth_settings=["BearerToken"],
            )
            response = await self._client.call_api(method, url, headers, body, _request_timeout=self._timeout)
            content = await response.read()
        except ApiException as error:
            raise _of_status(error.status or 0, error.body) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ClusterSilent(f"Kubernetes API: {type(error).__name__}") from None
        if response.status >= 400:
            self._hold_back(response.headers.get("Retry-After", ""))
            raise _of_status(response.status, content)
        try:
            return msgspec.json.decode(content, type=into)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ClusterSilent(f"Kubernetes API: an answer that cannot be read: {error}") from None

    def _hold_back(self, retry_after: str) -> None:
        """Sends no request before the time that an overloaded API server has named."""
        if retry_after.isdecimal():
            seconds = min(float(retry_after), LONGEST_HOLD_SECONDS)
            self._not_before = max(self._not_before, time.monotonic() + seconds)


def _of_status(status: int, body: bytes | str | None) -> ApiRefused | ClusterSilent:
    """After 429 and 5xx the request may have taken effect, and a fresh token fixes 401; all else is definite."""
    try:
        said = json.loads(body or "")
        message, word = said["message"], str(said.get("reason", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        message, word = "no message", ""
    text = f"Kubernetes API: {status}: {message}"
    if status in (0, 401, 408, 410, 429) or status >= 500:
        return ClusterSilent(text)
    return ApiRefused(status, text, word)
