"""What the watch and the lists have told of our Jobs and pods.

It lags behind the cluster and may miss what the watch missed, until the next list of everything puts it right. So it
says what is worth a look, and that something has ended; that something is gone is asked of the API server itself.
"""

from collections.abc import Iterable
from itertools import chain

from controller.launchers.kubernetes.objects import Job, Pod
from dataset_jobs.model.keys import RunKey


class ClusterView:
    """The objects of one installation, by run."""

    def __init__(self) -> None:
        self._jobs: dict[RunKey, Job] = {}
        self._pods: dict[RunKey, dict[str, Pod]] = {}
        self._changed: set[RunKey] = set()
        self._podless: set[RunKey] = set()
        self._told: set[str] = set()
        """UIDs that the watch has spoken of since the list that is under way was begun."""

    def saw(self, thing: Job | Pod, deleted: bool) -> None:
        """The watch has told of a Job or a pod."""
        key = thing.metadata.key
        if key is None:
            return
        self._told.add(thing.metadata.uid)
        if deleted:
            self._remove(key, thing)
        else:
            self._keep(key, thing)
        self._changed.add(key)
        self._note_podless(key)

    def listing(self) -> None:
        """A list of everything begins: what the watch says from now on is newer."""
        self._told.clear()
        self._changed.clear()

    def listed(self, jobs: Iterable[Job], pods: Iterable[Pod]) -> None:
        """The list of everything: what it does not have is gone, unless the watch has spoken of it meanwhile."""
        known: Iterable[Job | Pod] = chain(self._jobs.values(), *(pods.values() for pods in self._pods.values()))
        newer = [thing for thing in known if thing.metadata.uid in self._told]
        listed = (thing for thing in chain[Job | Pod](jobs, pods) if thing.metadata.uid not in self._told)
        self._jobs, self._pods = {}, {}
        for thing in chain(listed, newer):
            key = thing.metadata.key
            if key is not None:
                self._keep(key, thing)
        self._podless = set()
        for key in self._jobs:
            self._note_podless(key)

    def take_changed(self) -> set[RunKey]:
        """The runs that something was told of since this was asked last, and those whose Job has no pod."""
        changed, self._changed = self._changed | self._podless, set()
        return changed

    def of(self, key: RunKey) -> tuple[Job | None, list[Pod]]:
        """A run's Job, and its pods, whichever Job made them."""
        return self._jobs.get(key), list(self._pods.get(key, {}).values())

    def podless(self) -> list[Job]:
        """The Jobs that are to have a pod, and have none."""
        return [self._jobs[key] for key in self._podless]

    def keys(self) -> set[RunKey]:
        """The runs that have a Job."""
        return set(self._jobs)

    def _keep(self, key: RunKey, thing: Job | Pod) -> None:
        if isinstance(thing, Job):
            self._jobs[key] = thing
        else:
            self._pods.setdefault(key, {})[thing.metadata.uid] = thing

    def _remove(self, key: RunKey, thing: Job | Pod) -> None:
        uid = thing.metadata.uid
        if isinstance(thing, Job):
            if key in self._jobs and self._jobs[key].metadata.uid == uid:
                del self._jobs[key]
        elif key in self._pods:
            self._pods[key].pop(uid, None)
            if not self._pods[key]:
                del self._pods[key]

    def _note_podless(self, key: RunKey) -> None:
        job = self._jobs.get(key)
        if job is not None and not job.over and key not in self._pods and not job.spec.suspend:
            self._podless.add(key)
        else:
            self._podless.discard(key)
