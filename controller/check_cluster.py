"""Checks of a cluster: the caller's rights, and whether a runner's pod could be made. Nothing is created."""

import asyncio
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import ceil
from uuid import UUID

from controller.launchers.kubernetes.api import ApiRefused
from controller.launchers.kubernetes.failed_create import exceeds_quota
from controller.launchers.kubernetes.inspection import ClusterInspection, NotAllowed, Quota
from controller.launchers.kubernetes.rights import RIGHTS, Right
from controller.pools.quantities import parse_quantity
from controller.pools.resource import SPEC_FIELDS, controller_of
from controller.pools.runner_pod import RunnerTemplate, job_manifest
from controller.pools.unheeded import is_heeded, older_definition
from controller.runner_config import unknown_keys
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.limits import MIB, Limits
from services.checks.findings import Finding, Fix, ok, skipped, warning, wrong
from services.checks.machine import RUN_MIB

OLDEST = (1, 29)
"""Of Kubernetes, as the chart asks for."""

CUSTOM_RESOURCE = "charts/affirm-worker/files/parserpools.yaml"

_ADMINISTRATOR = "an administrator of the cluster"
_NOBODY = UUID(int=0)
_USER = re.compile(r"system:serviceaccount:([^:]+):([^:]+)")
_PER_POD = ("requests.cpu", "requests.memory", "limits.cpu", "limits.memory", "cpu", "memory")


async def check_cluster(cluster: ClusterInspection, template: RunnerTemplate | None, limits: Limits) -> list[Finding]:
    """Whether a controller with these rights could run runners here.

    Args:
        cluster: the namespace.
        template: of runner pods; None if there is no RUNNER_CONFIG.
        limits: on files.

    Raises:
        ClusterSilent: the API server does not answer.
    """
    found: list[Finding] = []
    version = await cluster.version()
    user = await cluster.who_am_i()
    said = f"Kubernetes {version[0]}.{version[1]}, namespace {cluster.namespace}{f', as {user}' if user else ''}"
    if version < OLDEST:
        found.append(wrong(f"{said}: too old, {OLDEST[0]}.{OLDEST[1]} or later is needed"))
    else:
        found.append(ok(said))
    found += await _rights(cluster, user)
    found += await _custom_resource(cluster)
    if template is None:
        found.append(skipped("RUNNER_CONFIG is not set, so there is no runner's pod to try"))
        return found
    if (unknown := unknown_keys(template)) is not None:
        found.append(warning(unknown))
    found += _image(template)
    found += _memory(template, limits, cluster.namespace)
    found += await _service_account(cluster, template)
    found += await _quotas(cluster, template)
    found += await _trial(cluster, template)
    return found


async def _rights(cluster: ClusterInspection, user: str) -> list[Finding]:
    asked = [(right, verb) for right in RIGHTS for verb in right.verbs]
    answers = await asyncio.gather(*(cluster.may(verb, right.group, right.resource) for right, verb in asked))
    refused = {one for one, allowed in zip(asked, answers, strict=True) if not allowed}
    missing = [
        right._replace(verbs=verbs)
        for right in RIGHTS
        if (verbs := tuple(verb for verb in right.verbs if (right, verb) in refused))
    ]
    if not missing:
        return [ok(f"all {sum(len(right.verbs) for right in RIGHTS)} rights of a controller")]
    listed = "; ".join(f"{', '.join(right.verbs)} {right.resource}" for right in missing)
    fixes = [Fix(shell=line, by=_ADMINISTRATOR) for line in _grants(cluster.namespace, user, missing)]
    return [wrong(f"rights of a controller are missing: {listed}", *fixes)]


def _grants(namespace: str, user: str, missing: list[Right]) -> Iterator[str]:
    account = _USER.fullmatch(user)
    subject = f"--serviceaccount={account[1]}:{account[2]}" if account else f"--user={shlex.quote(user or 'USER')}"
    for right in missing:
        resource = ".".join(filter(None, (right.resource.partition("/")[0], right.group)))
        part = right.resource.partition("/")[2]
        name = f"affirm-worker-{right.resource.replace('/', '-')}"
        whole = f"{resource}/{part}" if part else resource
        yield f"kubectl -n {namespace} create role {name} --verb={','.join(right.verbs)} --resource={whole}"
        yield f"kubectl -n {namespace} create rolebinding {name} --role={name} {subject}"


async def _custom_resource(cluster: ClusterInspection) -> list[Finding]:
    apply = Fix(shell=f"kubectl apply --server-side -f {CUSTOM_RESOURCE}", by=_ADMINISTRATOR)
    unknown = "the cluster does not know ParserPools: only the pool of the settings is served"
    try:
        fields = await cluster.parser_pool_fields()
    except ApiRefused:  # somebody has taken that right away
        try:
            known = await cluster.knows_parser_pools()
        except NotAllowed:  # said already, as a right that is missing
            return []
        return [ok("ParserPools are known")] if known else [warning(unknown, apply)]
    if fields is None:
        return [warning(unknown, apply)]
    if lacking := SPEC_FIELDS - fields:
        return [warning(older_definition(lacking), apply)]
    return [ok("ParserPools are known, with all fields of this version"), *await _unheeded(cluster)]


