"""From the evidence of a run's end to its cause."""

import signal as signals
from datetime import datetime, timedelta

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.outcome import ExitCode, Outcome
from dataset_jobs.model.settlement import Diagnosis, Evidence, SeenAs

# Reasons of a pod's DisruptionTarget condition:
# https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
_DISRUPTIONS = {
    "PreemptionByScheduler": (Cause.PREEMPTED, "the pod was preempted by one of higher priority"),
    "EvictionByEvictionAPI": (Cause.EVICTED, "the pod was evicted"),
    "DeletionByTaintManager": (Cause.NODE_LOST, "the pod's node was lost"),
    "DeletionByPodGC": (Cause.NODE_LOST, "the pod's node was lost"),
    "TerminationByKubelet": (Cause.NODE_SHUTDOWN, "the pod's node shut down"),
}

# This condition of the kubelet has several meanings; the pod's own reason tells which.
_BY_KUBELET: dict[str, tuple[Cause, str]] = {
    SeenAs.EVICTED: (Cause.EVICTED, "the pod's node ran short of resources"),
    SeenAs.PREEMPTING: (Cause.PREEMPTED, "the pod made room for a critical one on its node"),
}

_DECISIVE = {
    Cause.REJECTED,
    Cause.UNAVAILABLE,
    Cause.OUT_OF_MEMORY,
    Cause.FORBIDDEN,
    Cause.LOST_LEASE,
    Cause.CANNOT_START,
}
"""Causes that a runner knows better than anybody who saw its pod."""


_SAYS_ENOUGH = {
    ExitCode.OUT_OF_MEMORY: (Cause.OUT_OF_MEMORY, "the machine gave the runner too little memory"),
    ExitCode.UNAVAILABLE: (Cause.UNAVAILABLE, "database, storage or the runner's machine did not do what was asked"),
    ExitCode.FORBIDDEN: (Cause.FORBIDDEN, "database or storage refused the runner's login or right"),
    ExitCode.CONFIGURATION: (Cause.CANNOT_START, "a setting of the runner is wrong, or a package is missing"),
}
"""Exit codes that suffice without a message; a full disk may keep the runner from leaving one."""

_TOLD_TO_END = (128 + signals.SIGKILL, 128 + signals.SIGTERM)


def diagnose(  # noqa: C901 - a table of answers
    evidence: Evidence, outcome: Outcome | None, taken: bool = True, held_for: timedelta = timedelta.max
) -> Diagnosis:
    """Why a run that did not commit has ended.

    Args:
        evidence: of its process or pod.
        outcome: the runner's own word on its run, if it could write that; else its termination message counts.
        taken: whether a runner has taken the run. A runner does that first, before it reads any input.
        held_for: since the run was claimed, by the database's clock.
    """
    said = outcome or Outcome.from_message(evidence.message)
    if said is not None and said.cause in _DECISIVE:
        return Diagnosis(said.cause, said.reason, said.error or f"the runner said {said.cause}")
    disrupted = evidence.conditions.get("DisruptionTarget", "")
    if disrupted in _DISRUPTIONS:
        cause, error = _DISRUPTIONS[disrupted]
        if disrupted == "TerminationByKubelet":
            cause, error = _BY_KUBELET.get(evidence.seen_as or "", (cause, error))
        return Diagnosis(cause, None, _on_node(error, evidence))
    if evidence.node_lost:
        return Diagnosis(Cause.NODE_LOST, None, _on_node("the pod's node was lost", evidence))
    match evidence.seen_as:
        case SeenAs.OOM_KILLED:
            limit = f" ({evidence.memory_limit})" if evidence.memory_limit else ""
            return Diagnosis(Cause.OUT_OF_MEMORY, None, f"the runner was killed at its memory limit{limit}")
        case SeenAs.DEADLINE_EXCEEDED if timedelta(0) <= held_for < timedelta(seconds=evidence.deadline_seconds or 0):
            error = f"the pod was ended for its deadline of {evidence.deadline_seconds} s long before that"
            return Diagnosis(Cause.EVICTED, None, _on_node(f"{error}: its node's clock was changed", evidence))
        case SeenAs.DEADLINE_EXCEEDED if evidence.container_started:
            return Diagnosis(Cause.TIMED_OUT, None, "the runner was still at work at its deadline")
        case SeenAs.DEADLINE_EXCEEDED:
            return Diagnosis(Cause.CANNOT_START, None, "the pod's deadline passed before its container had started")
        case SeenAs.EVICTED:
            return Diagnosis(Cause.DISK_FULL, None, "the pod was over its ephemeral-storage limit")
        case SeenAs.NODE_SHUTDOWN | SeenAs.TERMINATED:
            return Diagnosis(Cause.NODE_SHUTDOWN, None, _on_node("the pod's node shut down", evidence))
        case SeenAs.NODE_LOST:
            return Diagnosis(Cause.NODE_LOST, None, _on_node("the pod's node was lost", evidence))
        case SeenAs.STOPPED:
            return Diagnosis(Cause.SHUT_DOWN, None, "the controller stopped the runner")
        case SeenAs.IMAGE_PULL:
            return Diagnosis(Cause.CANNOT_START, Reason.IMAGE, evidence.message or "the image cannot be pulled")
        case SeenAs.CONFIG:
            return Diagnosis(Cause.CANNOT_START, Reason.CONFIG, evidence.message or "the pod cannot be set up")
    if "DisruptionTarget" in evidence.conditions:
        return Diagnosis(Cause.EVICTED, None, "the pod was evicted, preempted, or lost with its node")
    if evidence.gone or (evidence.deleted and evidence.exit_code in (None, *_TOLD_TO_END)):
        return Diagnosis(Cause.VANISHED, None, _vanished(evidence, said))
    if said is not None and said.cause is Cause.SHUT_DOWN:
        return Diagnosis(Cause.SHUT_DOWN, None, said.error or "the runner was told to stop")
    if evidence.signal == signals.SIGTERM:
        return Diagnosis(Cause.SHUT_DOWN, None, "the runner was told to stop before it could say so")
    if said is None and not taken and _is_no_runner(evidence):
        return Diagnosis(
            Cause.CANNOT_START, Reason.IMAGE, f"the container took no run and left no word: {_how(evidence)}"
        )
    if evidence.exit_code == ExitCode.LOST_LEASE:
        return Diagnosis(Cause.LOST_LEASE, None, "the runner exited because its lease was lost")
    if evidence.exit_code == ExitCode.COMPLETED:
        return Diagnosis(Cause.LEFT_WITHOUT_COMMIT, None, "the runner exited with code 0, but has not committed")
    if evidence.pod_name and not evidence.container_started and evidence.exit_code is None:
        # A node that refuses a pod says why, such as OutOfcpu: it had no room after all.
        reason = Reason.UNSCHEDULABLE if evidence.seen_as else None
        said_of_pod = ": ".join(filter(None, (evidence.seen_as, evidence.message)))
        why = f": {said_of_pod}" if said_of_pod else ""
        return Diagnosis(Cause.CANNOT_START, reason, f"the pod failed before its runner had started{why}")
    if said is None and evidence.exit_code in _SAYS_ENOUGH:
        cause, error = _SAYS_ENOUGH[ExitCode(evidence.exit_code)]
        return Diagnosis(cause, None, error)
    return Diagnosis(Cause.CRASHED, None, (said.error if said is not None else "") or _crash(evidence))


