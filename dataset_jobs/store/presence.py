"""Which controllers there are, what keeps them from their work, and what one that is to end still waits for."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from dataset_jobs.model.trouble import Trouble
from dataset_jobs.model.waits import PoolInTheWay, RunsElsewhere
from dataset_jobs.store.controller_connection import ControllerConnection, execute, fetch_all, fetch_only


class PresenceStore(ControllerConnection):
    """What controllers say of themselves, and read of one another."""

    async def controller_seen(
        self,
        owner: str,
        launcher: str,
        pools: Collection[str],
        trouble: Trouble | None,
        now: float,
        warnings: Sequence[str] = (),
    ) -> None:
        """A controller is there.

        Args:
            owner, launcher, pools: the controller, its launcher, and the pools that it claims from.
            trouble: what keeps it from its work.
            now: by the clock of `trouble`.
            warnings: what it has seen that keeps it from nothing.
        """
        async with self._connection() as connection:
            await execute(
                connection,
                "controllers.seen",
                owner=owner,
                launcher=launcher,
                pools=sorted(pools),
                warnings=list(warnings),
                trouble=None if trouble is None else trouble.error,
                permanent=trouble is not None and trouble.permanent,
                lasting=timedelta(seconds=0.0 if trouble is None else now - trouble.since),
                tries=0 if trouble is None else trouble.tries,
            )

    async def controller_gone(self, owner: str) -> None:
        """A controller ends."""
        async with self._connection() as connection:
            await execute(connection, "controllers.gone", owner=owner)

    async def end_waiting_runners(self) -> int:
        """Ends the runners' sessions that wait for a table's lock that no run of ours asks for; how many there were."""
        async with self._connection() as connection:
            row = await fetch_only(connection, "controllers.end_waiting_runners")
            ended: int = row["ended"]
            return ended

    async def runs_elsewhere(self, owner: str, pools: Collection[str], lease: timedelta) -> list[RunsElsewhere]:
        """The children of other controllers that hold slots of these pools.

        Args:
            owner: this controller.
            pools: which.
            lease: for how long a sign of life is good.
        """
        async with self._connection() as connection:
            rows = await fetch_all(
                connection, "controllers.runs_elsewhere", owner=owner, pools=list(pools), lease=lease
            )
        return [RunsElsewhere(**row) for row in rows]

    async def pools_in_the_way(self, pools: Collection[str]) -> list[PoolInTheWay]:
        """Those of these pools whose jobs wait for a change of the pool itself."""
        async with self._connection() as connection:
            rows = await fetch_all(connection, "controllers.pools_in_the_way", pools=list(pools))
        return [PoolInTheWay(**row) for row in rows]
