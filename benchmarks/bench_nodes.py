"""Nodes follow the queue: Karpenter and our controller on the test cluster, with machines and runs that are played.

`N` (200) jobs are submitted at once for a pool of `MAXIMUM` (100), to a cluster without a node for them. A run takes
`RUN_SECONDS` (20), give or take a half, and asks for one processor; a machine has 8 of them, is there `BOOT_SECONDS`
(15) after its order, and may go when nothing has changed on it for `IDLE_SECONDS` (15). Then, in a pool whose runs may
be disrupted, most of `MOVED` (42) runs end and the others go on, on machines that are nearly empty: Karpenter moves
them together. At last every machine is taken away under `TAKEN` (14) runs that ask to be left alone, as when a cloud
wants its spot capacity back.

Real are Karpenter, the scheduler, the Job controller, the Eviction API, Postgres and our controller. Played are the
machines (by kwok) and what happens in pods (by `nodes_runners`). `PHASES` (follow disrupt take) says which are run.
"""

import asyncio
import math
import os
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

from benchmarks import nodes_plot
from benchmarks.nodes_runners import Runners
from benchmarks.nodes_timeline import Timeline, node_seconds, spread
from benchmarks.report import RESULTS, Figure, report
from benchmarks.scale_agent import playing
from benchmarks.scale_arena import Arena, controller, place, runner_pods
from tests.cluster import acquire
from tests.cluster.karpenter import Machines, karpenter

N = int(os.environ.get("N") or 200)
MAXIMUM = int(os.environ.get("MAXIMUM") or 100)
MOVED = int(os.environ.get("MOVED") or 42)
TAKEN = int(os.environ.get("TAKEN") or 14)
RUN_SECONDS = float(os.environ.get("RUN_SECONDS") or 20)
LONG_SECONDS = float(os.environ.get("LONG_SECONDS") or 90)
BOOT_SECONDS = int(os.environ.get("BOOT_SECONDS") or 15)
IDLE_SECONDS = int(os.environ.get("IDLE_SECONDS") or 15)
PHASES = (os.environ.get("PHASES") or "follow disrupt take").split()
# A run of `LONG_SECONDS` may be moved more than once, and begins anew each time.
ANSWER_TIMEOUT = 900.0
# A runner has 30 s to end.
MACHINE = Machines(cpus=8, boot_seconds=BOOT_SECONDS, idle_seconds=IDLE_SECONDS, grace_seconds=35)
RUNS_A_MACHINE = MACHINE.cpus - 1
PLOT = RESULTS / "nodes.svg"

RUNS = """
select extract(epoch from started_at)::float8 as started, extract(epoch from released_at)::float8 as released, cause,
    extract(epoch from lead(started_at) over (partition by job_id order by epoch) - ended_at)::float8 as again
from runs
"""
JOBS = "select count(*) filter (where state = 'completed') as completed, sum(attempts)::int as attempts," \
    " sum(interruptions)::int as interruptions from jobs"  # fmt: skip