def waits_for(evidence: Evidence) -> Diagnosis | None:
    """What keeps a pod from starting; None if nothing seems to.

    Args:
        evidence: of the pod, which has not started.
    """
    if "PodScheduled" in evidence.conditions:
        return Diagnosis(Cause.CANNOT_START, Reason.UNSCHEDULABLE, evidence.message or "no node has room for the pod")
    match evidence.seen_as:
        case SeenAs.IMAGE_PULL:
            return Diagnosis(Cause.CANNOT_START, Reason.IMAGE, evidence.message or "the image cannot be pulled")
        case SeenAs.CONFIG:
            return Diagnosis(Cause.CANNOT_START, Reason.CONFIG, evidence.message or "the pod cannot be set up")
        case SeenAs.QUOTA:
            return Diagnosis(Cause.CANNOT_START, Reason.QUOTA, evidence.message)
        case SeenAs.REFUSED:
            return Diagnosis(Cause.CANNOT_START, Reason.REFUSED, evidence.message)
    return None


def why_not_started(
    evidence: Evidence, age: timedelta, start_deadline: timedelta, room_deadline: timedelta
) -> Diagnosis | None:
    """Why a pod has not started, once it is time to give it up; None before.

    Args:
        evidence: of the pod.
        age: how long ago its run was launched.
        start_deadline: how long a pod may fail to start.
        room_deadline: how long a pod may wait that lacks only room in the cluster: a node may come.
    """
    waits = waits_for(evidence)
    if waits is not None and waits.reason is Reason.UNSCHEDULABLE:
        return None if age < room_deadline else waits
    # Time spent waiting for a node does not count. Both times are by the cluster's clock.
    if evidence.created_at is not None and evidence.scheduled_at is not None:
        waited = datetime.fromisoformat(evidence.scheduled_at) - datetime.fromisoformat(evidence.created_at)
        age -= max(waited, timedelta(0))
    if age < start_deadline:
        return None
    if waits is not None:
        return waits
    if evidence.pod_name is None:
        return Diagnosis(Cause.CANNOT_START, Reason.REFUSED, "Kubernetes has made no pod for the Job")
    late = f"the pod has not started in {start_deadline.total_seconds():.0f} s"
    return Diagnosis(Cause.CANNOT_START, None, f"{late}: {evidence.message}" if evidence.message else late)


def _on_node(error: str, evidence: Evidence) -> str:
    return f"{error} (node {evidence.node})" if evidence.node else error


def _vanished(evidence: Evidence, said: Outcome | None) -> str:
    what = "the run's pod was deleted" if evidence.deleted else "the run's process or pod is gone"
    return f"{what}; the runner's last word: {said.error}" if said and said.error else f"{what}, and left no word"


def _is_no_runner(evidence: Evidence) -> bool:
    """Whether a container without a word ended in a way that no parser-runner of this version does."""
    ours = {code for code in ExitCode if code not in (ExitCode.COMPLETED, ExitCode.USAGE)}
    return evidence.pod_name is not None and evidence.exit_code not in {None, *_TOLD_TO_END, *ours}


def _how(evidence: Evidence) -> str:
    if evidence.exit_code == ExitCode.USAGE:
        return "it does not know the arguments that this controller gives it (exit code 64)"
    return _crash(evidence).replace("the runner", "it", 1).replace("crashed", "ended", 1)


def _crash(evidence: Evidence) -> str:
    number = evidence.signal
    if number is None and evidence.exit_code is not None and 128 < evidence.exit_code <= 128 + max(signals.Signals):
        number = evidence.exit_code - 128
    if number is not None:
        try:
            return f"the runner was killed by signal {number} ({signals.Signals(number).name})"
        except ValueError:
            return f"the runner was killed by signal {number}"
    if evidence.exit_code is None:
        return "the runner ended, and neither exit code nor message is known"
    return f"the runner crashed with exit code {evidence.exit_code}"
