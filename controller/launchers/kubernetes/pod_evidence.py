"""The evidence about a runner, from its pod as Kubernetes shows it.

Other containers may share the pod, such as a mesh's proxy. Only the runner's own container says how the run has ended.
A deadline or an eviction of the pod counts if it came before the runner's end. Another container counts if it kept the
runner from starting.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from controller.launchers.kubernetes.objects import Condition, ContainerState, Pod, Terminated
from dataset_jobs.model.settlement import Evidence, SeenAs

DISRUPTED = "DisruptionTarget"
"""The condition of a pod that is evicted, preempted or lost with its node; its reason tells which."""

BY_TAINT = "DeletionByTaintManager"
_IMAGE_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_CONFIG_TROUBLE = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}


def evidence_of(pod: Pod) -> Evidence:
    """The pod as evidence about its runner."""
    state = pod.state
    terminated = state.terminated
    seen_as, message = _word(pod, state)
    disrupted = _disruption(pod)
    scheduled = pod.condition("PodScheduled")
    conditions = {DISRUPTED: disrupted.reason} if disrupted else {}
    if scheduled and scheduled.status == "False":
        conditions["PodScheduled"] = scheduled.reason
    return Evidence(
        exit_code=terminated.exit_code if terminated else None,
        seen_as=seen_as,
        message=message,
        conditions=conditions,
        container_started=bool((terminated and terminated.started_at) or state.running),
        deleted=pod.metadata.deletion_timestamp is not None,
        node_lost=is_on_lost_node(pod),
        pod_name=pod.metadata.name,
        pod_uid=pod.metadata.uid,
        node=pod.spec.node_name,
        memory_limit=pod.memory_limit,
        created_at=pod.metadata.creation_timestamp,
        scheduled_at=scheduled.last_transition_time if scheduled and scheduled.status == "True" else None,
        started_at=terminated.started_at if terminated else None,
        finished_at=terminated.finished_at if terminated else None,
    )


def is_on_lost_node(pod: Pod) -> bool:
    """Whether the node controller has given up the pod's node; the pod alone shows it.

    When a node stops being ready, the node controller makes its pods' Ready condition False and touches nothing else
    (MarkPodsNotReady in pkg/controller/util/node). A kubelet gives a reason with that condition, and never sets it
    while the containers are ready. A pod that was not ready yet shows nothing until it is deleted for the node's taint;
    no kubelet carries that out.
    """
    if pod.over:
        return False
    ready = pod.condition("Ready")
    if ready and ready.status == "False" and not ready.reason:
        containers = pod.condition("ContainersReady")
        if containers and containers.status == "True":
            return True
    if pod.metadata.deletion_timestamp is None:
        return False
    disrupted = pod.condition(DISRUPTED)
    return disrupted is not None and disrupted.status == "True" and disrupted.reason == BY_TAINT


def _word(pod: Pod, state: ContainerState) -> tuple[str | None, str]:
    """Why the runner has ended or does not start: `seen_as` and `message` of its evidence."""
    terminated, waiting = state.terminated, state.waiting
    said = (terminated and terminated.message) or (waiting and waiting.message) or ""
    if terminated and terminated.reason in ("StartError", "ContainerCannotRun"):
        return SeenAs.CONFIG, said
    if terminated and terminated.reason == SeenAs.OOM_KILLED:
        return SeenAs.OOM_KILLED, said
    if terminated and _outlived(pod, terminated):
        return None, said
    if trouble := _trouble(state):
        return trouble, said
    if not terminated and not state.running:
        for word, message in _init_troubles(pod):
            return word, message
        said = said or pod.status.message or _no_room(pod) or _not_ready(pod)
    return pod.status.reason, said or pod.status.message


def _trouble(state: ContainerState) -> SeenAs | None:
    """Why a waiting container does not start; None if nothing is wrong."""
    waiting = state.waiting.reason if state.waiting else ""
    return SeenAs.IMAGE_PULL if waiting in _IMAGE_TROUBLE else SeenAs.CONFIG if waiting in _CONFIG_TROUBLE else None


def _init_troubles(pod: Pod) -> Iterator[tuple[SeenAs, str]]:
    """The init containers that keep the runner from starting: native sidecars, and those that run before it.

    Their termination messages are left out: they may hold a secret.
    """
    sidecars = _native_sidecars(pod)
    for one in pod.status.init_container_statuses:
        waiting, ended = one.state.waiting, one.state.terminated
        if waiting and (word := _trouble(one.state)):
            yield word, f"init container {one.name}: {waiting.message or waiting.reason}"
        elif one.name in sidecars:
            # In a pod that restarts nothing else the kubelet shows it as terminated, between two starts.
            if not pod.terminal and not one.started and (ended or one.restart_count):
                yield SeenAs.CONFIG, _failed(pod, one.name, "ends again and again", ended)
        elif ended and ended.exit_code and not pod.status.reason:
            yield SeenAs.CONFIG, _failed(pod, one.name, "failed", ended)


def _not_ready(pod: Pod) -> str:
    """Says which init container the runner waits for."""
    sidecars = _native_sidecars(pod)
    for one in pod.status.init_container_statuses:
        if one.state.running and not (one.name in sidecars and one.started):
            see = f"kubectl logs {pod.metadata.name} -c {one.name}"
            return f"the runner waits for the init container {one.name}: {see}"
    return ""


def _native_sidecars(pod: Pod) -> set[str]:
    return {one.name for one in pod.spec.init_containers if one.restart_policy == "Always"}


def _failed(pod: Pod, name: str, how: str, ended: Terminated | None) -> str:
    code = f" with exit code {ended.exit_code} ({ended.reason})" if ended else ""
    see = f"kubectl logs {pod.metadata.name} -c {name}"
    return f"init container {name} {how}{code}, so the runner does not start: {see}"


def _disruption(pod: Pod) -> Condition | None:
    """The disruption that may have ended the runner; not one that came when only other containers were alive."""
    condition = pod.condition(DISRUPTED)
    if condition is None or condition.status != "True":
        return None
    ended = pod.state.terminated
    # Without other containers the pod ended with its runner, whichever of the two clocks is fast.
    shared = len(pod.status.container_statuses) + len(pod.status.init_container_statuses) > 1
    return None if shared and ended and _is_before(ended.finished_at, condition.last_transition_time) else condition


def _outlived(pod: Pod, ended: Terminated) -> bool:
    """Whether the pod's own reason is not about its runner, which had ended before the other containers."""
    condition = pod.condition(DISRUPTED)
    if condition is not None and condition.status == "True":
        return _disruption(pod) is None
    if pod.status.reason != SeenAs.DEADLINE_EXCEEDED or pod.status.start_time is None:
        return False
    allowed = timedelta(seconds=pod.spec.active_deadline_seconds or 0)
    deadline = datetime.fromisoformat(pod.status.start_time) + allowed
    return _is_before(ended.finished_at, deadline.isoformat())


def _is_before(one: str | None, other: str | None) -> bool:
    """Whether `one` is certainly earlier than `other`; Kubernetes gives whole seconds."""
    return bool(one and other) and datetime.fromisoformat(one or "") < datetime.fromisoformat(other or "")


def _no_room(pod: Pod) -> str:
    """The scheduler's message if no node takes the pod."""
    scheduled = pod.condition("PodScheduled")
    return scheduled.message if scheduled and scheduled.status == "False" else ""
