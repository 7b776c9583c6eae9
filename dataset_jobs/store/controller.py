"""The controller's queries: one method for each named statement, or for one transaction of a step."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Json

from dataset_jobs.migrations.compatibility import Oldest, check_schema
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import Diagnosis, Evidence
from dataset_jobs.model.states import FINISHED, PURGE_BATCH
from dataset_jobs.store.capacity import CapacityStore
from dataset_jobs.store.controller_connection import execute, fetch_all, fetch_one, fetch_only
from dataset_jobs.store.controller_views import ClaimedRun, QueueCounts, UnreleasedRun, WaitingJob
from dataset_jobs.store.pools import PoolStore
from dataset_jobs.store.presence import PresenceStore
from dataset_jobs.store.settle import SettleStore

PROMOTE_BATCH = 1000
"""The most due jobs that one claim makes queued."""


class ControllerStore(SettleStore, CapacityStore, PoolStore, PresenceStore):
    """The controller's view of the database.

    Args:
        pool: an open pool of autocommit connections.
        patience: for one statement, or one transaction.
    """

    async def claim(
        self,
        pool: str,
        limit: int,
        launcher: str,
        owner: str,
        lease: timedelta,
        probe_wait: Callable[[int], timedelta] = lambda probes: timedelta(minutes=1),
    ) -> list[ClaimedRun]:
        """Claims up to `limit` jobs within the pool's free slots, each with a new run at a new epoch.

        One transaction of separate statements. The first one locks the pool's row, so with any number of controllers
        the unreleased runs never exceed the maximum in force, nor does a claim exceed the desired number if one was
        decided. From a blocked pool one run at a time is claimed.

        Args:
            pool, limit, launcher, owner, lease: whose jobs, how many, and what the runs begin with.
            probe_wait: the wait between two claims from a blocked pool, by the number of earlier ones.
        """
        async with self._begun_with(
            "claim.lock_pool", "claim.promote", "claim.count_held", pool=pool, batch=PROMOTE_BATCH
        ) as (connection, (pool_row, _, held)):
            if pool_row is None or pool_row["paused"]:
                return []
            assert held is not None
            free = min(limit, _free_slots(pool_row, held))
            if free <= 0:
                return []
            rows = await fetch_all(
                connection,
                "claim.pick",
                pool=pool,
                limit=free,
                launcher=launcher,
                owner=owner,
                lease=lease,
            )
            if rows and pool_row["blocked"]:
                await execute(connection, "claim.probe", pool=pool, wait=probe_wait(pool_row["probes"]))
        return [ClaimedRun(**row, pool=pool) for row in rows]

    async def record_launches(self, names: Mapping[RunKey, str]) -> dict[RunKey, timedelta]:
        """The launcher has these runs under these names: how long after their claims; without those released since."""
        async with self._connection() as connection:
            rows = await fetch_all(
                connection,
                "runs.record_launches",
                job_ids=[key.job_id for key in names],
                epochs=[key.epoch for key in names],
                names=list(names.values()),
            )
        return {RunKey(row["job_id"], row["epoch"]): row["after"] for row in rows}

    async def unreleased_runs(self, launcher: str, changed: Collection[RunKey] | None = None) -> list[UnreleasedRun]:
        """The runs of this launcher that hold a slot, in all pools, the oldest first.

        With any launcher, they include the children of process controllers whose leases have expired.

        Args:
            launcher: its name.
            changed: only these, and runs to launch or end, or that may be lost; None: all.
        """
        async with self._connection() as connection:
            rows = await fetch_all(
                connection,
                "runs.unreleased",
                launcher=launcher,
                everything=changed is None,
                job_ids=[key.job_id for key in changed or ()],
                epochs=[key.epoch for key in changed or ()],
            )
        return [UnreleasedRun(**row) for row in rows]

    async def live_epochs(self, job_ids: Iterable[UUID]) -> set[RunKey]:
        """Those runs of these jobs that hold a slot."""
        async with self._connection() as connection:
            rows = await fetch_all(connection, "runs.live_epochs", job_ids=list(job_ids))
        return {RunKey(row["job_id"], row["epoch"]) for row in rows}

    async def end_run(self, key: RunKey, diagnosis: Diagnosis, evidence: Evidence | None, only_unstarted: bool) -> bool:
        """Ends a run before its process or pod is gone: from now on no runner can take it, or commit.

        Its slot is freed by `settle`, when process or pod is gone, and `diagnosis` is the cause that counts then.

        Args:
            evidence: to store now; None stores the observations at the end instead.
            only_unstarted: not if a runner has taken it.

        Returns:
            False if it has ended or committed already, or a runner has taken one that none should have.
        """
        async with self._connection() as connection:
            row = await fetch_one(
                connection,
                "runs.end",
                job_id=key.job_id,
                epoch=key.epoch,
                cause=diagnosis.cause,
                reason=diagnosis.reason,
                error=diagnosis.error,
                evidence=None if evidence is None else Json(evidence.as_dict()),
                only_unstarted=only_unstarted,
            )
        return row is not None

    async def record_waiting(self, key: RunKey, waits_for: Diagnosis | None) -> None:
        """Keeps why a run's pod has not started; None if nothing is in its way any more."""
        async with self._connection() as connection:
            await execute(
                connection,
                "runs.record_waiting",
                job_id=key.job_id,
                epoch=key.epoch,
                reason=None if waits_for is None else waits_for.reason or waits_for.cause,
                error=None if waits_for is None else waits_for.error,
            )

    async def block_pool(self, key: RunKey, why: Diagnosis, probe_wait: timedelta) -> bool:
        """Blocks the pool of a run that cannot start: from then on only one probe at a time is claimed.

        Not if the trouble is the run's own: another run has started since it was claimed.

        Args:
            key: the run.
            why: what keeps it from starting.
            probe_wait: until the first probe.

        Returns:
            True if the pool was not blocked before.
        """
        async with self._connection() as connection:
            row = await fetch_one(
                connection,
                "blocks.block_pool",
                job_id=key.job_id,
                epoch=key.epoch,
                cause=why.cause,
                reason=why.reason,
                error=why.error,
                wait=probe_wait,
            )
        return row is not None and not row["blocked"]

    async def block_pools(self, pools: Sequence[str], owner: str, why: Diagnosis) -> list[str]:
        """Blocks pools whose controller cannot work with its cluster; returns the names of newly blocked ones.

        Args:
            pools: those that it serves.
            owner: the controller. What another one launches from a pool shows that it can.
            why: what keeps it from working.
        """
        async with self._connection() as connection:
            rows = await fetch_all(
                connection,
                "blocks.block_pools",
                pools=list(pools),
                owner=owner,
                cause=why.cause,
                reason=why.reason,
                error=why.error,
            )
        return [row["name"] for row in rows]

    async def unblock_pools(self, pools: Sequence[str], errors_said: Collection[str]) -> None:
        """Unblocks pools that are blocked with one of these errors."""
        async with self._connection() as connection:
            await execute(connection, "blocks.unblock_pools", pools=list(pools), errors=list(errors_said))

    async def lift_blocks(self) -> list[str]:
        """Unblocks pools if a run shows that the reason of the block is fixed; returns their names."""
        async with self._connection() as connection:
            return [row["name"] for row in await fetch_all(connection, "blocks.lift")]

    async def hurry_probe(self, pool: str) -> None:
        """A slot is free: a pool that is blocked by a full quota may be probed at once."""
        async with self._connection() as connection:
            await execute(connection, "blocks.hurry_probe", pool=pool)

    async def cancel_requested_jobs(self) -> list[UUID]:
        """Cancels jobs with a cancel request that are not running, a batch at a time."""
        async with self._connection() as connection:
            rows = await fetch_all(connection, "jobs.cancel_requested", batch=PROMOTE_BATCH)
        return [row["id"] for row in rows]

    async def purge(self, pool: str, older_than: timedelta) -> int:
        """Removes a batch of a pool's jobs that finished longer ago, with their runs; how many they were."""
        async with self._transaction() as connection:
            rows = await fetch_all(
                connection, "jobs.purge", pool=pool, older_than=older_than, states=list(FINISHED), batch=PURGE_BATCH
            )
        return len(rows)

    async def count_jobs(self, pools: Iterable[str]) -> QueueCounts:
        """The open work of these pools together."""
        async with self._connection() as connection:
            row = await fetch_only(connection, "controllers.count_jobs", pools=list(pools))
        return QueueCounts(**row)

    async def waiting_jobs(self, pool: str) -> list[WaitingJob]:
        """The jobs that wait for a later time, the next one first."""
        async with self._connection() as connection:
            return [WaitingJob(**row) for row in await fetch_all(connection, "controllers.waiting_jobs", pool=pool)]

    async def seconds_until_due(self, pools: Iterable[str]) -> float | None:
        """Until the next scheduled job of these pools, or tick of a schedule, is due; None if there is none."""
        async with self._connection() as connection:
            row = await fetch_only(connection, "controllers.next_due", pools=list(pools))
        return None if row["seconds"] is None else max(0.0, float(row["seconds"]))

    async def operations_due(self) -> int:
        """How many operations nobody carries on."""
        async with self._connection() as connection:
            return int((await fetch_only(connection, "operations.due"))["due"])

    async def schedules_due(self) -> int:
        """How many ticks of schedules could be begun now."""
        async with self._connection() as connection:
            row = await fetch_only(connection, "schedules.due")
        return int(row["due"])

    async def set_pool(self, pool: str, max_running: int | None, max_pending: int | None = None) -> int:
        """Creates the pool if it is new, sets the given maxima, and returns that of running runs."""
        async with self._connection() as connection:
            row = await fetch_only(connection, "pools.set", pool=pool, max_running=max_running, max_pending=max_pending)
        return int(row["max_running"])

    async def installation_id(self) -> UUID:
        """The id of this installation, made when the database was migrated first."""
        async with self._connection() as connection:
            row = await fetch_only(connection, "session.installation")
        return UUID(str(row["id"]))

    async def check_schema(self, known: int) -> None:
        """Raises `OtherSchema` if a program that knows the schema up to this version may not work here."""
        async with self._connection() as connection:
            version = int((await fetch_only(connection, "session.schema_version"))["version"])
            # Older than the column, or this program's own: there is nothing to ask.
            row = await fetch_only(connection, "session.oldest_program") if version > known else {}
        check_schema(version, known, lambda: Oldest(*row.values()))


def _free_slots(pool: DictRow, held: DictRow) -> int:
    """How many runs a pool may have more.

    Args:
        pool: its row, under lock.
        held: its runs that hold a slot, counted since.
    """
    free: int = pool["max_running"] - held["unreleased"]
    if pool["desired"] is not None:
        free = min(free, pool["desired"] - held["unreleased"])
    if pool["max_pending"] is not None:
        free = min(free, pool["max_pending"] - held["unstarted"])
    if pool["blocked"]:
        # A run that is starting already serves as a probe.
        free = min(free, 1 if pool["probe_due"] and not held["starting"] else 0)
    return free