def pods(annotations: dict[str, str]) -> dict[str, Any]:
    """RUNNER_CONFIG: runs of one processor, so that a machine has room for a few."""
    resources = {"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"memory": "512Mi"}}
    return {**runner_pods(), "resources": resources, "annotations": annotations}


async def work_off(
    where: Arena,
    count: int,
    seconds: Callable[[UUID], float],
    annotations: dict[str, str] | None = None,
    meanwhile: Callable[[Timeline], Awaitable[None]] | None = None,
) -> Timeline:
    """Submits jobs, and returns when all have run and every machine is gone.

    Args:
        where: the cluster and the queue.
        count: of the jobs.
        seconds: that the run of a job takes.
        annotations: of the pods, beside our own.
        meanwhile: what happens once they are submitted.
    """
    with controller(where, MAXIMUM, pods(annotations or {})):
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(playing(Runners(where, seconds)))
            timeline = await stack.enter_async_context(playing(Timeline(where)))
            # The watches are open then.
            await asyncio.sleep(3)
            await asyncio.to_thread(where.queue.fill, count)
            timeline.began = await asyncio.to_thread(
                where.one, "select extract(epoch from min(created_at))::float8 from jobs"
            )
            if meanwhile:
                await meanwhile(timeline)
            await timeline.until(lambda look: look.unfinished == 0, "the queue to be empty", ANSWER_TIMEOUT)
            await timeline.until(lambda look: look.ordered == look.ready == 0, "every machine to go", ANSWER_TIMEOUT)
    return timeline


def follow(where: Arena) -> tuple[list[Figure], Timeline]:
    """A queue for a cluster without nodes: they come, and go when it is empty."""

    def seconds(_: UUID) -> float:
        return random.uniform(0.5, 1.5) * RUN_SECONDS

    timeline = asyncio.run(work_off(where, N, seconds))
    machines, began = timeline.machines, timeline.began
    runs = where.queue.connection.execute(RUNS.encode()).fetchall()
    started = sorted(run["started"] - began for run in runs)
    settled = max(run["released"] for run in runs)
    [jobs] = where.queue.connection.execute(JOBS.encode()).fetchall()
    most, least = max(look.ready for look in timeline.looks), math.ceil(min(N, MAXIMUM) / RUNS_A_MACHINE)
    booted, last = f"booted after {BOOT_SECONDS} s", started[min(N, MAXIMUM) - 1]
    first_ready, ends = min(machines.ready.values()) - began, max(machines.gone.values()) - settled
    held, needed = node_seconds(timeline.looks), N * RUN_SECONDS / RUNS_A_MACHINE
    return [
        Figure("submit to the first machine ordered", min(machines.ordered.values()) - began, "s"),
        Figure(f"submit to the first node ready, {booted}", first_ready, "s"),
        Figure("submit to the first run at work", started[0], "s", "first node ready", started[0] / first_ready),
        Figure(f"submit to {min(N, MAXIMUM)} runs at work or done", last, "s", "first node ready", last / first_ready),
        Figure(f"submit to all {N} settled", settled - began, "s"),
        Figure("nodes at most", most, "", f"least for {MAXIMUM} runs", most / least, "at most a quarter more",
               most <= least * 1.25),
        Figure("last settled to every node gone", ends, "s", f"idle {IDLE_SECONDS} s", ends / IDLE_SECONDS),
        Figure("machine time held", held, "s", "its runs alone", held / needed),
        Figure("jobs completed", jobs["completed"], "", goal=f"{N}", met=jobs["completed"] == N),
        Figure("interruptions while Karpenter consolidates", jobs["interruptions"], "", goal="0",
               met=jobs["interruptions"] == 0),
        Figure("attempts used by failures", jobs["attempts"], "", goal="0", met=jobs["attempts"] == 0),
    ], timeline  # fmt: skip


def disrupt(where: Arena) -> tuple[list[Figure], Timeline]:
    """Runs that may be disrupted, on machines that are nearly empty after a while."""

    def seconds(job: UUID) -> float:
        return LONG_SECONDS if job.int % 3 == 0 else RUN_SECONDS / 2

    may_go = {"karpenter.sh/do-not-disrupt": "false"}
    timeline = asyncio.run(work_off(where, MOVED, seconds, may_go))
    return interrupted(where, MOVED, "evicted by a consolidation"), timeline


def take(where: Arena) -> tuple[list[Figure], Timeline]:
    """Machines that go whatever their runs ask for."""

    async def meanwhile(timeline: Timeline) -> None:
        await timeline.until(lambda look: look.running == TAKEN, "all to be at work", ANSWER_TIMEOUT)
        # Karpenter drains no node that was never ready.
        await timeline.until(lambda look: look.ready == look.ordered, "all nodes to be ready", ANSWER_TIMEOUT)
        await asyncio.to_thread(where.cluster.kubectl, "delete", "nodeclaims", "--all", "--wait=false")

    timeline = asyncio.run(work_off(where, TAKEN, lambda _: LONG_SECONDS / 2, meanwhile=meanwhile))
    return interrupted(where, TAKEN, "ended with their machines"), timeline


def interrupted(where: Arena, count: int, how: str) -> list[Figure]:
    """What became of jobs that were interrupted, and what it cost them.

    Args:
        where: the queue.
        count: of all jobs.
        how: they were interrupted, in words.
    """
    runs = where.queue.connection.execute(RUNS.encode()).fetchall()
    [jobs] = where.queue.connection.execute(JOBS.encode()).fetchall()
    ended = [run["again"] for run in runs if run["cause"] != "completed"]
    again = [seconds for seconds in ended if seconds is not None]
    once = jobs["completed"] == count and len(runs) == count + len(ended) and len(again) == len(ended)
    median, most = spread(again or [0.0])
    return [
        Figure(f"runs {how}", len(ended), "", goal="some", met=bool(ended)),
        Figure(f"{how}: interruptions", jobs["interruptions"], "", goal="one each",
               met=jobs["interruptions"] == len(ended)),
        Figure(f"{how}: attempts used", jobs["attempts"], "", goal="0", met=jobs["attempts"] == 0),
        Figure(f"{how}: end to running again, median", median, "s"),
        Figure(f"{how}: end to running again, 95 of 100", most, "s"),
        Figure(f"{how}: jobs completed", jobs["completed"], "", goal=f"{count}, each once", met=once),
    ]  # fmt: skip


PARTS = {"follow": follow, "disrupt": disrupt, "take": take}


def measure(name: str) -> tuple[list[Figure], Timeline]:
    """One phase, on a cluster and a database of its own; the names are those of PARTS."""
    with acquire() as cluster, karpenter(cluster, MACHINE), place(cluster) as where:
        return PARTS[name](where)


def publish(measured: dict[str, tuple[list[Figure], Timeline]]) -> None:
    """Reports and draws what was measured, by the names of the phases."""
    report("nodes", [figure for figures, _ in measured.values() for figure in figures])
    panels = {nodes_plot.TITLES[name]: timeline.looks for name, (_, timeline) in measured.items()}
    PLOT.write_text(nodes_plot.svg(panels))


def main() -> None:
    """Measures, reports and draws."""
    with acquire():
        measured = {name: measure(name) for name in PHASES}
    publish(measured)


if __name__ == "__main__":
    main()
