"""Other queues in Postgres doing the same work: run by bench_queue in a virtual environment of their own.

`python queue_others.py NAME CONNINFO COUNT CLAIMS SCHEDULED HISTORY` prints one JSON object: rates of up to COUNT jobs
and of CLAIMS one by one; or, if COUNT is 0, percentiles of the CLAIMS. Both are used as their documentation recommends:
psycopg for Procrastinate (its only driver), asyncpg for pgqueuer. The time is that of their workers' statements for a
job, fetching and finishing it, and that of the workers themselves, with an empty task. This file must not import any
module of ours.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

BATCHES = (1, 50, 500)
WORKED = 3000
"""Jobs for a worker of theirs."""


async def timed(do: Callable[[], Awaitable[Any]], into: list[float]) -> Any:
    """What it gives; its seconds go `into` a list."""
    began = time.perf_counter()
    result = await do()
    into.append(time.perf_counter() - began)
    return result


def percentile(seconds: list[float], percent: int) -> float:
    """In milliseconds."""
    return statistics.quantiles(seconds, n=100)[percent - 1] * 1000


async def procrastinate(conninfo: str, count: int, claims: int, scheduled: int, history: int) -> dict[str, float]:
    """Procrastinate: one job a fetch, and one a finish."""
    from procrastinate import App, PsycopgConnector
    from procrastinate.jobs import Status

    app = App(connector=PsycopgConnector(conninfo=conninfo, min_size=1, max_size=4))

    @app.task(name="nothing", queue="default")  # type: ignore[untyped-decorator]
    async def nothing() -> None:
        pass

    async def defer(number: int, later: bool = False) -> None:
        task = nothing.configure(schedule_in={"days": 1}) if later else nothing
        for _ in range(0, number, 5000):
            await task.batch_defer_async(*({} for _ in range(min(5000, number))))

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        manager = app.job_manager
        worker = await manager.register_worker()
        figures: dict[str, float] = {}

        async def fetched_and_finished(number: int) -> tuple[list[float], list[float]]:
            fetching: list[float] = []
            finishing: list[float] = []
            for _ in range(number):
                job = await timed(lambda: manager.fetch_job(queues=["default"], worker_id=worker), fetching)
                assert job is not None
                await timed(lambda: manager.finish_job(job, Status.SUCCEEDED, False), finishing)  # noqa: B023
            return fetching, finishing

        if count:
            await defer(claims)
            fetching, finishing = await fetched_and_finished(claims)
            figures["claim 1"] = claims / sum(fetching)
            figures["finish 1"] = claims / sum(finishing)
            await defer(WORKED)
            began = time.perf_counter()
            await app.run_worker_async(queues=["default"], wait=False, concurrency=10, install_signal_handlers=False)
            figures["worker"] = WORKED / (time.perf_counter() - began)
        else:
            async with app.connector.pool.connection() as connection:
                await connection.execute(
                    "insert into procrastinate_jobs (queue_name, task_name, args, status)"
                    " select 'default', 'nothing', '{}', 'succeeded' from generate_series(1, %s)",
                    [history],
                )
            await defer(scheduled, later=True)
            await defer(10_000)
            async with app.connector.pool.connection() as connection:
                await connection.set_autocommit(True)
                await connection.execute("vacuum (analyze) procrastinate_jobs")
                await connection.execute("checkpoint")
            fetching, _ = await fetched_and_finished(claims)
            figures |= {"p50": percentile(fetching, 50), "p99": percentile(fetching, 99)}
    return figures


async def pgqueuer(conninfo: str, count: int, claims: int, scheduled: int, history: int) -> dict[str, float]:
    """pgqueuer: any number of jobs a dequeue, and a finish. Finished jobs leave its table, and so does its history."""
    import asyncpg
    from pgqueuer import PgQueuer
    from pgqueuer.domain.types import QueueExecutionMode
    from pgqueuer.ports.repository import EntrypointExecutionParameter
    from pgqueuer.queries import Queries

    connection = await asyncpg.connect(conninfo)
    queries = Queries.from_asyncpg_connection(connection)
    await queries.install()
    me: Any = uuid4()
    entrypoints: Any = {"nothing": EntrypointExecutionParameter(0)}
    figures: dict[str, float] = {}

    async def enqueue(number: int, later: bool = False) -> None:
        for _ in range(0, number, 5000):
            size = min(5000, number)
            after: Any = [timedelta(days=1)] * size if later else None
            await queries.enqueue(["nothing"] * size, [None] * size, [0] * size, after)

    async def dequeued_and_logged(number: int, batch: int) -> tuple[list[float], list[float]]:
        dequeuing: list[float] = []
        logging: list[float] = []
        for _ in range(number // batch):
            jobs = await timed(lambda: queries.dequeue(batch, entrypoints, me, None, timedelta(seconds=30)), dequeuing)
            assert len(jobs) == batch
            await timed(lambda: queries.log_jobs([(job, "successful", None) for job in jobs]), logging)  # noqa: B023
        return dequeuing, logging

    for batch in BATCHES if count else ():
        number = claims if batch == 1 else min(count, 40 * batch)
        await enqueue(number)
        dequeuing, logging = await dequeued_and_logged(number, batch)
        figures[f"claim {batch}"] = number / sum(dequeuing)
        figures[f"finish {batch}"] = number / sum(logging)

    if count:
        await enqueue(WORKED)
        worker = PgQueuer.from_asyncpg_connection(connection)

        @worker.entrypoint("nothing")  # type: ignore[untyped-decorator]
        async def nothing(job: Any) -> None:
            pass

        began = time.perf_counter()
        await worker.run(batch_size=50, mode=QueueExecutionMode.drain)
        figures["worker"] = WORKED / (time.perf_counter() - began)
    else:
        await enqueue(scheduled, later=True)
        await enqueue(10_000)
        await connection.execute("vacuum (analyze) pgqueuer")
        await connection.execute("checkpoint")
        dequeuing, _ = await dequeued_and_logged(claims, 1)
        figures |= {"p50": percentile(dequeuing, 50), "p99": percentile(dequeuing, 99)}
    await connection.close()
    return figures


def main() -> None:
    """Runs one of them."""
    name, conninfo, *numbers = sys.argv[1:]
    run = {"procrastinate": procrastinate, "pgqueuer": pgqueuer}[name]
    print(json.dumps(asyncio.run(run(conninfo, *map(int, numbers)))))


if __name__ == "__main__":
    main()
