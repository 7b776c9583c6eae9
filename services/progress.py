"""The progress of jobs, polled until they are finished."""

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import UUID

from dataset_jobs.store.views import Progress
from services.jobs import Jobs

POLL_SECONDS = 0.5


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
