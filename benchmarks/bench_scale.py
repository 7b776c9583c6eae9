"""A long queue and thousands of live Jobs, on kwok's nodes: the controller's throughput and its cost.

`N` (10,000) jobs are queued at once for a pool of `MAXIMUM` (500), whose pods run for `RUN_SECONDS` (10). Then `LIVE`
(5,000) Jobs live at once. `PHASES` (drain live) says which of both are run.

API requests are counted by the API server, by the flow schema of the controller's service account; statements are lines
of the Postgres log, which logs each one of the controller's role. Memory and processor time are those of /proc.
"""

import asyncio
import contextlib
import os
import time
import uuid
from dataclasses import replace
from typing import Any

from benchmarks.report import Figure, report
from benchmarks.scale_agent import Agent, playing
from benchmarks.scale_arena import Arena, Controller, arena, controller, remove_pods, runner_pods
from controller.launchers.kubernetes.api import ApiRefused, KubernetesApi, load_configuration
from controller.pools.runner_pod import RunnerTemplate, job_manifest
from controller.steps.launch import IN_FLIGHT
from dataset_jobs.model.keys import RunKey

N = int(os.environ.get("N") or 10_000)
MAXIMUM = int(os.environ.get("MAXIMUM") or 500)
LIVE = int(os.environ.get("LIVE") or min(N, 5_000))
RUN_SECONDS = float(os.environ.get("RUN_SECONDS") or 10)
PHASES = (os.environ.get("PHASES") or "drain live").split()
IDLE_SECONDS = 75.0
"""Long enough for one resync, which comes every 60 s."""
ANSWER_TIMEOUT = 1800.0


async def create_bare(where: Arena, count: int, played: bool) -> float:
    """Creates the Jobs of as many runs by the bare client, several at a time, and deletes them; returns Jobs per
    second.

    Args:
        played: the agent starts and ends their pods meanwhile, as it does for the controller's.
    """
    with where.cluster.namespace("affirm-bare") as namespace:
        api = KubernetesApi(await load_configuration(where.kubeconfig), namespace)
        pods = runner_pods()
        template = RunnerTemplate(
            image=pods["image"],
            resources=pods["resources"],
            node_selector=pods["nodeSelector"],
            tolerations=tuple(pods["tolerations"]),
        )
        slots = asyncio.Semaphore(IN_FLIGHT)
        nobody = uuid.uuid4()

        def manifest() -> dict[str, Any]:
            return job_manifest(RunKey(uuid.uuid4(), 1), nobody, "default", nobody, template)

        async def one() -> None:
            async with slots:
                await api.create_job(manifest())

        agent = playing(Agent(replace(where, namespace=namespace), RUN_SECONDS))
        async with agent if played else contextlib.nullcontext():
            await asyncio.sleep(2)
            await _until_allowed(api, manifest())
            began = time.perf_counter()
            await asyncio.gather(*(one() for _ in range(count)))
            seconds = time.perf_counter() - began
        await api.close()
        # Nothing of it is to be under way when the next one is measured.
        await asyncio.to_thread(remove_pods, where.cluster, namespace)
        left = "get", "jobs,pods", "--namespace", namespace, "-o", "name"
        await asyncio.to_thread(where.until, lambda: not where.cluster.kubectl(*left), "the bare Jobs to be gone", 120)
    return count / seconds