async def _unheeded(cluster: ClusterInspection) -> list[Finding]:
    """The ParserPools whose newest generation no controller has seen."""
    try:
        pools = [one for one in await cluster.parser_pools() if not is_heeded(one)]
    except NotAllowed:
        return []
    return [
        warning(
            f"no controller heeds ParserPool {one['metadata']['name']}: it names {controller_of(one)}, which is"
            " WORKER_CONTROLLER_NAME, or the full name of a release"
        )
        for one in pools
    ]


def _image(template: RunnerTemplate) -> list[Finding]:
    image = template.image
    if "@sha256:" in image:
        return [ok(f"runner's image {image}, by digest")]
    tag = image.rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        return [warning(f"runner's image {image}: its tag may be another version tomorrow: name a version or a digest")]
    return [ok(f"runner's image {image}, by its tag")]


def _memory(template: RunnerTemplate, limits: Limits, namespace: str) -> Iterator[Finding]:
    """Whether a runner's memory is enough for the largest workbook that is taken."""
    limit = (template.resources.get("limits") or {}).get("memory")
    needed = limits.workbook_memory_mib + RUN_MIB
    if limit is None or parse_quantity(limit) >= needed * MIB:
        return
    raised = f"--reset-then-reuse-values --set runner.resources.limits.memory={needed}Mi"
    yield warning(
        f"a runner may take {limit} of memory, and one that reads a workbook may need {needed}Mi",
        Fix(shell=f"helm upgrade affirm-worker charts/affirm-worker -n {namespace} {raised}"),
    )


async def _service_account(cluster: ClusterInspection, template: RunnerTemplate) -> list[Finding]:
    name = template.service_account_name or "default"
    try:
        if await cluster.has_service_account(name):
            return []
    except NotAllowed:
        return []
    create = Fix(shell=f"kubectl -n {cluster.namespace} create serviceaccount {name}")
    return [wrong(f"the ServiceAccount {name} of runners is not there", create)]


async def _quotas(cluster: ClusterInspection, template: RunnerTemplate) -> list[Finding]:
    try:
        quotas = await cluster.quotas()
    except NotAllowed:
        return []
    needed = _needed(template)
    return [one for quota in quotas for one in _of_quota(quota, needed, cluster.namespace)]


def _needed(template: RunnerTemplate) -> dict[str, Decimal]:
    """What one run takes of a quota, by its resource."""
    requests, limits = (template.resources.get(part) or {} for part in ("requests", "limits"))
    needed = {"pods": Decimal(1), "count/pods": Decimal(1), "count/jobs.batch": Decimal(1)}
    for resource in ("cpu", "memory"):
        if resource in limits:
            needed[f"limits.{resource}"] = parse_quantity(limits[resource])
        if (request := requests.get(resource, limits.get(resource))) is not None:
            needed[f"requests.{resource}"] = needed[resource] = parse_quantity(request)
    return needed


def _of_quota(quota: Quota, needed: Mapping[str, Decimal], namespace: str) -> Iterator[Finding]:
    for resource in quota.hard:
        if resource in _PER_POD and resource not in needed:
            yield wrong(
                f"ResourceQuota {quota.name} wants {resource} of every pod, and runners name none: set their resources"
            )
        elif resource in needed:
            yield from _headroom(quota, resource, needed[resource], namespace)


def _headroom(quota: Quota, resource: str, needed: Decimal, namespace: str) -> Iterator[Finding]:
    hard, used = quota.hard[resource], quota.used.get(resource, "0")
    after = parse_quantity(used) + needed
    if after <= parse_quantity(hard):
        return
    patch = json.dumps({"spec": {"hard": {resource: _amount(resource, after)}}})
    line = f"kubectl -n {namespace} patch resourcequota {quota.name} --type merge -p {shlex.quote(patch)}"
    said = f"ResourceQuota {quota.name} has no room for one more run: {resource} {used} of {hard}"
    # Runs that end make room, unless there would not be enough for a single one.
    verdict = wrong if needed > parse_quantity(hard) else warning
    yield verdict(said, Fix(shell=line, by="whoever decides on the quota"))


def _amount(resource: str, value: Decimal) -> str:
    if resource.endswith("memory"):
        return f"{ceil(value / 2**20)}Mi"
    return f"{ceil(value * 1000)}m" if resource.endswith("cpu") else str(ceil(value))


async def _trial(cluster: ClusterInspection, template: RunnerTemplate) -> list[Finding]:
    """A dry run of a run's Job, and of its pod if the caller may create pods."""
    manifest = job_manifest(RunKey(_NOBODY, 1), _NOBODY, "doctor", _NOBODY, template)
    if not await cluster.may("create", "batch", "jobs"):
        return [skipped("the runner's Job cannot be tried without the right to create jobs")]
    try:
        await cluster.try_job(manifest)
    except ApiRefused as error:
        return [wrong(f"the runner's Job would be refused: {error}")]
    if not await cluster.may("create", "", "pods"):
        return [ok("the runner's Job would be accepted; its pod cannot be tried with these rights")]
    pod = manifest["spec"]["template"]
    metadata = pod.get("metadata", {}) | {"name": manifest["metadata"]["name"], "namespace": cluster.namespace}
    try:
        await cluster.try_pod({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod["spec"]})
    except ApiRefused as error:
        full = error.status == 403 and exceeds_quota(str(error))
        return [(warning if full else wrong)(f"the runner's pod would be refused: {error}")]
    return [ok("the runner's Job and pod would be accepted")]
