"""Jobs and pods as an API server of Kubernetes 1.34 shows them, the fields that nobody reads left out."""

from typing import Any
from uuid import UUID

from controller.pools.runner_pod import RunnerTemplate, job_manifest, job_name
from dataset_jobs.model.keys import RunKey

KEY = RunKey(UUID("0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91"), 3)
JOB_UID = "5b1b6f6e-2f0c-4a70-8f0f-51c2a3b0c001"
IMAGE = "registry.example/parser-runner:1"


def job(condition: str | None = None, **spec: Any) -> dict[str, Any]:
    """A Job; `condition` is Complete or Failed once it is over, and `spec` adds fields to its spec."""
    made = job_manifest(KEY, UUID(int=2), "default", UUID(int=3), RunnerTemplate(IMAGE))
    made["metadata"] |= {"uid": JOB_UID, "creationTimestamp": "2025-03-01T10:00:00Z"}
    made["spec"] |= spec
    made["status"] = {"ready": 0, "startTime": "2025-03-01T10:00:00Z"}
    if condition is not None:
        # Before the last condition comes one that says which it will be.
        first = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[condition]
        made["status"]["conditions"] = [
            {"type": kind, "status": "True", "reason": "BackoffLimitExceeded"} for kind in (first, condition)
        ]
    return made


def pod(
    phase: str,
    state: dict[str, Any] | None = None,
    conditions: dict[str, tuple[str, str]] | None = None,
    suffix: str = "x7k2p",
    created: str = "2025-03-01T10:00:01Z",
    **status: Any,
) -> dict[str, Any]:
    """A pod of that Job.

    Args:
        phase: Pending, Running, Succeeded or Failed.
        state: of its container; None where the kubelet has not reported one yet.
        conditions: by type, their status and reason.
        suffix, created: tell two pods of one Job apart.
        status: further fields of the status, such as reason and message.
    """
    name = f"{job_name(KEY)}-{suffix}"
    shown: dict[str, Any] = {
        "phase": phase,
        "qosClass": "Burstable",
        "conditions": [
            {"type": kind, "status": value, "reason": reason, "lastTransitionTime": created}
            for kind, (value, reason) in (conditions or {"PodScheduled": ("True", "")}).items()
        ],
    }
    if state is not None:
        shown["containerStatuses"] = [
            {"name": "istio-proxy", "image": "sidecar", "state": {"running": {"startedAt": created}}, "ready": True},
            {"name": "parser-runner", "image": IMAGE, "state": state, "lastState": {}, "ready": False},
        ]
    return {
        "metadata": {
            "name": name,
            "uid": f"pod-{suffix}",
            "creationTimestamp": created,
            "labels": job()["metadata"]["labels"],
            "ownerReferences": [{"kind": "Job", "name": job_name(KEY), "uid": JOB_UID, "controller": True}],
        },
        "spec": {"containers": [], "nodeName": "node-7"},
        "status": shown | status,
    }


def terminated(exit_code: int, reason: str = "Error", message: str | None = None) -> dict[str, Any]:
    """The state of a container that had started and is over."""
    state: dict[str, Any] = {
        "exitCode": exit_code,
        "reason": reason,
        "startedAt": "2025-03-01T10:00:05Z",
        "finishedAt": "2025-03-01T10:00:09Z",
        "containerID": "containerd://8f",
    }
    if message is not None:
        state["message"] = message
    return {"terminated": state}


def waiting(reason: str, message: str | None = None) -> dict[str, Any]:
    """The state of a container that has not started."""
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}
