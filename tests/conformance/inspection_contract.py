"""What an inspection of a cluster must see: one suite, for the server that tests make up and for a real Kubernetes."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from controller.launchers.kubernetes.api import ApiRefused
from controller.launchers.kubernetes.inspection import ClusterInspection, NotAllowed
from controller.launchers.kubernetes.rights import RIGHTS
from controller.pools.resource import SPEC_FIELDS
from controller.pools.runner_pod import RunnerTemplate, job_manifest
from dataset_jobs.model.keys import RunKey

PATIENCE_SECONDS = 100.0
RESOURCES = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "1", "memory": "32Mi"}}


@dataclass(frozen=True)
class Inspected:
    """A namespace, seen by two, and what can be done to it.

    Args:
        administrator: may do everything.
        stranger: may do nothing.
        make_account, make_quota: make a ServiceAccount, and a ResourceQuota with these limits.
        names_of_jobs: of those that were created.
    """

    administrator: ClusterInspection
    stranger: ClusterInspection
    make_account: Callable[[str], None]
    make_quota: Callable[[str, Mapping[str, str]], None]
    names_of_jobs: Callable[[], list[str]]


def a_job() -> dict[str, Any]:
    template = RunnerTemplate(image="registry.invalid/runner:1", resources=RESOURCES)
    return job_manifest(RunKey(uuid4(), 1), uuid4(), "default", uuid4(), template)


def pod_of(job: Mapping[str, Any]) -> dict[str, Any]:
    pod = job["spec"]["template"]
    metadata = {**pod["metadata"], "name": job["metadata"]["name"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod["spec"]}


class InspectionContract:
    """Subclasses give the fixture `inspected`."""

    async def test_the_version_is_that_of_a_supported_kubernetes(self, inspected: Inspected) -> None:
        assert (1, 29) <= await inspected.administrator.version() < (2, 0)

    async def test_everybody_learns_who_they_are(self, inspected: Inspected) -> None:
        assert (await inspected.stranger.who_am_i()).startswith("system:serviceaccount:")
        assert await inspected.administrator.who_am_i()

    async def test_rights_are_those_of_whoever_asks(self, inspected: Inspected) -> None:
        for right in RIGHTS:
            for verb in right.verbs:
                assert await inspected.administrator.may(verb, right.group, right.resource)
                assert not await inspected.stranger.may(verb, right.group, right.resource)

    async def test_an_account_is_there_once_it_is_made(self, inspected: Inspected) -> None:
        assert not await inspected.administrator.has_service_account("runners")
        inspected.make_account("runners")
        assert await inspected.administrator.has_service_account("runners")

    async def test_a_quota_has_limits_and_what_is_used(self, inspected: Inspected) -> None:
        inspected.make_quota("few", {"pods": "3"})
        quota = await self._counted(inspected, "few")
        assert (quota.hard["pods"], quota.used["pods"]) == ("3", "0")

    async def test_parser_pools_have_the_fields_of_this_version(self, inspected: Inspected) -> None:
        assert (await inspected.administrator.parser_pool_fields() or frozenset()) >= SPEC_FIELDS
        assert (await inspected.stranger.parser_pool_fields() or frozenset()) >= SPEC_FIELDS
        assert await inspected.administrator.knows_parser_pools()
        assert await inspected.administrator.parser_pools() == []

    async def test_a_trial_is_accepted_and_creates_nothing(self, inspected: Inspected) -> None:
        job = a_job()
        await inspected.administrator.try_job(job)
        assert job["metadata"]["name"] not in inspected.names_of_jobs()

    async def test_an_unknown_field_is_refused(self, inspected: Inspected) -> None:
        job = a_job()
        job["spec"]["completionz"] = 1
        with pytest.raises(ApiRefused, match=r'unknown field "spec\.completionz"'):
            await inspected.administrator.try_job(job)

    async def test_a_full_quota_refuses_the_pod(self, inspected: Inspected) -> None:
        job = a_job()
        await inspected.administrator.try_pod(pod_of(job))
        inspected.make_quota("none", {"pods": "0"})
        await self._counted(inspected, "none")
        with pytest.raises(ApiRefused, match="exceeded quota: none") as refused:
            await inspected.administrator.try_pod(pod_of(job))
        assert refused.value.status == 403

    async def test_what_a_stranger_may_not_see_is_said_to_be_that(self, inspected: Inspected) -> None:
        stranger = inspected.stranger
        for look in (
            stranger.quotas, stranger.parser_pools, stranger.knows_parser_pools,
            lambda: stranger.has_service_account("default"),
        ):  # fmt: skip
            with pytest.raises(NotAllowed):
                await look()

    async def _counted(self, inspected: Inspected, name: str) -> Any:
        """The quota, as soon as the cluster has counted what is used."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            for quota in await inspected.administrator.quotas():
                if quota.name == name and quota.used:
                    return quota
            await asyncio.sleep(0.1)
        raise AssertionError(f"the quota {name} was not counted")
