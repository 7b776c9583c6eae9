"""The progress of jobs: how fast a run is, and of many jobs, polled until they are finished."""

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dataset_jobs.model.keys import RUN_LEASE
from dataset_jobs.store.views import Progress, RunView
from services.jobs import Jobs

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run is.

    Args:
        heard_at: when it said last how far it is.
        rows_per_second: since it began; None before it has said anything.
    """

    heard_at: datetime
    rows_per_second: float | None


def pace(run: RunView | None) -> Pace | None:
    """How fast a run is, or was; None for one that has not started, or none."""
    if run is None or run.started_at is None:
        return None
    # A heartbeat sets the lease anew.
    heard_at = run.ended_at or run.lease_until - RUN_LEASE
    seconds = (heard_at - run.started_at).total_seconds()
    return Pace(heard_at, run.rows_done / seconds if run.rows_done and seconds > 0 else None)


async def watch(jobs: Jobs, job_ids: Collection[UUID], every_seconds: float = POLL_SECONDS) -> AsyncIterator[Progress]:
    """The progress of these jobs together; ends when all of them are finished.

    Args:
        jobs: asked in a thread. A cancel waits for that thread, so that a single connection is free again.
        job_ids: which jobs.
        every_seconds: between two answers.

    Raises:
        RunError: as the database has it.
        RuntimeError: a thread cannot be started.
    """
    while True:
        asking = asyncio.create_task(asyncio.to_thread(jobs.progress, job_ids))
        try:
            progress = await asyncio.shield(asking)
        except asyncio.CancelledError:
            await asyncio.wait([asking])
            raise
        yield progress
        if progress.finished >= len({*job_ids}):
            return
        await asyncio.sleep(every_seconds)
