"""The desired number of runs, in the pool's row: the basis of the decision, and the decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Json

from dataset_jobs.model.pools import PoolQueue
from dataset_jobs.store.controller_connection import ControllerConnection, fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class PoolCapacity:
    """A pool, its queue, and the decision in force.

    Args:
        maximum: slots.
        desired: the last decision; None if there is none yet.
        decided_by: who decides.
        lease: how long that controller keeps deciding; zero or less if anybody may take over.
        decision: the number of the last decision.
        generation: of the pool's description at that decision.
        history: as the decision left it.
        now: seconds since 1970, by the database's clock.
        queued, due: jobs that could be claimed; each is counted only as far as it makes a difference.
        running, pending: runs that hold a slot, and those of them that have not started.
    """

    maximum: int
    paused: bool
    blocked: bool
    desired: int | None
    decided_by: str | None
    lease: timedelta
    decision: int
    generation: int
    history: dict[str, Any]
    now: float
    queued: int
    due: int
    running: int
    pending: int


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A decision, as it is written.

    Args:
        minimum: the fewest desired runs while jobs wait.
        desired: how many runs the pool should have.
        limited_by: the limit that keeps `desired` from the number due.
        reason: in words.
        history: for the next decision.
        generation: of the description of the pool.
    """

    minimum: int
    desired: int
    limited_by: str | None
    reason: str
    history: dict[str, Any]
    generation: int


class CapacityStore(ControllerConnection):
    """Reads the basis of decisions, and writes decisions."""

    async def capacity(self, pool: str, target: int) -> PoolCapacity | None:
        """A pool at this moment; None if there is none of that name.

        Args:
            pool: its name.
            target: how many jobs there should be per runner.
        """
        async with self._connection() as connection:
            row = await fetch_one(connection, "scale.capacity", pool=pool, target=target)
        return None if row is None else PoolCapacity(**row)

    async def queue_figures(self) -> list[PoolQueue]:
        """Every pool at this moment, by name."""
        async with self._connection() as connection:
            return [PoolQueue(**row) for row in await fetch_all(connection, "pools.queue_figures")]

    async def record_minute(self, owner: str, at: datetime | None = None) -> Sequence[str]:
        """Writes the last minute of the pools that this controller decides for into their past; their names.

        Nothing is written twice, whoever asks.

        Args:
            owner: the controller.
            at: the time; that of the database's clock if None.
        """
        async with self._connection() as connection:
            return [row["pool"] for row in await fetch_all(connection, "figures.record_minute", owner=owner, at=at)]

    async def record_decision(
        self, pool: str, follows: int, new: NewDecision, owner: str, lease: timedelta | None
    ) -> bool:
        """Writes a decision by compare-and-swap; False, and nothing is written, if another one was made since.

        Args:
            pool: whose.
            follows: the number of the decision that it was made from.
            new: the decision.
            owner: the controller.
            lease: how long it keeps deciding; None leaves the lease as it is.
        """
        async with self._connection() as connection:
            row = await fetch_one(
                connection,
                "scale.decide",
                pool=pool,
                follows=follows,
                owner=owner,
                lease=lease,
                minimum=new.minimum,
                desired=new.desired,
                limited_by=new.limited_by,
                reason=new.reason,
                generation=new.generation,
                history=Json(new.history),
            )
        return row is not None
