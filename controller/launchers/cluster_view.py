"""What the watch and the lists have told of our Jobs and pods: as much of each as is ever looked at.

It lags behind the cluster and may miss what the watch missed, until the next list of everything puts it right. So it
says what is worth a look, and that something has ended; that something is gone is asked of the API server itself.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from controller.policy.job_manifest import CONTAINER, LABEL_EPOCH, LABEL_INSTALLATION, LABEL_JOB
from dataset_jobs.model.keys import RunKey

JOB, POD = "Job", "Pod"

_LABELS = (LABEL_INSTALLATION, LABEL_JOB, LABEL_EPOCH)
_METADATA = ("name", "uid", "creationTimestamp", "deletionTimestamp")
_POD_STATUS = ("phase", "reason", "message", "conditions")


class ClusterView:
    """The objects of one installation, by run."""

    def __init__(self) -> None:
        self._jobs: dict[RunKey, dict[str, Any]] = {}
        self._pods: dict[RunKey, dict[str, dict[str, Any]]] = {}
        self._changed: set[RunKey] = set()
        self._podless: set[RunKey] = set()
        self._told: dict[str, set[str]] = {JOB: set(), POD: set()}
        """UIDs that the watch has spoken of since the list that is under way was begun."""

    def saw(self, kind: str, deleted: bool, thing: Mapping[str, Any]) -> None:
        """The watch has told of a Job or a pod, as `slim_job` and `slim_pod` leave it."""
        key = key_of(thing)
        if key is None:
            return
        self._told[kind].add(thing["metadata"]["uid"])
        if deleted:
            self._remove(kind, key, thing["metadata"]["uid"])
        else:
            self._keep(kind, key, dict(thing))
        self._changed.add(key)
        self._note_podless(key)

    def listing(self) -> None:
        """A list of everything begins: what the watch says from now on is newer."""
        for told in self._told.values():
            told.clear()
        self._changed.clear()

    def listed(self, jobs: Iterable[dict[str, Any]], pods: Iterable[dict[str, Any]]) -> None:
        """The list of everything: what it does not have is gone, unless the watch has spoken of it meanwhile."""
        for kind, things in ((JOB, jobs), (POD, pods)):
            told = self._told[kind]
            for key, uid in [(key, uid) for key, uid in self._all(kind) if uid not in told]:
                self._remove(kind, key, uid)
            for thing in things:
                its_key = key_of(thing)
                if its_key is not None and thing["metadata"]["uid"] not in told:
                    self._keep(kind, its_key, thing)
        self._podless = set()
        for key in self._jobs:
            self._note_podless(key)

    def take_changed(self) -> set[RunKey]:
        """The runs that something was told of since this was asked last, and those whose Job has no pod."""
        changed, self._changed = self._changed | self._podless, set()
        return changed

    def of(self, key: RunKey) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """A run's Job, and its pods, whichever Job made them."""
        return self._jobs.get(key), list(self._pods.get(key, {}).values())

    def podless(self) -> list[dict[str, Any]]:
        """The Jobs that are to have a pod, and have none."""
        return [self._jobs[key] for key in self._podless]

    def keys(self) -> set[RunKey]:
        """The runs that have a Job."""
        return set(self._jobs)

    def _all(self, kind: str) -> list[tuple[RunKey, str]]:
        if kind == JOB:
            return [(key, job["metadata"]["uid"]) for key, job in self._jobs.items()]
        return [(key, uid) for key, pods in self._pods.items() for uid in pods]

    def _keep(self, kind: str, key: RunKey, thing: dict[str, Any]) -> None:
        if kind == JOB:
            self._jobs[key] = thing
        else:
            self._pods.setdefault(key, {})[thing["metadata"]["uid"]] = thing

    def _remove(self, kind: str, key: RunKey, uid: str) -> None:
        if kind == JOB:
            if key in self._jobs and self._jobs[key]["metadata"]["uid"] == uid:
                del self._jobs[key]
        elif key in self._pods:
            self._pods[key].pop(uid, None)
            if not self._pods[key]:
                del self._pods[key]

    def _note_podless(self, key: RunKey) -> None:
        job = self._jobs.get(key)
        if job is not None and not is_over(job) and key not in self._pods and not job["spec"].get("suspend"):
            self._podless.add(key)
        else:
            self._podless.discard(key)


def key_of(job_or_pod: Mapping[str, Any]) -> RunKey | None:
    """The run that its labels name; None for what somebody made with our installation's label, but without a run's."""
    labels = job_or_pod["metadata"].get("labels", {})
    with suppress(KeyError, ValueError):
        return RunKey(UUID(labels[LABEL_JOB]), int(labels[LABEL_EPOCH]))
    return None


def is_over(job: Mapping[str, Any]) -> bool:
    """Whether a Job is Complete or Failed."""
    return any(
        condition["type"] in ("Complete", "Failed") and condition["status"] == "True"
        for condition in job.get("status", {}).get("conditions") or ()
    )


def slim_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """What of a Job is ever looked at: a sixth of it."""
    return {
        "metadata": _slim_metadata(job),
        "spec": _only(job.get("spec", {}), ("ttlSecondsAfterFinished", "suspend")),
        "status": _only(job.get("status", {}), ("conditions",)),
    }


def slim_pod(pod: Mapping[str, Any]) -> dict[str, Any]:
    """What of a pod is ever looked at."""
    status = pod.get("status", {})
    spec = pod.get("spec", {})
    return {
        "metadata": _slim_metadata(pod),
        "spec": _only(spec, ("nodeName",))
        | {"containers": [_only(one, ("name", "resources")) for one in spec.get("containers", ()) if _is_ours(one)]},
        "status": _only(status, _POD_STATUS)
        | {
            "containerStatuses": [
                _only(one, ("name", "state")) for one in status.get("containerStatuses") or () if _is_ours(one)
            ]
        },
    }


def _is_ours(container: Mapping[str, Any]) -> bool:
    return bool(container["name"] == CONTAINER)


def _slim_metadata(thing: Mapping[str, Any]) -> dict[str, Any]:
    metadata = thing["metadata"]
    return _only(metadata, _METADATA) | {"labels": _only(metadata.get("labels") or {}, _LABELS)}


def _only(mapping: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: mapping[name] for name in names if name in mapping}
