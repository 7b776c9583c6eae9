"""A cluster without nodes: Jobs and pods as the Kubernetes API shows them, and as the real launcher asks for them.

It stands below `controller.launchers.kubernetes.launcher`, at `KubernetesApi`: the launcher's own code is under test.
What happens to pods is for the test to say; what follows from that for Jobs is done here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from controller.launchers.kubernetes.api import ApiRefused, KubernetesApi
from controller.launchers.kubernetes.objects import Job, Pod, job_of, pod_of
from controller.pools.runner_pod import CONTAINER, LABEL_EPOCH, LABEL_JOB
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.keys import RUN_SECRET, RunKey


@dataclass(eq=False, slots=True)
class FakePod:
    """A pod. `state` is its container's, as the kubelet reports it."""

    job: "FakeJob"
    uid: str
    created: datetime
    node: str | None = None
    phase: str = "Pending"
    state: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, tuple[str, str]] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    scheduled: datetime | None = None
    deleting: bool = False
    gone: bool = False
    lost: bool = False
    """Its node is not heard of: what becomes of its container is not known, and it does not hear that it is to end."""
    was_lost: bool = False
    sidecar: bool = False
    """A container was injected into it that ends only with the whole pod."""

    @property
    def key(self) -> RunKey:
        """The run that it is to run."""
        return self.job.key

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return f"{self.job.name}-{self.uid[:5]}"

    @property
    def live(self) -> bool:
        """True from its creation until its runner is over for good, or nobody knows of it any more."""
        return self.phase in ("Pending", "Running") and not self.gone and "terminated" not in self.state

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        scheduled = {"PodScheduled": ("True", "")} if self.scheduled else {}
        changed = (self.scheduled or self.created).isoformat()
        containers = [{"name": CONTAINER, "state": self.state}] if self.state else []
        if self.state and self.sidecar:
            state = {"running": {"startedAt": changed}} if self.phase == "Running" else {"waiting": {}}
            containers.append({"name": "sidecar", "state": state})
        metadata = {
            "name": self.name,
            "uid": self.uid,
            "creationTimestamp": self.created.isoformat(),
            "labels": self.job.manifest["metadata"]["labels"],
            "ownerReferences": [{"kind": "Job", "name": self.job.name, "uid": self.job.uid}],
        }
        return {
            "metadata": metadata | ({"deletionTimestamp": changed} if self.deleting else {}),
            "spec": self.job.manifest["spec"]["template"]["spec"] | ({"nodeName": self.node} if self.node else {}),
            "status": {
                "phase": self.phase,
                "conditions": [
                    {"type": kind, "status": value, "reason": reason, "lastTransitionTime": changed}
                    for kind, (value, reason) in {**scheduled, **self.conditions}.items()
                ],
                "containerStatuses": containers,
                **self.status,
            },
        }


@dataclass(eq=False, slots=True)
class FakeJob:
    """A Job. `over` is Complete or Failed once its pod has ended."""

    manifest: dict[str, Any]
    uid: str
    pods: list[FakePod] = field(default_factory=list)
    over: str | None = None
    disrupted: bool = False
    over_since: datetime | None = None
    ttl: timedelta | None = None

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return str(self.manifest["metadata"]["name"])

    @property
    def key(self) -> RunKey:
        """The run that it stands for."""
        labels = self.manifest["metadata"]["labels"]
        return RunKey(UUID(labels[LABEL_JOB]), int(labels[LABEL_EPOCH]))

    @property
    def secret(self) -> str:
        """The secret of its run, as its container has it."""
        [container] = self.manifest["spec"]["template"]["spec"]["containers"]
        return next((str(one["value"]) for one in container["env"] if one["name"] == RUN_SECRET), "")

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        reason = "PodFailurePolicy" if self.disrupted else "BackoffLimitExceeded"
        conditions = [{"type": self.over, "status": "True", "reason": reason}] if self.over else []
        spec = {"ttlSecondsAfterFinished": int(self.ttl.total_seconds())} if self.ttl is not None else {}
        return {
            "metadata": {**self.manifest["metadata"], "uid": self.uid},
            "spec": {**self.manifest["spec"], **spec},
            "status": {"conditions": conditions},
        }


