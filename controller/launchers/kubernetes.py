"""Runs as Kubernetes Jobs: one Job, one pod, one run."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from controller.launchers import KEEP, SUSPENDED, Launch, LaunchRefused, Phase, Seen
from controller.launchers.cluster_view import POD, ClusterView, is_over, key_of, slim_job, slim_pod
from controller.launchers.kubernetes_api import ApiRefused, KubernetesApi
from controller.launchers.pod_refusals import PodRefusals, exceeds_quota
from controller.policy.job_manifest import (
    CONTAINER,
    LABEL_EPOCH,
    LABEL_INSTALLATION,
    LABEL_JOB,
    RunnerTemplate,
    job_manifest,
    job_name,
    with_memory,
)
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.settlement import Evidence

_log = logging.getLogger(__name__)

_IMAGE_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
DISRUPTED = "DisruptionTarget"
"""The condition of a pod that is evicted, preempted or lost with its node; its reason tells which."""

SUSPENDED_JOB = Evidence(message="the Job is suspended", conditions={"PodScheduled": SUSPENDED})
"""As of a pod that no node has room for: somebody, such as Kueue, says when there is room."""

BY_TAINT = "DeletionByTaintManager"
_CONFIG_TROUBLE = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


class KubernetesLauncher:
    """Launches runs as Jobs of one namespace.

    Args:
        api: of that namespace.
        installation: every Job of ours carries it; others are never seen, adopted or deleted.
        template: how runner pods are made where a launch does not say it.
    """

    name = "kubernetes"

    def __init__(
        self,
        api: KubernetesApi,
        installation: UUID,
        template: RunnerTemplate,
    ) -> None:
        self._api = api
        self._installation = installation
        self._template = template
        self._refusals = PodRefusals(api)
        self._view = ClusterView()
        self._disrupted: dict[RunKey, Evidence] = {}
        """What was seen of pods that were about to be removed: they may be gone before they are seen to have ended."""

    async def launch(self, launch: Launch) -> str:
        name = job_name(launch.key)
        template = with_memory(launch.template or self._template, launch.memory_doublings)
        manifest = job_manifest(launch.key, launch.dataset_id, launch.pool, self._installation, template)
        try:
            if await self._api.create_job(manifest):
                return name
        except ApiRefused as error:
            # An earlier request for this name, of which no answer came, may have been carried out:
            # admission refuses before it looks whether the name is taken.
            if await self._is_ours(name):
                return name
            raise LaunchRefused(str(error), _refusal(error)) from None
        job = await self._api.get_job(name)
        if job is None:
            raise Unavailable(f"Kubernetes API: Job {name} was deleted while it was being adopted")
        if self._ours(job):
            return name
        raise LaunchRefused(f"the name {name} is taken by a Job that is not of this installation", Reason.CONFIG)

    async def seen(self) -> list[Seen]:
        selector = f"{LABEL_INSTALLATION}={self._installation}"
        self._view.listing()
        # Jobs first: a Job that is over had its pod before, so that a pod missing from the second list is gone.
        jobs = await self._api.list_jobs(selector)
        pods = await self._api.list_pods(selector)
        self._view.listed(jobs, pods)
        keys = self._view.keys()
        self._disrupted = {key: evidence for key, evidence in self._disrupted.items() if key in keys}
        return await self.known(keys)

    def saw(self, kind: str, deleted: bool, thing: Mapping[str, Any]) -> None:
        """The watch has told of a Job or a pod of ours."""
        self._view.saw(kind, deleted, slim_pod(thing) if kind == POD else slim_job(thing))

    def changed(self) -> set[RunKey]:
        return self._view.take_changed()

    async def known(self, keys: Collection[RunKey]) -> list[Seen]:
        refused = await self._refusals.of([job["metadata"]["uid"] for job in self._view.podless()])
        seen = []
        for key in keys:
            job, pods = self._view.of(key)
            if job is not None:
                seen.append(self._with_memory(_see(job, pods, refused.get(job["metadata"]["uid"], ""))))
        return seen

    async def find(self, key: RunKey) -> Seen | None:
        selector = f"{LABEL_INSTALLATION}={self._installation},{LABEL_JOB}={key.job_id},{LABEL_EPOCH}={key.epoch}"
        if pods := await self._api.list_pods(selector):
            return _see_pods(key, job_name(key), pods, forgotten=False)
        job = await self._api.get_job(job_name(key))
        if job is not None and self._ours(job):
            return _see(job, [])
        # A Job may have made its pod, and been deleted, in between: the run is gone when both are.
        pods = await self._api.list_pods(selector)
        return _see_pods(key, job_name(key), pods, forgotten=False) if pods else None

    async def stop(self, key: RunKey, now: bool = False) -> None:
        await self._api.delete_job(job_name(key), grace_seconds=0 if now else None)

    async def forget(self, key: RunKey, keep: timedelta = KEEP) -> None:
        self._disrupted.pop(key, None)
        await self._api.set_job_ttl(job_name(key), int(keep.total_seconds()))

    async def close(self) -> None:
        await self._api.close()

    def _with_memory(self, seen: Seen) -> Seen:
        if DISRUPTED in seen.evidence.conditions and not seen.evidence.gone:
            self._disrupted[seen.key] = seen.evidence
        elif seen.evidence.gone and seen.key in self._disrupted:
            return replace(seen, evidence=replace(self._disrupted[seen.key], gone=True))
        return seen

    async def _is_ours(self, name: str) -> bool:
        job = await self._api.get_job(name)
        return job is not None and self._ours(job)

    def _ours(self, job: dict[str, Any]) -> bool:
        return bool(job["metadata"].get("labels", {}).get(LABEL_INSTALLATION) == str(self._installation))


def _refusal(error: ApiRefused) -> Reason:
    # A full quota is a 403 like a missing right.
    return Reason.QUOTA if error.status == 403 and exceeds_quota(str(error)) else Reason.CONFIG


def _see(job: dict[str, Any], pods: list[dict[str, Any]], refused: str = "") -> Seen:
    """One Job and its pods as one value; the Job controller may have made more pods than one.

    Args:
        refused: why it could make none, where Kubernetes has said so.
    """
    metadata = job["metadata"]
    key = key_of(job)
    assert key is not None
    forgotten = "ttlSecondsAfterFinished" in job["spec"]
    if pods:
        return _see_pods(key, metadata["name"], pods, forgotten)
    if is_over(job):
        return Seen(key, metadata["name"], Phase.ENDED, Evidence(gone=True, conditions=_disruption(job)), forgotten)
    if job["spec"].get("suspend"):
        # One that is never over: no time to live removes it.
        return Seen(key, metadata["name"], Phase.PENDING, SUSPENDED_JOB)
    word = ("Quota" if exceeds_quota(refused) else "Config") if refused else None
    return Seen(key, metadata["name"], Phase.PENDING, Evidence(seen_as=word, message=refused), forgotten)


def _disruption(job: dict[str, Any]) -> dict[str, str]:
    """What a Job without pods says of its pod's end: that it was disrupted, by the one rule of its failure policy."""
    conditions = job.get("status", {}).get("conditions") or ()
    return {DISRUPTED: ""} if any(one.get("reason") == "PodFailurePolicy" for one in conditions) else {}


