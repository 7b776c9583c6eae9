"""Settle: the locks, the facts and the writes of one transaction that ends a run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from psycopg import errors
from psycopg.rows import DictRow
from psycopg.types.json import Json

from dataset_jobs.model.causes import Cause, Reason, cause_of, reason_of
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.settlement import Diagnosis, Evidence, RunFacts, RunFigures, Settlement
from dataset_jobs.model.states import JobState
from dataset_jobs.postgres.connecting import AsyncSessionConnection
from dataset_jobs.postgres.timeouts import in_milliseconds
from dataset_jobs.store.controller_connection import ControllerConnection, execute, fetch_one, fetch_only

SOON = timedelta(seconds=2)
"""How long settle waits for job and run before it ends a load that may hold them: longer than a commit takes."""


class LockedRun:
    """A run that is over, and its job: this transaction holds the locks of both.

    Args:
        facts: the basis of the decision on the job.
    """

    def __init__(self, connection: AsyncSessionConnection[DictRow], key: RunKey, facts: RunFacts) -> None:
        self.facts = facts
        self.settled_as: Cause | None = None
        self._connection = connection
        self._key = key

    async def settle(self, settlement: Settlement, evidence: Evidence) -> None:
        """Ends the run: keeps its evidence, moves its job on, and frees its slot.

        Args:
            settlement: the decision on the job.
            evidence: observations of the run's end.
        """
        key, diagnosis = self._key, settlement.diagnosis
        failed = settlement.state is JobState.FAILED
        moved: DictRow | None = None
        if settlement.state is not None:
            moved = await fetch_one(
                self._connection,
                "settle.job",
                job_id=key.job_id,
                epoch=key.epoch,
                state=settlement.state,
                wait=settlement.wait,
                attempts=settlement.attempts,
                interruptions=settlement.interruptions,
                memory_doublings=settlement.memory_doublings,
                give_backs=settlement.give_backs,
                cause=diagnosis.cause,
                error=diagnosis.error,
            )
            told = failed or not settlement.interruptions
            await execute(
                self._connection,
                "settle.dataset",
                dataset_id=self.facts.dataset_id,
                failed=failed,
                error=diagnosis.error if told else None,
            )
        await execute(
            self._connection,
            "settle.run",
            job_id=key.job_id,
            epoch=key.epoch,
            cause=diagnosis.cause,
            reason=diagnosis.reason,
            error=diagnosis.error or None,
            evidence=Json(evidence.as_dict()),
            pod_name=evidence.pod_name,
            node=evidence.node,
            decision=Json(settlement.as_decision(self.facts, moved["run_at"] if moved else None)),
        )
        self.settled_as = diagnosis.cause


class SettleStore(ControllerConnection):
    """The part of the store that ends runs."""

    @asynccontextmanager
    async def locked_run(self, key: RunKey, runner_uid: str | None = None) -> AsyncIterator[LockedRun | None]:
        """A transaction that holds the locks of a run and its job; it commits when its block ends.

        After the commit it ends the runner's load transaction if one is open, so that the next epoch's load need not
        wait for it. If we ended the load first, a live runner would report the database as unavailable and be charged
        an attempt.

        Args:
            key: the run; its process or pod is terminal or gone.
            runner_uid: the runner that had taken it when it was last read, before its process or pod was looked for.

        Yields:
            The run, to be settled in the block; None if it was settled already.

        Raises:
            Unavailable: another runner has taken it since, and that one may be alive.
        """
        async with AsyncExitStack() as transaction:
            try:
                locked = await transaction.enter_async_context(self._locked(key, runner_uid, soon=True))
            except _Held:
                # Perhaps by its load, which stands still between its last check and its commit: nothing else ends that.
                async with self._connection() as connection:
                    row = await fetch_one(connection, "settle.taken_by", job_id=key.job_id, epoch=key.epoch)
                if row is not None:
                    _refuse_if_taken(key, row["runner_uid"], runner_uid)
                await self._end_load(key)
                locked = await transaction.enter_async_context(self._locked(key, runner_uid, soon=False))
            yield locked
        if locked is not None and locked.settled_as not in (None, Cause.COMPLETED):
            await self._end_load(key)

    @asynccontextmanager
    async def _locked(self, key: RunKey, runner_uid: str | None, soon: bool) -> AsyncIterator[LockedRun | None]:
        async with self._transaction() as connection:
            if soon:
                await execute(connection, "settle.lock_timeout", soon=in_milliseconds(min(SOON, self._patience / 2)))
            try:
                row = await fetch_one(connection, "settle.lock", job_id=key.job_id, epoch=key.epoch)
            except errors.LockNotAvailable:
                if soon:
                    raise _Held from None
                raise
            if row is None:
                yield None
                return
            _refuse_if_taken(key, row["runner_uid"], runner_uid)
            yield LockedRun(connection, key, _facts(row, key))

    async def _end_load(self, key: RunKey) -> None:
        for wait in (0.0, 0.01, 0.05, 0.2, 1.0, 2.0, 4.0):
            await asyncio.sleep(wait)
            async with self._connection() as connection:
                row = await fetch_only(connection, "settle.terminate_runners", job_id=key.job_id, epoch=key.epoch)
            if row["still_loading"] == 0:
                return
        raise Unavailable(f"database: the load transaction of run {key} could not be ended", Reason.DATABASE)


class _Held(Exception):
    """Somebody else has job or run under lock."""


def _refuse_if_taken(key: RunKey, by: str | None, known: str | None) -> None:
    if by != known:
        raise Unavailable(f"run {key} was taken since it was last read; to be looked at again", Reason.DATABASE)


def _facts(row: DictRow, key: RunKey) -> RunFacts:
    return RunFacts(
        dataset_id=row["dataset_id"],
        job_type=row["job_type"],
        current=row["state"] == JobState.RUNNING and row["lease_epoch"] == key.epoch,
        committed=row["committed"],
        started=row["started"],
        outcome=Outcome.from_dict(row["outcome"]),
        ended=_ended(row),
        cancel_requested=row["cancel_requested"],
        attempts=row["attempts"],
        interruptions=row["interruptions"],
        give_backs=row["give_backs"],
        blocked_for=row["blocked_for"],
        figures=RunFigures(
            rows=row["rows_done"],
            bytes=row["bytes_done"],
            held_for=row["held_for"],
            busy_for=row["busy_for"],
            committed_for=row["committed_for"],
            at=row["at"],
        ),
        memory_doublings=row["memory_doublings"],
        restarted=row["restarted"],
    )


def _ended(row: DictRow) -> Diagnosis | None:
    """Why the run was ended early; None if it was not, or if a newer version wrote the cause: then evidence decides."""
    cause = cause_of(row["cause"])
    return None if cause is None else Diagnosis(cause, reason_of(row["reason"]), row["error"] or "")
