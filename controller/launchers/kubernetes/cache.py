"""Our Jobs and pods as the watch and the lists last showed them: an informer cache.

It lags behind the cluster, and misses what the watch missed until the next list of everything. So it tells which runs
to look at, and that a run has ended, which stays true. Whether a run is gone, only the API server knows.
"""

from collections.abc import Iterable
from itertools import chain

from controller.launchers.kubernetes.objects import Job, Pod
from dataset_jobs.model.keys import RunKey


class ClusterView:
    """The objects of one installation, by run (an informer cache)."""

    def __init__(self) -> None:
        self._jobs: dict[RunKey, Job] = {}
        self._pods: dict[RunKey, dict[str, Pod]] = {}
        self._changed: set[RunKey] = set()
        self._podless: set[RunKey] = set()
        self._newer: set[str] = set()
        """UIDs of the watch's events since the current list began."""

    def on_event(self, thing: Job | Pod, deleted: bool) -> None:
        """Takes an event of the watch: a Job or a pod is new, changed or deleted."""
        key = thing.metadata.key
        if key is None:
            return
        self._newer.add(thing.metadata.uid)
        if deleted:
            self._remove(key, thing)
        else:
            self._keep(key, thing)
        self._changed.add(key)
        self._note_podless(key)

    def begin_list(self) -> None:
        """A list of everything begins; events from now on are newer than it."""
        self._newer.clear()
        self._changed.clear()

    def end_list(self, jobs: Iterable[Job], pods: Iterable[Pod]) -> None:
        """Takes the list of everything: a missing object is gone, unless an event of it came meanwhile."""
        known: Iterable[Job | Pod] = chain(self._jobs.values(), *(pods.values() for pods in self._pods.values()))
        newer = [thing for thing in known if thing.metadata.uid in self._newer]
        listed = (thing for thing in chain[Job | Pod](jobs, pods) if thing.metadata.uid not in self._newer)
        self._jobs, self._pods = {}, {}
        for thing in chain(listed, newer):
            key = thing.metadata.key
            if key is not None:
                self._keep(key, thing)
        self._podless = set()
        for key in self._jobs:
            self._note_podless(key)

    def take_changed(self) -> set[RunKey]:
        """The runs with events since the last call, and those whose Job has no pod."""
        changed, self._changed = self._changed | self._podless, set()
        return changed

    def of(self, key: RunKey) -> tuple[Job | None, list[Pod]]:
        """A run's Job, and its pods, no matter which Job made them."""
        return self._jobs.get(key), list(self._pods.get(key, {}).values())

    def podless(self) -> list[Job]:
        """The Jobs that should have a pod and have none."""
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
