"""How soon the controller acts, on kwok's nodes: from submit to the Job, and from a pod's end to the settled run.

First `SAMPLES` (1,000) jobs, one after the other, with nothing else to do. Then as many of a high priority, five in
two seconds, while `QUEUED` (10,000) others wait for a pool of `MAXIMUM` (500) whose pods run for `RUN_SECONDS` (60):
every slot is taken, and eight become free in a second.

A job is submitted as by the command line, and counts from its `created_at` until a watch reports its Job. A pod's end
counts from just before the API server learns of it to the run's `released_at`.
"""

import asyncio
import contextlib
import os
import random
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from kubernetes.aio.client import ApiClient

from benchmarks.report import Figure, percentile, report
from benchmarks.scale_agent import Agent, events, playing
from benchmarks.scale_arena import Arena, arena, controller
from controller.launchers.kubernetes.api import load_configuration
from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client
from tests.kit.submit import submit

SAMPLES = int(os.environ.get("SAMPLES") or 1_000)
QUEUED = int(os.environ.get("QUEUED") or 10_000)
MAXIMUM = int(os.environ.get("MAXIMUM") or 500)
RUN_SECONDS = float(os.environ.get("RUN_SECONDS") or 60)
PHASES = (os.environ.get("PHASES") or "idle busy").split()
PAUSE_SECONDS = 0.25
SPACING_SECONDS = 0.4
ANSWER_TIMEOUT = 300.0

_ADDED = re.compile(rb'^{"type":"ADDED".*?"affirm.dev/job-id":"([0-9a-f-]+)"')


class Submitter:
    """Submits small files, each another one, as the command line does.

    Args:
        where: the database is its, and the folder for storage and files.
    """

    def __init__(self, where: Arena) -> None:
        folder = where.folder / "storage"
        folder.mkdir(exist_ok=True)
        self._storage = open_storage(StorageConfig.from_env({"STORAGE_TYPE": "local", "STORAGE_PATH": str(folder)}))
        self._file: Path = where.folder / "yob2023.txt"
        self._client = Client.connect(where.queue.conninfo)
        self._count = 0

    def submit(self, priority: int) -> UUID:
        """One more; the job's id."""
        self._count += 1
        self._file.write_text(f"Mary,F,{self._count + 4}\r\n")
        result = submit(self._client, self._storage, self._file, priority=priority)
        assert result.job_id is not None
        return result.job_id

    def close(self) -> None:
        """Closes its connection."""
        self._client.close()


class Jobs:
    """When a watch first told of each Job, by the job's id."""

    def __init__(self) -> None:
        self.seen: dict[UUID, float] = {}
        self._more = asyncio.Event()

    async def follow(self, where: Arena) -> None:
        """Until it is cancelled."""
        async with ApiClient(await load_configuration(where.cluster.kubeconfig)) as client:
            async for line in events(client, f"/apis/batch/v1/namespaces/{where.namespace}/jobs"):
                if (found := _ADDED.match(line)) is not None:
                    self.seen.setdefault(UUID(found[1].decode()), time.time())
                    self._more.set()

    async def until(self, job_ids: Sequence[UUID]) -> None:
        """Waits for the Jobs of all of these."""
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while not all(job_id in self.seen for job_id in job_ids):
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def watching(where: Arena) -> AsyncIterator[Jobs]:
    """Jobs are watched meanwhile."""
    jobs = Jobs()
    task = asyncio.create_task(jobs.follow(where))
    await asyncio.sleep(1)
    try:
        yield jobs
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def idle(where: Arena) -> list[Figure]:
    """One job at a time; its pod ends at once."""
    with contextlib.closing(Submitter(where)) as submitter, controller(where, MAXIMUM):
        async with playing(Agent(where, 0.0)) as agent, watching(where) as jobs:
            submitted = []
            for _ in range(SAMPLES):
                job_id = await asyncio.to_thread(submitter.submit, 0)
                submitted.append(job_id)
                await jobs.until([job_id])
                # Not in step with anything of the controller's.
                await asyncio.sleep(random.uniform(0, PAUSE_SECONDS))
            await _settled(where, submitted)
            return [
                *_figures("idle: submit to Job", _to_job(where, jobs, submitted), 250),
                *_figures("idle: pod's end to settled", _to_settled(where, agent), 1000),
            ]


