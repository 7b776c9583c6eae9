"""Where runs run. One small interface; `kubernetes` is the real one, `process` the one for a single machine."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Protocol
from uuid import UUID

from controller.pools.runner_pod import RunnerTemplate
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import Permanent, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import Evidence

KEEP = timedelta(minutes=10)
"""How long what is left of a run is kept for people to look at, unless its pool says otherwise."""

SUSPENDED = "Suspended"
"""Why no pod is scheduled: there is none, and is not to be one yet."""


class Phase(Enum):
    """How far a launched run is."""

    PENDING = "pending"
    """Accepted, and its runner has not started yet."""
    RUNNING = "running"
    ENDED = "ended"
    """Its runner is over and will not come again. Other containers of its pod may live on."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What a launcher is asked to run.

    Args:
        memory_doublings: how often the memory of the pool's template is to be doubled, where the launcher limits it.
        pool: the run's pool.
        template: how pods of that pool are made; None where the launcher knows.
    """

    key: RunKey
    dataset_id: UUID
    job_type: str
    attempt: int
    memory_doublings: int = 0
    pool: str = "default"
    template: RunnerTemplate | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A run as its launcher sees it. `name` is the launcher's own name for it."""

    key: RunKey
    name: str
    phase: Phase
    evidence: Evidence
    forgotten: bool = False
    """`forget` has been called for it already."""


class ClusterRefused(Permanent):
    """The cluster refuses what the launcher has asked it: to look at runs, say, for want of a right."""

    cause = Cause.CANNOT_START


class ClusterSilent(Unavailable):
    """The cluster gives no answer, or one that proves nothing."""


class LaunchRefused(Permanent):
    """The launcher has definitely not launched the run, and says why."""

    cause = Cause.CANNOT_START

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message, reason)


class Launcher(Protocol):
    """Launches runs, and tells what has become of them.

    Every method raises `Unavailable` where it cannot know: no answer is never an answer of "none".
    """

    name: str

    async def launch(self, launch: Launch) -> str:
        """Launches a run under a name that follows from its key, and returns the name.

        A run that was launched before is adopted, not launched again.

        Raises:
            LaunchRefused: it was definitely not launched.
            Unavailable: it may have been launched; ask again.
        """

    async def seen(self) -> list[Seen]:
        """Every run of this installation that the launcher knows of, the ended ones until they are forgotten."""

    def changed(self) -> set[RunKey]:
        """The runs that are worth a look since this or `seen` was asked last; it may not have been told of all."""

    async def known(self, keys: Collection[RunKey]) -> list[Seen]:
        """Those of these runs that the launcher knows of, as it was told last: cheap, and maybe a little old."""

    async def find(self, key: RunKey) -> Seen | None:
        """One run, by name, from the authoritative source; None: there is definitely none."""

    async def find_all(self, keys: Collection[RunKey]) -> dict[RunKey, Seen]:
        """Those of these runs that `find` finds, as it does; for little more than one costs."""

    async def stop(self, key: RunKey, now: bool = False) -> None:
        """Asks a run to end; `now` does not wait for it to tidy up. One that is over or gone already is fine."""

    async def forget(self, key: RunKey, keep: timedelta = KEEP) -> None:
        """The run is settled and its evidence stored: the launcher may remove what is left of it, after a while."""

    async def close(self) -> None:
        """Lets go of connections and helpers. What was launched goes on where the launcher can let it."""