class FakeCluster:
    """The API server, the Job controller and a bit of the kubelets.

    Args:
        now: what time it is.
        on_pod: told of every new pod.
        on_stop: told of every live pod that is to end; `now` where its object is gone already.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        on_pod: Callable[[FakePod], None] = lambda pod: None,
        on_stop: Callable[[FakePod, bool], None] = lambda pod, now: None,
    ) -> None:
        self.now = now
        self.on_pod = on_pod
        self.on_stop = on_stop
        self.jobs: dict[str, FakeJob] = {}
        self.pods: dict[str, FakePod] = {}
        self.created = 0
        """Jobs that were made in all."""
        self.refusal: Callable[[RunKey], ApiRefused | None] = lambda key: None
        """Whether admission refuses a Job."""
        self.lateness: Callable[[RunKey], timedelta | None] = lambda key: None
        """How much later than its answer, which does not come, a Job is made; None: at once, and it is answered."""
        self.list_fails: Callable[[], bool] = lambda: False
        """Whether a list gets no answer."""
        self._late: list[tuple[datetime, Mapping[str, Any]]] = []

    @property
    def api(self) -> KubernetesApi:
        """What the launcher is given."""
        return cast("KubernetesApi", self)

    # --- the API, as KubernetesApi has it ------------------------------------------------------------------------

    async def create_job(self, manifest: Mapping[str, Any]) -> bool:
        """See KubernetesApi."""
        key = FakeJob(dict(manifest), "").key
        if (refusal := self.refusal(key)) is not None:
            raise refusal
        if manifest["metadata"]["name"] in self.jobs:
            return False
        if (late := self.lateness(key)) is not None:
            self._late.append((self.now() + late, manifest))
            raise Unavailable("Kubernetes API: 504: no answer in time")
        self._create(manifest)
        return True

    async def get_job(self, name: str) -> Job | None:
        """See KubernetesApi."""
        job = self.jobs.get(name)
        return None if job is None else job_of(job.shown())

    async def list_jobs(self, selector: str) -> list[Job]:
        """See KubernetesApi."""
        self._answer()
        return [job_of(job.shown()) for job in self.jobs.values() if _matches(selector, job)]

    async def list_pods(self, selector: str) -> list[Pod]:
        """See KubernetesApi."""
        self._answer()
        return [pod_of(pod.shown()) for pod in self.pods.values() if _matches(selector, pod.job)]

    async def list_events(self, kind: str, reason: str) -> list[dict[str, Any]]:
        """See KubernetesApi: nothing is ever said."""
        self._answer()
        return []

    async def set_job_ttl(self, name: str, seconds: int) -> None:
        """See KubernetesApi."""
        if name in self.jobs:
            self.jobs[name].ttl = timedelta(seconds=seconds)

    async def delete_job(self, name: str, grace_seconds: int | None = None) -> None:
        """See KubernetesApi: the Job goes at once, its pods when they have ended, or at once without grace."""
        self.delete(name, force=grace_seconds == 0)

    async def close(self) -> None:
        """See KubernetesApi."""

    # --- what happens to it --------------------------------------------------------------------------------------

    def delete(self, name: str, force: bool = False) -> None:
        """A Job is deleted, by anybody."""
        job = self.jobs.pop(name, None)
        for pod in list(job.pods) if job is not None else ():
            pod.deleting = True
            if not pod.live:
                self._remove(pod)
            elif force or not pod.state:
                self._remove(pod)
                self.on_stop(pod, True)
            else:
                self.on_stop(pod, False)

    def twin(self, job: FakeJob) -> FakePod | None:
        """The Job controller makes one pod more than it should, as it may while none of them has ended."""
        if job.over or not all(pod.live for pod in job.pods) or self.jobs.get(job.name) is not job:
            return None
        return self._add_pod(job)

    def schedule(self, pod: FakePod, node: str) -> None:
        """A node has room for it."""
        pod.node, pod.scheduled = node, self.now()
        pod.conditions.pop("PodScheduled", None)
        pod.state = {"waiting": {"reason": "ContainerCreating"}}

    def cannot_be_scheduled(self, pod: FakePod) -> None:
        """No node has room for it."""
        pod.conditions["PodScheduled"] = ("False", "Unschedulable")

    def waits(self, pod: FakePod, reason: str) -> None:
        """Its container cannot start, such as for ErrImagePull."""
        pod.state = {"waiting": {"reason": reason, "message": f"{reason}: made up"}}

    def start(self, pod: FakePod) -> None:
        """Its container runs."""
        pod.phase = "Running"
        pod.state = {"running": {"startedAt": self.now().isoformat()}}

    def disrupt(self, pod: FakePod, reason: str) -> None:
        """Its eviction, preemption or the like is announced: the condition comes first, its end by `end`."""
        pod.conditions["DisruptionTarget"] = ("True", reason)

    def end(
        self,
        pod: FakePod,
        exit_code: int,
        message: str = "",
        container_reason: str | None = None,
        pod_reason: str | None = None,
    ) -> None:
        """Its runner is over; a sidecar goes on, unless it is the pod that has ended."""
        if not pod.live:
            return
        moment = self.now().isoformat()
        started = pod.state.get("running", {}).get("startedAt")
        terminated = {
            "exitCode": exit_code,
            "reason": container_reason or ("Completed" if exit_code == 0 else "Error"),
            "finishedAt": moment,
            **({"startedAt": started} if started else {}),
            **({"message": message} if message else {}),
        }
        pod.state = {"terminated": terminated}
        pod.sidecar = pod.sidecar and pod_reason is None
        if pod.sidecar and not pod.deleting:
            return
        pod.phase = "Succeeded" if exit_code == 0 else "Failed"
        if pod_reason:
            pod.status["reason"] = pod_reason
        self._job_is_over(pod.job, "Complete" if exit_code == 0 else "Failed", pod)
        if pod.deleting:
            self._remove(pod)

    def lose(self, pod: FakePod) -> None:
        """Its object is removed by force; its process may go on for all that the cluster knows."""
        self._job_is_over(pod.job, "Failed", pod)
        self._remove(pod)

    def lose_node(self, pod: FakePod) -> None:
        """Its node is not heard of any more, and the node controller says so."""
        pod.lost = pod.was_lost = True
        pod.conditions |= {"Ready": ("False", ""), "ContainersReady": ("True", "")}

    def node_is_back(self, pod: FakePod) -> None:
        """Its node is heard of again."""
        pod.lost = False
        for kind in ("Ready", "ContainersReady"):
            pod.conditions.pop(kind, None)

    def advance(self) -> None:
        """Time has gone on: makes late Jobs, and removes those that are long over."""
        due = [manifest for moment, manifest in self._late if moment <= self.now()]
        self._late = [(moment, manifest) for moment, manifest in self._late if moment > self.now()]
        for manifest in due:
            if manifest["metadata"]["name"] not in self.jobs:
                self._create(manifest)
        for job in list(self.jobs.values()):
            if job.ttl is not None and job.over_since is not None and job.over_since + job.ttl <= self.now():
                self.delete(job.name)

    def live_pods(self) -> list[FakePod]:
        """The pods that may be at work."""
        return [pod for pod in self.pods.values() if pod.live]

    def left_pods(self) -> list[FakePod]:
        """The pods whose runner is over, and that do not end by themselves."""
        return [pod for pod in self.pods.values() if pod.sidecar and "terminated" in pod.state]

    # -------------------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        if self.list_fails():
            raise Unavailable("Kubernetes API: 500: made up")

    def _create(self, manifest: Mapping[str, Any]) -> None:
        job = FakeJob(dict(manifest), uuid4().hex)
        self.jobs[job.name] = job
        self.created += 1
        self._add_pod(job)

    def _add_pod(self, job: FakeJob) -> FakePod:
        pod = FakePod(job, uuid4().hex, self.now())
        job.pods.append(pod)
        self.pods[pod.uid] = pod
        self.on_pod(pod)
        return pod

    def _job_is_over(self, job: FakeJob, how: str, pod: FakePod) -> None:
        if job.over is None:
            job.over, job.over_since = how, self.now()
            job.disrupted = how == "Failed" and "DisruptionTarget" in pod.conditions

    def _remove(self, pod: FakePod) -> None:
        pod.gone = True
        self.pods.pop(pod.uid, None)
        if pod in pod.job.pods:
            pod.job.pods.remove(pod)


def _matches(selector: str, job: FakeJob) -> bool:
    labels = job.manifest["metadata"]["labels"]
    parts = re.findall(r"([^=, ]+)(?:=([^,]*)| in \(([^)]*)\))", selector)
    return all(labels.get(name) in (one_of.split(",") if one_of else [value]) for name, value, one_of in parts)