async def _until_allowed(api: KubernetesApi, manifest: dict[str, Any]) -> None:
    """An API server that has much to do knows of the rights in a new namespace a little later."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(ApiRefused):
                return await api.try_job(manifest)
            await asyncio.sleep(0.2)


def launched_per_second(where: Arena, count: int) -> float:
    """Of the first so many, from the first claim on."""
    seconds = where.one(
        "select extract(epoch from max(launched_at) - min(claimed_at))::float8"
        " from (select * from runs where launched_at is not null order by launched_at limit %s) first",
        count,
    )
    return count / float(seconds)


async def drain(where: Arena) -> list[Figure]:
    """The whole queue, from its submission to the last settled run."""
    played = await create_bare(where, MAXIMUM, played=True)
    bare = await create_bare(where, MAXIMUM, played=False)
    with controller(where, MAXIMUM) as measured:
        async with playing(Agent(where, RUN_SECONDS)):
            await asyncio.sleep(3)
            before = measured.cpu_seconds(), where.api_requests(), where.statements()
            began = time.perf_counter()
            await asyncio.to_thread(where.queue.fill, N)
            done = "select not exists (select 1 from jobs where finished_at is null)" \
                " and not exists (select 1 from runs where released_at is null)"  # fmt: skip
            await asyncio.to_thread(where.until, lambda: where.one(done), "the queue to be empty", ANSWER_TIMEOUT)
            seconds = time.perf_counter() - began
            cpu, requests, statements = measured.cpu_seconds(), where.api_requests(), where.statements()
        peak = measured.peak_memory()
    rate = launched_per_second(where, min(N, MAXIMUM))
    tries = where.one("select count(*) from runs")
    return [
        Figure("bare client, Jobs created", bare, "1/s"),
        Figure("bare client, its pods played meanwhile", played, "1/s"),
        Figure(
            f"launched while slots are free (first {min(N, MAXIMUM):,})", rate, "1/s", "bare client", rate / bare,
            "at least half of it", rate >= bare / 2,
        ),
        Figure(f"time to drain {N:,}, maximum {MAXIMUM}, runs of {RUN_SECONDS:g} s", seconds, "s"),
        Figure("jobs settled", N / seconds, "1/s"),
        Figure("runs a job", tries / N, "", goal="1", met=tries == N),
        Figure("controller, processor", cpu - before[0], "s"),
        Figure("controller, processor a job", (cpu - before[0]) / N * 1000, "ms"),
        Figure("controller, peak memory", peak, "MB"),
        Figure("API requests a job", (requests - before[1]) / N, ""),
        Figure("SQL statements a job", (statements - before[2]) / N, ""),
    ]  # fmt: skip


async def live(where: Arena) -> list[Figure]:
    """Measures many Jobs that run at once and do not end."""
    with controller(where, LIVE) as first:
        async with playing(Agent(where, None)):
            began = time.perf_counter()
            await asyncio.to_thread(where.queue.fill, LIVE)
            await _all_live(where)
            seconds = time.perf_counter() - began
            memory, cpu, peak = await _idle(first)
            grown = first.peak_memory()
            first.stop()
            # What a controller that starts, or whose watch has ended, reads at once.
            with controller(where, LIVE) as second:
                began_again = second.cpu_seconds()
                await asyncio.sleep(20)
                relist, after = second.peak_memory(), second.memory()
                relist_cpu = second.cpu_seconds() - began_again
    since = "select count(*) from runs where released_at is null"
    assert where.one(since) == LIVE
    return [
        Figure(f"time to launch {LIVE:,} and see them running", seconds, "s"),
        Figure(f"steady memory, {LIVE:,} live", memory, "MB", goal="under 250 MB", met=memory < 250),
        Figure(f"idle processor, {IDLE_SECONDS:.0f} s with a resync", cpu * 100, "%", goal="under 2%", met=cpu < 0.02),
        Figure("peak memory of those (resync)", peak, "MB"),
        Figure("peak memory while they were launched", grown, "MB"),
        Figure("peak memory of a start among them (re-list)", relist, "MB"),
        Figure("memory 20 s after that start", after, "MB"),
        Figure("processor of those 20 s", relist_cpu, "s"),
    ]


async def _all_live(where: Arena) -> None:
    running = "select count(*) from runs where released_at is null and started_at is not null"
    await asyncio.to_thread(where.until, lambda: where.one(running) >= LIVE, "all to be live", ANSWER_TIMEOUT)
    await asyncio.sleep(10)


async def _idle(measured: Controller) -> tuple[float, float, float]:
    """Memory in MB, the share of a core, and the peak of the memory."""
    measured.forget_peak()
    began, before = time.perf_counter(), measured.cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    cpu = (measured.cpu_seconds() - before) / (time.perf_counter() - began)
    return measured.memory(), cpu, measured.peak_memory()


def main() -> None:
    """Measures and reports."""
    for name, phase in (("drain", drain), ("live", live)):
        if name in PHASES:
            with arena() as where:
                report(f"scale-{name}", asyncio.run(phase(where)))


if __name__ == "__main__":
    main()
