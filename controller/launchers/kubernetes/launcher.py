"""Runs as Kubernetes Jobs: one Job, one pod, one run."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from uuid import UUID

from controller.launchers.interface import SUSPENDED, Launch, LaunchRefused, ObservedRun, Phase
from controller.launchers.kubernetes.api import ApiRefused, KubernetesApi
from controller.launchers.kubernetes.cache import ClusterView
from controller.launchers.kubernetes.failed_create import FailedCreateEvents, exceeds_quota
from controller.launchers.kubernetes.objects import Job, Pod
from controller.launchers.kubernetes.pod_evidence import DISRUPTED, evidence_of, is_on_lost_node
from controller.pools.runner_pod import (
    LABEL_INSTALLATION,
    LABEL_JOB,
    RunnerTemplate,
    job_manifest,
    job_name,
    with_memory,
)
from controller.pools.spec import KEEP
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.keys import RUN_SECRET, RunKey
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.settlement import Evidence, SeenAs
from dataset_jobs.version import told_to_runners

_log = logging.getLogger(__name__)

SUSPENDED_JOB = Evidence(message="the Job is suspended", conditions={"PodScheduled": SUSPENDED})
"""Like that of a pod that no node has room for: somebody, such as Kueue, decides when there is room."""


class KubernetesLauncher:
    """Launches runs as Jobs of one namespace.

    Args:
        api: of that namespace.
        installation: on every Job of ours; it never lists, adopts or deletes others.
        template: how to make runner pods if a launch does not say it.
    """

    name = "kubernetes"
    outlives_controller = True

    def __init__(
        self,
        api: KubernetesApi,
        installation: UUID,
        template: RunnerTemplate,
    ) -> None:
        self._api = api
        self._installation = installation
        self._template = template
        self._told = told_to_runners()
        self._refusals = FailedCreateEvents(api)
        self._view = ClusterView()
        self._disrupted: dict[RunKey, Evidence] = {}
        """Evidence of disrupted pods: they may be gone before anybody sees their end."""

    async def launch(self, launch: Launch) -> str:
        name = job_name(launch.key)
        template = with_memory(launch.template or self._template, launch.memory_doublings)
        told = {**self._told, RUN_SECRET: launch.secret}
        manifest = job_manifest(launch.key, launch.dataset_id, launch.pool, self._installation, template, told)
        try:
            if await self._api.create_job(manifest):
                return name
        except ApiRefused as error:
            # An earlier, unanswered request for this name may have taken effect: admission refuses before it looks
            # whether the name is taken.
            if await self._is_ours(name):
                return name
            raise LaunchRefused(str(error), _refusal(error)) from None
        job = await self._api.get_job(name)
        if job is None:
            raise Unavailable(f"Kubernetes API: Job {name} was deleted while it was being adopted")
        if self._ours(job):
            return name
        raise LaunchRefused(f"the name {name} is taken by a Job that is not of this installation", Reason.CONFIG)

    async def list_all(self) -> list[ObservedRun]:
        selector = f"{LABEL_INSTALLATION}={self._installation}"
        self._view.begin_list()
        # Jobs first: a Job that is over had its pod before, so that a pod missing from the second list is gone.
        jobs = await self._api.list_jobs(selector)
        pods = await self._api.list_pods(selector)
        self._view.end_list(jobs, pods)
        keys = self._view.keys()
        self._disrupted = {key: evidence for key, evidence in self._disrupted.items() if key in keys}
        return await self.get_cached(keys)

    def on_event(self, thing: Job | Pod, deleted: bool) -> None:
        """Takes an event of a Job or a pod."""
        if self._ours(thing):
            self._view.on_event(thing, deleted)

    def take_changed(self) -> set[RunKey]:
        return self._view.take_changed()

    async def get_cached(self, keys: Collection[RunKey]) -> list[ObservedRun]:
        refused = await self._refusals.of([job.metadata.uid for job in self._view.podless()])
        seen = []
        for key in keys:
            job, pods = self._view.of(key)
            if job is not None:
                seen.append(self._with_disruption(_see(key, job, pods, refused.get(job.metadata.uid, ""))))
        return seen

    async def get(self, key: RunKey) -> ObservedRun | None:
        return (await self.get_many({key})).get(key)

    async def get_many(self, keys: Collection[RunKey]) -> dict[RunKey, ObservedRun]:
        found = await self._with_pods(keys)
        for key in set(keys) - set(found):
            job = await self._api.get_job(job_name(key))
            if job is not None and self._ours(job):
                found[key] = _see(key, job, [])
        # A Job may have made its pod, and been deleted, in between: the run is gone when both are.
        missing = set(keys) - set(found)
        return found | await self._with_pods(missing)

    async def stop(self, key: RunKey, now: bool = False) -> None:
        await self._api.delete_job(job_name(key), grace_seconds=0 if now else None)

    async def release(self, key: RunKey, keep: timedelta = KEEP) -> None:
        self._disrupted.pop(key, None)
        await self._api.set_job_ttl(job_name(key), int(keep.total_seconds()))

    async def close(self) -> None:
        await self._api.close()

    async def _with_pods(self, keys: Collection[RunKey]) -> dict[RunKey, ObservedRun]:
        """Those of the runs that have a pod. For each request the API server reads all pods of the namespace."""
        if not keys:
            return {}
        jobs = ",".join(sorted({str(key.job_id) for key in keys}))
        pods: dict[RunKey, list[Pod]] = {}
        for pod in await self._api.list_pods(f"{LABEL_INSTALLATION}={self._installation},{LABEL_JOB} in ({jobs})"):
            if (key := pod.metadata.key) is not None and key in keys:
                pods.setdefault(key, []).append(pod)
        return {key: _see_pods(key, job_name(key), its_pods, released=False) for key, its_pods in pods.items()}

    def _with_disruption(self, seen: ObservedRun) -> ObservedRun:
        if DISRUPTED in seen.evidence.conditions and not seen.evidence.gone:
            self._disrupted[seen.key] = seen.evidence
        elif seen.evidence.gone and seen.key in self._disrupted:
            return replace(seen, evidence=replace(self._disrupted[seen.key], gone=True))
        return seen

    async def _is_ours(self, name: str) -> bool:
        job = await self._api.get_job(name)
        return job is not None and self._ours(job)

    def _ours(self, thing: Job | Pod) -> bool:
        return thing.metadata.labels.installation == str(self._installation)


def _refusal(error: ApiRefused) -> Reason:
    # A full quota is a 403 like a missing right.
    return Reason.QUOTA if error.status == 403 and exceeds_quota(str(error)) else Reason.REFUSED


def _see(key: RunKey, job: Job, pods: Sequence[Pod], refused: str = "") -> ObservedRun:
    """One Job and its pods as one value; the Job controller may have made more than one pod.

    Args:
        key: the run that the Job's labels name.
        job, pods: the Job, and its pods.
        refused: why Kubernetes could make no pod, if it said so.
    """
    name = job.metadata.name
    released = job.spec.ttl_seconds_after_finished is not None
    if pods:
        return _see_pods(key, name, pods, released)
    if job.over:
        return ObservedRun(key, name, Phase.ENDED, Evidence(gone=True, conditions=_disruption(job)), released)
    if job.spec.suspend:
        # It is never over, so no time to live removes it.
        return ObservedRun(key, name, Phase.PENDING, SUSPENDED_JOB)
    word = (SeenAs.QUOTA if exceeds_quota(refused) else SeenAs.REFUSED) if refused else None
    return ObservedRun(key, name, Phase.PENDING, Evidence(seen_as=word, message=refused), released)


def _disruption(job: Job) -> dict[str, str]:
    """Whether a Job without pods says that its pod was disrupted: the only rule of its failure policy."""
    return {DISRUPTED: ""} if any(one.reason == "PodFailurePolicy" for one in job.status.conditions) else {}


def _see_pods(key: RunKey, name: str, pods: Sequence[Pod], released: bool) -> ObservedRun:
    """The pods of one Job, at least one, as one value."""
    live = [pod for pod in pods if not pod.over]
    if live:
        # Ignore pods on a lost node unless there is no other.
        newest = max([pod for pod in live if not is_on_lost_node(pod)] or live, key=_creation)
        # A pod whose sidecar cannot start yet is Pending, whatever its runner does.
        running = newest.status.phase == "Running" or newest.state.running is not None
        phase = Phase.RUNNING if running else Phase.PENDING
        return ObservedRun(key, name, phase, evidence_of(newest), released)
    # A pod that found the run taken says less than any other.
    seen = [evidence_of(pod) for pod in sorted(pods, key=_creation)]
    telling = [evidence for evidence in seen if evidence.exit_code != ExitCode.LOST_LEASE] or seen
    left_running = tuple(chain.from_iterable(pod.left_running for pod in pods))
    return ObservedRun(key, name, Phase.ENDED, replace(telling[-1], left_running=left_running), released)


def _creation(pod: Pod) -> str:
    return pod.metadata.creation_timestamp
