"""How many runs a pool is to have, in the pool's row: what it is decided from, and what was decided."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg.types.json import Json

from dataset_jobs.model.pools import PoolQueue
from dataset_jobs.store.controller_connection import ControllerConnection, fetch_all, fetch_one


@dataclass(frozen=True, slots=True)
class PoolCapacity:
    """A pool, its queue, and the decision that is in force.

    Args:
        maximum: slots.
        desired: what was decided; None where nothing was yet.
        decided_by: who decides.
        lease: for how long that is left to it; zero or less where anybody may take it over.
        decision: the number of the last decision.
        generation: of the description of the pool that it was made with.
        history: as the decision left it.
        now: seconds since 1970, by the database's clock.
        queued, due: jobs that could be claimed; of neither more are counted than make a difference.
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
    """What is written.

    Args:
        minimum: what is desired at the least while jobs wait.
        desired: how many runs the pool is to have.
        limited_by: which limit keeps that from what is due.
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
    """Reads what decisions are made from, and writes them."""

    async def capacity(self, pool: str, target: int) -> PoolCapacity | None:
        """A pool at this moment; None where there is none of that name.

        Args:
            pool: its name.
            target: how many jobs one runner is to be there for.
        """
        async with self._connection() as connection:
            row = await fetch_one(connection, "scale.capacity", pool=pool, target=target)
        return None if row is None else PoolCapacity(**row)

    async def queue_figures(self) -> list[PoolQueue]:
        """Every pool at this moment, by name."""
        async with self._connection() as connection:
            return [PoolQueue(**row) for row in await fetch_all(connection, "pools.queue_figures")]

    async def decide(self, pool: str, follows: int, new: NewDecision, owner: str, lease: timedelta | None) -> bool:
        """Writes a decision; False, and nothing is written, where another one was since.

        Args:
            pool: whose.
            follows: the number of the decision that it was made from.
            new: what was decided.
            owner: the controller.
            lease: for how long it is to decide; None where that is left to whoever has the lease.
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