async def busy(where: Arena) -> list[Figure]:
    """The highest priority, while very many wait."""
    with contextlib.closing(Submitter(where)) as submitter, controller(where, MAXIMUM):
        async with playing(Agent(where, RUN_SECONDS)) as agent, watching(where) as jobs:
            await asyncio.to_thread(where.queue.fill, QUEUED)
            filling = asyncio.create_task(_keep_full(where))
            await asyncio.to_thread(where.until, lambda: _live(where) >= MAXIMUM, "the pool to be full", ANSWER_TIMEOUT)
            await asyncio.sleep(RUN_SECONDS)
            agent.ended.clear()
            submitted = []
            began = time.monotonic()
            for number in range(SAMPLES):
                await asyncio.sleep(max(0.0, began + number * SPACING_SECONDS - time.monotonic()))
                submitted.append(await asyncio.to_thread(submitter.submit, 100))
            await jobs.until(submitted)
            seconds = time.monotonic() - began
            filling.cancel()
            # Nobody waits until all of the others have been, too.
            await asyncio.to_thread(where.queue.connection.execute, b"update pools set paused = true")
            await asyncio.to_thread(where.until, lambda: not _live(where), "the last runs", ANSWER_TIMEOUT)
            to_settled = _to_settled(where, agent)
            return [
                Figure(f"{QUEUED:,} queued, {MAXIMUM} at once: jobs settled", len(to_settled) / seconds, "1/s"),
                *_figures("highest priority: submit to Job", _to_job(where, jobs, submitted), 1000),
                *_figures("many at once: pod's end to settled", to_settled, 1000),
            ]


async def _keep_full(where: Arena) -> None:
    while True:
        missing = QUEUED - where.one("select count(*) from jobs where state = 'queued'")
        if missing > 0:
            await asyncio.to_thread(where.queue.fill, missing)
        await asyncio.sleep(2)


def _live(where: Arena) -> int:
    return int(where.one("select count(*) from runs where released_at is null"))


async def _settled(where: Arena, job_ids: Sequence[UUID]) -> None:
    left = "select count(*) from jobs where finished_at is null and id = any(%s)"
    await asyncio.to_thread(where.until, lambda: not where.one(left, list(job_ids)), "the last ones", ANSWER_TIMEOUT)


def _to_job(where: Arena, jobs: Jobs, job_ids: Sequence[UUID]) -> list[float]:
    rows = where.queue.connection.execute("select id, created_at from jobs where id = any(%s)", [list(job_ids)])
    return [jobs.seen[row["id"]] - row["created_at"].timestamp() for row in rows]


def _to_settled(where: Arena, agent: Agent) -> list[float]:
    rows = where.queue.connection.execute("select job_id, released_at from runs where released_at is not null")
    released = {str(row["job_id"]): row["released_at"].timestamp() for row in rows}
    return [released[job_id] - ended for job_id, ended in agent.ended.items() if job_id in released]


def _figures(name: str, seconds: list[float], goal: float) -> list[Figure]:
    """Of all the samples; the goal is for the 99th percentile, in ms."""
    p50, p99 = percentile(seconds, 50), percentile(seconds, 99)
    return [
        Figure(f"{name}, p50 of {len(seconds):,}", p50, "ms"),
        Figure(f"{name}, p99", p99, "ms", goal=f"under {goal:g} ms", met=p99 < goal),
        Figure(f"{name}, maximum", max(seconds) * 1000, "ms"),
    ]


def main() -> None:
    """Measures and reports."""
    figures = []
    for name, phase in (("idle", idle), ("busy", busy)):
        if name in PHASES:
            with arena() as where:
                figures += asyncio.run(phase(where))
    report("latency", figures)


if __name__ == "__main__":
    main()
