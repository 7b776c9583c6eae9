"""What ParserPools and the database have to do with each other."""

from collections.abc import Sequence

from dataset_jobs.model.pools import PoolFigures, PoolLimits, PoolOrigin
from dataset_jobs.model.text import clipped
from dataset_jobs.store.controller_connection import ControllerConnection, execute, fetch_all, fetch_one, fetch_only

REFUSAL_LIMIT = 1000
"""Bytes of the reason for a refusal."""


class PoolStore(ControllerConnection):
    """Sets pools as they are described, and tells of them."""

    async def describe_pool(
        self,
        pool: str,
        max_running: int | None,
        max_pending: int | None,
        paused: bool | None,
        described: int,
        namespace: str,
    ) -> None:
        """Sets a pool, and creates it if it is new.

        Args:
            pool: its name.
            max_running, max_pending, paused: what the claim goes by.
            described: of two descriptions the one with the higher number counts.
            namespace: of its ParserPool.
        """
        async with self._connection() as connection:
            await execute(
                connection,
                "pools.describe",
                pool=pool,
                max_running=max_running,
                max_pending=max_pending,
                paused=paused,
                described=described,
                namespace=namespace,
            )

    async def refuse_pool(self, pool: str, refusal: str | None) -> None:
        """Keeps why the newest description of a pool is refused; None if it is not. No pool is made for it.

        Args:
            pool: its name.
            refusal: for those whose jobs wait.
        """
        async with self._connection() as connection:
            await execute(connection, "pools.refuse", pool=pool, refusal=refusal and clipped(refusal, REFUSAL_LIMIT))

    async def undescribe_pool(self, pool: str, max_running: int | None, max_pending: int | None) -> None:
        """Gives a pool back to the settings, if a ParserPool has ever described it."""
        async with self._connection() as connection:
            await execute(connection, "pools.undescribe", pool=pool, max_running=max_running, max_pending=max_pending)

    async def described_pools(self) -> set[str]:
        """The pools that a ParserPool has described, be it there or not."""
        async with self._connection() as connection:
            return {row["name"] for row in await fetch_all(connection, "pools.described")}

    async def undescribed_pool(self, pool: str) -> PoolLimits | None:
        """How a pool is set that no ParserPool has ever described; None of another one."""
        async with self._connection() as connection:
            row = await fetch_one(connection, "pools.undescribed", pool=pool)
        return None if row is None else PoolLimits(**row)

    async def pool_origins(self, pools: Sequence[str]) -> list[PoolOrigin]:
        """Who has set these pools, as far as there are any of these names."""
        async with self._connection() as connection:
            return [PoolOrigin(**row) for row in await fetch_all(connection, "pools.origins", pools=list(pools))]

    async def pool_figures(self, pool: str) -> PoolFigures:
        """A pool at this moment; all zero if there is none of that name."""
        async with self._connection() as connection:
            row = await fetch_only(connection, "pools.figures", pool=pool)
        return PoolFigures(**row)