def _see_pods(key: RunKey, name: str, pods: list[dict[str, Any]], forgotten: bool) -> Seen:
    """The pods of one Job, at least one, as one value."""
    live = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
    if live:
        # One on a lost node is told of only where it is all there is.
        newest = max([pod for pod in live if not _is_on_lost_node(pod)] or live, key=_creation)
        phase = Phase.RUNNING if newest["status"].get("phase") == "Running" else Phase.PENDING
        return Seen(key, name, phase, _evidence(newest), forgotten)
    # Of two pods, the one that found the run taken says the least.
    seen = [_evidence(pod) for pod in sorted(pods, key=_creation)]
    telling = [evidence for evidence in seen if evidence.exit_code != ExitCode.LOST_LEASE] or seen
    return Seen(key, name, Phase.ENDED, telling[-1], forgotten)


def _creation(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["creationTimestamp"])


def _evidence(pod: dict[str, Any]) -> Evidence:
    status = pod["status"]
    state: dict[str, Any] = {}
    for container in status.get("containerStatuses") or ():
        if container["name"] == CONTAINER:
            state = container.get("state") or {}
    terminated = state.get("terminated") or {}
    waiting = state.get("waiting") or {}
    conditions = {
        condition["type"]: condition.get("reason") or ""
        for condition in status.get("conditions") or ()
        if (condition["type"] == DISRUPTED and condition["status"] == "True")
        or (condition["type"] == "PodScheduled" and condition["status"] == "False")
    }
    return Evidence(
        exit_code=terminated.get("exitCode"),
        seen_as=_seen_as(status, terminated, waiting),
        message=terminated.get("message") or waiting.get("message") or status.get("message") or _no_room(status),
        conditions=conditions,
        container_started=bool(terminated.get("startedAt") or state.get("running")),
        deleted="deletionTimestamp" in pod["metadata"],
        node_lost=_is_on_lost_node(pod),
        pod_name=pod["metadata"]["name"],
        pod_uid=pod["metadata"]["uid"],
        node=pod["spec"].get("nodeName"),
        memory_limit=_memory_limit(pod),
        created_at=pod["metadata"]["creationTimestamp"],
        scheduled_at=_scheduled_at(status),
        started_at=terminated.get("startedAt"),
        finished_at=terminated.get("finishedAt"),
    )


