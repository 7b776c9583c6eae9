"""Where a controller's pools come from: its settings on one machine, ParserPools in a cluster."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from controller.pools.spec import PoolSpec


class Pools(Protocol):
    """The pools that a controller claims from, and how each is run."""

    async def refresh(self) -> None:
        """Called at the beginning of every tick: reads changes.

        Raises:
            Unavailable: the pools cannot be read, and never were.
        """

    @property
    def served(self) -> Mapping[str, PoolSpec]:
        """The pools to claim from, by name."""

    @property
    def warnings(self) -> Sequence[str]:
        """What is wrong with descriptions of pools that are not this controller's, or with where they are kept, or with
        the settings for runners.
        """

    def rules(self, pool: str) -> PoolSpec:
        """How to treat the runs of a pool, even if nothing is claimed from it any more."""

    async def report(self, leads: Container[str]) -> None:
        """Called at the end of every tick: shows people the state of the pools.

        Args:
            leads: the pools that this controller decides for.
        """


@dataclass(frozen=True, slots=True)
class OnePool:
    """The one pool that the settings describe."""

    spec: PoolSpec

    async def refresh(self) -> None:
        """Settings do not change."""

    @property
    def served(self) -> Mapping[str, PoolSpec]:
        """See Pools."""
        return {self.spec.name: self.spec}

    @property
    def warnings(self) -> Sequence[str]:
        """Settings are checked before."""
        return ()

    def rules(self, pool: str) -> PoolSpec:
        """See Pools."""
        return self.spec if pool == self.spec.name else replace(self.spec, name=pool)

    async def report(self, leads: Container[str]) -> None:
        """There is `affirm-worker status`."""
