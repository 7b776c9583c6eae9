"""Jobs and pods as Kubernetes shows them, with only the fields that this program reads.

It reads thousands of them every minute: JSON becomes these values without an object for every unused field.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec

from controller.pools.runner_pod import CONTAINER, LABEL_EPOCH, LABEL_INSTALLATION, LABEL_JOB
from dataset_jobs.model.keys import RunKey


class _Part(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Other fields are ignored."""


class Labels(_Part, frozen=True):
    """Our labels; empty if somebody else made the object."""

    installation: str = msgspec.field(default="", name=LABEL_INSTALLATION)
    job_id: str = msgspec.field(default="", name=LABEL_JOB)
    epoch: str = msgspec.field(default="", name=LABEL_EPOCH)


class Metadata(_Part, frozen=True):
    """Of a Job or a pod. Times are in RFC 3339."""

    name: str
    uid: str
    creation_timestamp: str = ""
    deletion_timestamp: str | None = None
    labels: Labels = Labels()

    @property
    def key(self) -> RunKey | None:
        """The run that the labels name. None if the object has our installation label but no run labels."""
        with suppress(ValueError):
            return RunKey(UUID(self.labels.job_id), int(self.labels.epoch))
        return None


class Condition(_Part, frozen=True):
    """Of a Job or a pod."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition_time: str | None = None


class JobSpec(_Part, frozen=True):
    """The fields that change after a Job was created."""

    ttl_seconds_after_finished: int | None = None
    suspend: bool = False


class JobStatus(_Part, frozen=True):
    """Of a Job."""

    conditions: tuple[Condition, ...] = ()


class Job(_Part, frozen=True):
    """A Job."""

    metadata: Metadata
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    @property
    def over(self) -> bool:
        """Whether it is Complete or Failed."""
        return any(one.type in ("Complete", "Failed") and one.status == "True" for one in self.status.conditions)


class Limits(_Part, frozen=True):
    """Of a container's resources."""

    memory: str | None = None


class Resources(_Part, frozen=True):
    """Of a container."""

    limits: Limits = Limits()


class Container(_Part, frozen=True):
    """Of a pod's spec."""

    name: str
    resources: Resources = Resources()


class InitContainer(_Part, frozen=True):
    """Of a pod's spec. `restart_policy` is Always for a native sidecar, which lives as long as the runner does."""

    name: str
    restart_policy: str = ""


class PodSpec(_Part, frozen=True):
    """Of a pod."""

    node_name: str | None = None
    active_deadline_seconds: int | None = None
    containers: tuple[Container, ...] = ()
    init_containers: tuple[InitContainer, ...] = ()


class Waiting(_Part, frozen=True):
    """A container that has not started."""

    reason: str = ""
    message: str = ""


class Running(_Part, frozen=True):
    """A container that has started."""

    started_at: str | None = None


class Terminated(_Part, frozen=True):
    """A container that has ended, or will never start."""

    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(_Part, frozen=True):
    """One of the three, or none before the kubelet has reported."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(_Part, frozen=True):
    """Of a pod's status."""

    name: str
    state: ContainerState = ContainerState()
    started: bool | None = None
    restart_count: int = 0


class PodStatus(_Part, frozen=True):
    """Of a pod."""

    phase: str = ""
    reason: str | None = None
    message: str = ""
    start_time: str | None = None
    conditions: tuple[Condition, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(_Part, frozen=True):
    """A pod: the runner's container, and any that others injected."""

    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def terminal(self) -> bool:
        """Whether all of its containers have ended for good, or will never start."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def over(self) -> bool:
        """Whether its runner has ended for good, or will never start. An injected container may live on.

        The kubelet never restarts an ended container, because the pod's restartPolicy is Never. (If somebody deletes
        its remains on the node, it does; that runner finds its run ended, and commits nothing.)
        """
        return self.terminal or self.state.terminated is not None

    @property
    def left_running(self) -> tuple[str, ...]:
        """The containers that keep the pod from ending although its runner is over, and that nobody has told to end.

        This leaves out native sidecars: the kubelet ends them after the last ordinary container.
        """
        if not self.over or self.terminal or self.metadata.deletion_timestamp is not None:
            return ()
        statuses = self.status.container_statuses
        return tuple(one.name for one in statuses if one.name != CONTAINER and one.state.terminated is None)

    @property
    def state(self) -> ContainerState:
        """Of the runner's container."""
        return next((one.state for one in self.status.container_statuses if one.name == CONTAINER), ContainerState())

    @property
    def memory_limit(self) -> str | None:
        """Of the runner's container, as Kubernetes writes quantities."""
        return next((one.resources.limits.memory for one in self.spec.containers if one.name == CONTAINER), None)

    def condition(self, kind: str) -> Condition | None:
        """Its condition of this type."""
        for one in self.status.conditions:
            if one.type == kind:
                return one
        return None


def job_of(shown: Mapping[str, Any]) -> Job:
    """A Job from parsed JSON."""
    return msgspec.convert(shown, Job)


def pod_of(shown: Mapping[str, Any]) -> Pod:
    """A pod from parsed JSON."""
    return msgspec.convert(shown, Pod)