def _is_on_lost_node(pod: dict[str, Any]) -> bool:
    """Whether the node controller has given up the pod's node, as the pod alone shows it.

    When a node is not ready any more, its pods' Ready condition is made False and nothing else is touched
    (MarkPodsNotReady in pkg/controller/util/node). A kubelet that says so gives a reason, and never says it while the
    containers are ready. A pod that was not ready yet shows nothing until it is deleted for the node's taint, which no
    kubelet carries out.
    """
    if pod["status"].get("phase") in ("Succeeded", "Failed"):
        return False
    conditions = {condition["type"]: condition for condition in pod["status"].get("conditions") or ()}
    ready, containers, disrupted = (conditions.get(kind, {}) for kind in ("Ready", "ContainersReady", DISRUPTED))
    given_up = ready.get("status") == "False" and not ready.get("reason") and containers.get("status") == "True"
    deleted = "deletionTimestamp" in pod["metadata"]
    return given_up or (deleted and disrupted.get("status") == "True" and disrupted.get("reason") == BY_TAINT)


def _scheduled_at(status: dict[str, Any]) -> str | None:
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "True":
            moment: str | None = condition.get("lastTransitionTime")
            return moment
    return None


def _no_room(status: dict[str, Any]) -> str:
    """The scheduler's own words, where no node takes the pod."""
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("message") or "")
    return ""


def _memory_limit(pod: dict[str, Any]) -> str | None:
    for container in pod["spec"]["containers"]:
        if container["name"] == CONTAINER:
            limit: str | None = container.get("resources", {}).get("limits", {}).get("memory")
            return limit
    return None


def _seen_as(status: dict[str, Any], terminated: dict[str, Any], waiting: dict[str, Any]) -> str | None:
    if waiting.get("reason") in _IMAGE_TROUBLE:
        return "ImagePull"
    if waiting.get("reason") in _CONFIG_TROUBLE:
        return "Config"
    if terminated.get("reason") in ("StartError", "ContainerCannotRun"):
        return "Config"
    if terminated.get("reason") == "OOMKilled":
        return "OOMKilled"
    return status.get("reason")
