"""A launcher without processes or a cluster: runs end when the test says so."""

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from controller.launchers.interface import Launch, ObservedRun, Phase
from controller.pools.spec import KEEP
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import Evidence


class FakeLauncher:
    """Launches into a dict.

    Args:
        name: under which it stands in for a real launcher.
    """

    def __init__(self, name: str = "kubernetes") -> None:
        self.name = name
        self.outlives_controller = name != "process"
        self.launches: list[RunKey] = []
        """Every launch that was not an adoption, in order."""
        self.stops: list[RunKey] = []
        """Every stop that was asked for, in order."""
        self._runs: dict[RunKey, ObservedRun] = {}
        self._told: set[RunKey] = set()
        """Of these it was told that they are gone."""

    async def launch(self, launch: Launch) -> str:
        if launch.key not in self._runs:
            self.launches.append(launch.key)
            self._runs[launch.key] = ObservedRun(launch.key, f"fake-{launch.key}", Phase.RUNNING, Evidence())
        return self._runs[launch.key].name

    async def list_all(self) -> list[ObservedRun]:
        return list(self._runs.values())

    def take_changed(self) -> set[RunKey]:
        return self._told | set(self._runs)

    async def get_cached(self, keys: Collection[RunKey]) -> list[ObservedRun]:
        return [seen for seen in await self.list_all() if seen.key in keys]

    async def get(self, key: RunKey) -> ObservedRun | None:
        return self._runs.get(key)

    async def get_many(self, keys: Collection[RunKey]) -> dict[RunKey, ObservedRun]:
        return {seen.key: seen for seen in await self.get_cached(keys)}

    async def stop(self, key: RunKey, now: bool = False) -> None:
        self.stops.append(key)
        run = self._runs.get(key)
        if run is None or run.phase is Phase.ENDED:
            return
        if run.evidence.node_lost:  # nobody is there who could end it
            self._runs[key] = replace(run, evidence=replace(run.evidence, deleted=True))
        else:
            self.end(key, Evidence(exit_code=137 if now else 143, container_started=True))

    async def release(self, key: RunKey, keep: timedelta = KEEP) -> None:
        if key in self._runs and self._runs[key].phase is Phase.ENDED:
            del self._runs[key]

    async def close(self) -> None:
        self._runs.clear()

    def pend(self, key: RunKey, evidence: Evidence) -> None:
        """The run's pod is there and does not start."""
        self._runs[key] = ObservedRun(key, f"fake-{key}", Phase.PENDING, evidence)

    def work(self, key: RunKey) -> None:
        """The run's container runs."""
        self._runs[key] = ObservedRun(key, f"fake-{key}", Phase.RUNNING, Evidence(container_started=True))

    def end(self, key: RunKey, evidence: Evidence) -> None:
        """The run's process or pod is over, and leaves this evidence."""
        self._runs[key] = ObservedRun(key, f"fake-{key}", Phase.ENDED, evidence)

    def lose_node(self, key: RunKey, phase: Phase = Phase.RUNNING, runner_uid: str | None = None) -> None:
        """The run's node is not heard of any more; its pod is listed as it was."""
        evidence = Evidence(container_started=phase is Phase.RUNNING, node_lost=True, node="node-7", pod_uid=runner_uid)
        self._runs[key] = ObservedRun(key, f"fake-{key}", phase, evidence)

    def lose(self, key: RunKey) -> None:
        """The run's Job is deleted under us."""
        self._runs.pop(key, None)
        self._told.add(key)


class Moody(FakeLauncher):
    """Fails on demand."""

    def __init__(self) -> None:
        super().__init__()
        self.launch_error: Exception | None = None
        self.carried_out_all_the_same = False
        self.seen_error: Exception | None = None
        self.asked: list[Launch] = []

    async def launch(self, launch: Launch) -> str:
        self.asked.append(launch)
        if self.launch_error is not None:
            if self.carried_out_all_the_same:
                await super().launch(launch)
            raise self.launch_error
        return await super().launch(launch)

    async def list_all(self) -> list[ObservedRun]:
        if self.seen_error is not None:
            raise self.seen_error
        return await super().list_all()
