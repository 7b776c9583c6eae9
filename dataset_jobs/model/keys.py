"""How a run is named."""

from dataclasses import dataclass
from uuid import UUID


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
