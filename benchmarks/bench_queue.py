"""How fast the queue is: claims and finishes a second, and how long a claim takes in a table of a million jobs.

One server with Postgres' default settings; shows the median of `ROUNDS` (3) rounds. Procrastinate and pgqueuer do the
same work in the same rounds; queue_others describes it. `JOBS` (1,000,000) sets the size of the old table,
`HELD_SECONDS` (60) how long the snapshot is held.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg

from benchmarks.bench_load import AS_IT_COMES
from benchmarks.queue_ours import Queue, claim, claim_all, finish_all, fresh_queue
from benchmarks.report import Figure, percentile, report
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from tests.servers.postgres import PostgresServer

COUNTS = {1: 1000, 50: 10_000, 500: 40_000}
"""How many jobs are claimed in batches of each size."""

FINISHES = 1000
CLAIMS = 2000
"""How many claims of one job the percentiles are of."""

QUEUED, SCHEDULED = 10_000, 0.2
"""Of the old table: how many wait, and which part is for later."""

OTHERS = ("procrastinate", "pgqueuer")


@dataclass(frozen=True, slots=True)
class Old:
    """Seconds of the claims from a table of many jobs, without and with a snapshot that somebody holds."""

    without: list[float]
    held: list[float]


async def with_store(queue: Queue, do: Callable[[ControllerStore], Awaitable[None]]) -> None:
    """Does something with a controller's store."""
    async with controller_pool(queue.conninfo, 2) as pool:
        await do(ControllerStore(pool))


def rates(server: PostgresServer) -> dict[str, float]:
    """Of our queue, a second."""
    found: dict[str, float] = {}
    with fresh_queue(server, "ours") as queue:
        queue.fill(sum(COUNTS.values()) + FINISHES)
        queue.settle()

        async def measure(store: ControllerStore) -> None:
            for batch, count in COUNTS.items():
                found[f"claim {batch}"] = count / await claim_all(store, queue, batch, count)
            await claim(store, FINISHES)

        asyncio.run(with_store(queue, measure))
        found["finish 1"] = FINISHES / finish_all(queue, FINISHES)
    return found


def in_an_old_table(server: PostgresServer, jobs: int, held_seconds: float) -> Old:
    """One job a claim, as jobs come and go, most of them completed long ago."""
    without: list[float] = []
    held: list[float] = []
    with fresh_queue(server, "old") as queue:
        scheduled = int(jobs * SCHEDULED)
        for state, count in (("completed", jobs - scheduled - QUEUED), ("scheduled", scheduled), ("queued", QUEUED)):
            for _ in range(0, count, 50_000):
                queue.fill(min(50_000, count), state, timedelta(days=1, hours=1))
        queue.connection.execute(
            "update jobs set run_at = now() + interval '1 hour' + (run_at - now()) where state = 'scheduled'"
        )
        queue.connection.execute("update jobs set run_at = now() - interval '1 hour' where state = 'queued'")
        queue.settle()

        async def one(store: ControllerStore, into: list[float]) -> None:
            seconds, claimed = await claim(store, 1)
            assert len(claimed) == 1
            into.append(seconds)
            queue.release()
            if len(into) % 1000 == 0:
                queue.fill(1000)

        async def measure(store: ControllerStore) -> None:
            for _ in range(CLAIMS):
                await one(store, without)
            with psycopg.connect(queue.conninfo) as reader:
                reader.execute("set transaction isolation level repeatable read")
                reader.execute("select count(*) from pools")
                until = time.monotonic() + held_seconds
                while time.monotonic() < until:
                    await one(store, held)

        asyncio.run(with_store(queue, measure))
    return Old(without, held)


def of_another(server: PostgresServer, name: str, jobs: int = 0) -> dict[str, float]:
    """The figures of another queue, in a database of its own; with percentiles if it should have an old table."""
    python = Path(os.environ.get("BENCH_PYTHON", ".bench/bin/python"))
    conninfo = server.create_database(name)
    scheduled = int(jobs * SCHEDULED)
    history = max(0, jobs - scheduled - QUEUED)
    numbers = (0, CLAIMS, scheduled, history) if jobs else (COUNTS[500], COUNTS[1], 0, 0)
    done = subprocess.run(
        [python, Path(__file__).with_name("queue_others.py"), name, conninfo, *map(str, numbers)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    server.drop_database(name)
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stderr}")
    return {key: float(value) for key, value in json.loads(done.stdout).items()}


def compared(name: str, unit: str, ours: float, theirs: Mapping[str, float], goal: str = "", met: bool | None = None,
             less_is_better: bool = False) -> list[Figure]:  # fmt: skip
    """A figure for each queue that has one like it, or one alone."""
    if not theirs:
        return [Figure(name, ours, unit, goal=goal, met=met)]
    return [
        Figure(name, ours, unit, f"{other}: {value:,.4g}", value / ours if less_is_better else ours / value, goal, met)
        for other, value in theirs.items()
    ]


def figures(
    rounds: list[dict[str, dict[str, float]]], old: Old, others: Mapping[str, Mapping[str, float]]
) -> list[Figure]:
    """All of it."""

    def median(of: str, key: str) -> float:
        return statistics.median(one[of][key] for one in rounds)

    def theirs(key: str) -> dict[str, float]:
        return {name: median(name, key) for name in OTHERS if key in rounds[0][name]}

    found: list[Figure] = []
    for batch in COUNTS:
        rate = median("ours", f"claim {batch}")
        goal, met = ("at least 20,000", rate >= 20_000) if batch == 500 else ("", None)
        found += compared(f"jobs claimed, {batch} at a time", "/s", rate, theirs(f"claim {batch}"), goal, met)
    found += compared("jobs finished, fenced, one at a time", "/s", median("ours", "finish 1"), theirs("finish 1"))
    found += [Figure(f"jobs done by the worker of {name}", median(name, "worker"), "/s") for name in OTHERS]
    for percent in (50, 99):
        ours, held = percentile(old.without, percent), percentile(old.held, percent)
        goal, met = ("under 5 ms", ours < 5) if percent == 99 else ("", None)
        at = {name: of[f"p{percent}"] for name, of in others.items()}
        found += compared(f"a claim from an old table, p{percent}", "ms", ours, at, goal, met, less_is_better=True)
        found.append(Figure(f"the same with a snapshot held, p{percent}", held, "ms"))
    found.append(Figure("claims while the snapshot was held", len(old.held), ""))
    return found


def main() -> None:
    """Measures and reports."""
    jobs = int(os.environ.get("JOBS", "1_000_000"))
    with PostgresServer(settings=AS_IT_COMES, on_disk=True, auth="trust") as server:
        rounds: list[dict[str, dict[str, float]]] = []
        for _ in range(int(os.environ.get("ROUNDS", "3"))):
            rounds.append({"ours": rates(server), **{name: of_another(server, name) for name in OTHERS}})
            print(json.dumps(rounds[-1]), flush=True)
        old = in_an_old_table(server, jobs, float(os.environ.get("HELD_SECONDS", "60")))
        others = {name: of_another(server, name, jobs) for name in OTHERS}
    report("queue", figures(rounds, old, others))


if __name__ == "__main__":
    main()
