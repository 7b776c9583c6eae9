"""Where a controller's pools come from: its settings on one machine, ParserPools in a cluster."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from controller.pools.spec import PoolSpec


class Pools(Protocol):
    """The pools that a controller claims from, and how each is run."""

    async def refresh(self) -> None:
        """Called at the begin of every tick: reads anew what may have changed.

        Raises:
            Unavailable: it cannot be read, and never was.
        """

    @property
    def served(self) -> Mapping[str, PoolSpec]:
        """Those that are claimed from, by name."""

    def rules(self, pool: str) -> PoolSpec:
        """How the runs of a pool are treated; of one that is not claimed from any more, too."""

    async def report(self, leads: Container[str]) -> None:
        """Called at the end of every tick: tells of the pools where people look.

        Args:
            leads: the pools that this controller decides for.
        """


@dataclass(frozen=True, slots=True)
class OnePool:
    """The one pool of a controller that has its settings alone to go by."""

    spec: PoolSpec

    async def refresh(self) -> None:
        """Settings do not change."""

    @property
    def served(self) -> Mapping[str, PoolSpec]:
        """See Pools."""
        return {self.spec.name: self.spec}

    def rules(self, pool: str) -> PoolSpec:
        """See Pools."""
        return self.spec if pool == self.spec.name else replace(self.spec, name=pool)

    async def report(self, leads: Container[str]) -> None:
        """There is `affirm-worker status`."""
