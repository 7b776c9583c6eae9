"""How a run is named, and how long its lease holds."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

RUN_LEASE = timedelta(seconds=60)
"""How long a run counts as alive after its claim, and after each heartbeat."""

RUN_SECRET = "RUN_SECRET"
"""The variable of a runner's environment by which it gets the secret of its run."""


@dataclass(frozen=True, slots=True, order=True)
class RunKey:
    """Which run: its job, and the lease epoch at which it was claimed."""

    job_id: UUID
    epoch: int

    def __hash__(self) -> int:
        # Thousands are looked up at once: that of two fields, made by dataclass, takes several times as long.
        return hash(self.job_id.int + self.epoch)

    def __str__(self) -> str:
        return f"{self.job_id}/{self.epoch}"
