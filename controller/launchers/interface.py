"""What every launcher does: `kubernetes`, or `process` on a single machine."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Protocol
from uuid import UUID

from controller.pools.runner_pod import RunnerTemplate
from controller.pools.spec import KEEP
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import Permanent, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import Evidence

SUSPENDED = "Suspended"
"""Why no pod is scheduled: somebody has suspended the Job, so there is none yet."""


class Phase(Enum):
    """How far a launched run is."""

    PENDING = "pending"
    """Accepted, and its runner has not started yet."""
    RUNNING = "running"
    ENDED = "ended"
    """Its runner has ended for good. Other containers of its pod may live on."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a launcher is asked to run.

    Args:
        memory_doublings: how often to double the memory of the pool's template, if the launcher limits memory.
        pool: the run's pool.
        template: how to make pods of that pool; None: as the launcher does by default.
        secret: by which the runner proves that the run is its own.
    """

    key: RunKey
    dataset_id: UUID
    job_type: str
    attempt: int
    memory_doublings: int = 0
    pool: str = "default"
    template: RunnerTemplate | None = None
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """A run as its launcher sees it. `name` is the launcher's own name for it."""

    key: RunKey
    name: str
    phase: Phase
    evidence: Evidence
    released: bool = False
    """`release` was called for it."""


class ClusterRefused(Permanent):
    """The cluster refuses a request of the launcher: to list runs, for example, because a right is missing."""

    cause = Cause.CANNOT_START


class ClusterSilent(Unavailable):
    """The cluster gives no answer, or one that proves nothing."""


class LaunchRefused(Permanent):
    """The launcher definitely has not launched the run, and says why."""

    cause = Cause.CANNOT_START

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message, reason)


class Launcher(Protocol):
    """Launches runs, and reports what became of them.

    Every method raises `Unavailable` if it cannot know: no answer never means "none".
    """

    name: str
    """As the database has it on each run: `kubernetes` or `process`."""

    outlives_controller: bool
    """Whether a run goes on when its controller ends, so that any other controller may launch, stop or settle it.

    If not, its runs are children of the one controller that launched them.
    """

    async def launch(self, launch: Launch) -> str:
        """Launches a run under a name that follows from its key, and returns the name.

        It adopts a run that was launched before, and launches no second one.

        Raises:
            LaunchRefused: it definitely has not launched the run.
            Unavailable: it may have launched it; ask again.
        """

    async def list_all(self) -> list[ObservedRun]:
        """Every run of this installation that the launcher knows of; ended ones until they are released."""

    def take_changed(self) -> set[RunKey]:
        """The runs that may have changed since the last call, or since `list_all`. Some changes may be missing."""

    async def get_cached(self, keys: Collection[RunKey]) -> list[ObservedRun]:
        """The cached state of these runs; cheap, possibly stale."""

    async def get(self, key: RunKey) -> ObservedRun | None:
        """One run, by name, from the authoritative source; None: there definitely is none."""

    async def get_many(self, keys: Collection[RunKey]) -> dict[RunKey, ObservedRun]:
        """Those of these runs that `get` finds, from the same source; costs little more than one."""

    async def stop(self, key: RunKey, now: bool = False) -> None:
        """Asks a run to end. `now` gives it no time to tidy up. Does nothing if the run is over or gone."""

    async def release(self, key: RunKey, keep: timedelta = KEEP) -> None:
        """The run is settled and its evidence stored: from now on the launcher may remove what is left of it.

        Args:
            keep: how long people can still look at it.
        """

    async def close(self) -> None:
        """Closes connections and helpers. Runs go on if they outlive the controller."""
