"""Lists and look-ups for bench_api: by HTTP, by their SQL alone, by many clients at once, and claims beside them."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from api.routes.datasets import datasets_as_json
from api.routes.jobs import jobs_as_json
from benchmarks.api_clients import browse, connected, request
from benchmarks.api_servers import Served, our_api
from benchmarks.queue_ours import Queue, claim
from benchmarks.report import Figure, percentile
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.states import DatasetStatus, JobState
from dataset_jobs.store.client_connection import ClientConnection, Row
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from services.client import Client
from services.filters import DatasetFilter, JobFilter

LIMIT = 50
QUEUED, BETWEEN_CLAIMS = 10_000, 0.02
SQL_GOAL, ROUTE_GOAL = 10, 50
"""Milliseconds, of the 99th percentile."""

JOBS = {
    "": JobFilter(),
    "?state=completed": JobFilter((JobState.COMPLETED,)),
    "?state=failed": JobFilter((JobState.FAILED,)),
    "?state=queued": JobFilter((JobState.QUEUED,)),
    "?state=scheduled": JobFilter((JobState.SCHEDULED,)),
    "?cause=unavailable": JobFilter(causes=(Cause.UNAVAILABLE,)),
    "?country=FR": JobFilter(country="FR"),
    "?filename=yob77.txt": JobFilter(file="yob77.txt", newest_files=100_000),
}
DATASETS = {
    "": DatasetFilter(),
    "?status=failed": DatasetFilter((DatasetStatus.FAILED,)),
    "?country=FR": DatasetFilter(country="FR"),
}


class Browsing(NamedTuple):
    """Who looks on.

    Args:
        clients: how many.
        pause: seconds between two requests of one, on average.
        seconds: how long.
    """

    clients: int
    pause: float
    seconds: float


class Timed(ClientConnection):
    """Adds up what its statements take."""

    seconds = 0.0

    def all(self, name: str, /, **parameters: Any) -> list[Row]:
        began = time.perf_counter()
        try:
            return super().all(name, **parameters)
        finally:
            self.seconds += time.perf_counter() - began


def times(conninfo: str, key: str, folder: Path, samples: int, claims: int, browsing: Browsing) -> list[Figure]:
    """Of every list alone, of every route while many look on, and of claims.

    Args:
        conninfo, key: a large database, and a key of an admin.
        folder: for the API.
        samples: of each list.
        claims: of each percentile.
        browsing: who looks on.
    """
    with our_api(conninfo, folder) as served, closing(Queue(conninfo)) as queue:
        queue.fill(QUEUED)
        queue.settle()
        figures = asyncio.run(_alone(served, conninfo, key, samples))
        paths = asyncio.run(_every_path(served, conninfo, key))
        figures += _claims("alone", asyncio.run(_claim(queue, claims)))
        # Clients in another process: what they do must not be counted as the controller's.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
            watched = other.submit(browse, served.port, key, [*paths.values()], *browsing)
            beside = asyncio.run(_claim(queue, QUEUED - claims, watched))
            found = {template: watched.result()[path] for template, path in paths.items()}
    figures += _claims(f"while {browsing.clients} look on", beside)
    return figures + _routes(found, browsing)


async def _alone(served: Served, conninfo: str, key: str, samples: int) -> list[Figure]:
    figures = []
    timed = Timed(conninfo)
    pages: dict[str, Callable[[Client], object]] = {
        **{f"/v1/jobs{query}": _jobs(which) for query, which in JOBS.items()},
        **{f"/v1/datasets{query}": _datasets(which) for query, which in DATASETS.items()},
    }
    with Client(timed) as client:
        async with connected(served.port) as connection:
            for path, read in pages.items():
                by_http, by_sql = [], []
                for _ in range(samples):
                    began = time.perf_counter()
                    answer = await connection.ask(request("GET", path, key))
                    by_http.append(time.perf_counter() - began)
                    assert answer.status == 200, answer.body
                    timed.seconds = 0.0
                    read(client)
                    by_sql.append(timed.seconds)
                figures += _pair(path, by_http, by_sql)
    return figures


def _jobs(which: JobFilter) -> Callable[[Client], object]:
    return lambda client: jobs_as_json(client, client.jobs.page(which, LIMIT).items)


def _datasets(which: DatasetFilter) -> Callable[[Client], object]:
    return lambda client: datasets_as_json(client, client.datasets.select(which).page(LIMIT).items)


def _pair(path: str, by_http: list[float], by_sql: list[float]) -> list[Figure]:
    sql, whole = percentile(by_sql, 99), percentile(by_http, 99)
    return [
        Figure(f"{path}: SQL alone, p50", percentile(by_sql, 50), "ms"),
        Figure(f"{path}: SQL alone, p99", sql, "ms", goal=f"under {SQL_GOAL} ms", met=sql < SQL_GOAL),
        Figure(f"{path}: p50", percentile(by_http, 50), "ms"),
        Figure(f"{path}: p99", whole, "ms", "its SQL", whole / sql, f"under {ROUTE_GOAL} ms", whole < ROUTE_GOAL),
    ]


async def _every_path(served: Served, conninfo: str, key: str) -> dict[str, str]:
    """A path for every route that reads and ends, from the API's own document; where nothing is found there, none."""
    with psycopg.connect(conninfo) as connection:
        [ids] = connection.execute(
            "select jobs.id, datasets.id from jobs join datasets on datasets.id = dataset_id"
            " where state = 'failed' order by jobs.key desc limit 1"
        ).fetchall()
    filled = {"job_id": ids[0], "dataset_id": ids[1], "country": "US", "name": "default", "code": "no-key"}
    found = {}
    async with connected(served.port) as connection:
        document = json.loads((await connection.ask(request("GET", "/v1/openapi.json", key))).body)
        for path, routes in document["paths"].items():
            if "get" not in routes or "text/event-stream" in json.dumps(routes["get"]["responses"].get("200", {})):
                continue
            asked = path.format_map(_Or(filled))
            if "{" not in asked and (await connection.ask(request("GET", asked, key))).status == 200:
                found[path] = asked
    filtered = [f"/v1/jobs{query}" for query in JOBS] + [f"/v1/datasets{query}" for query in DATASETS]
    return found | {path: path for path in filtered}


class _Or(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


async def _claim(queue: Queue, claims: int, until: "Future[Any] | None" = None) -> list[float]:
    """Claims one job at a time, so many times, or until something has ended; the seconds of each claim."""
    took: list[float] = []
    async with controller_pool(queue.conninfo, 2) as pool:
        store = ControllerStore(pool)
        while len(took) < claims and not (until is not None and until.done()):
            seconds, claimed = await claim(store, 1)
            assert claimed
            took.append(seconds)
            await asyncio.to_thread(queue.release)
            await asyncio.sleep(BETWEEN_CLAIMS)
    return took


def _claims(when: str, took: list[float]) -> list[Figure]:
    about = f"a claim of one job {when}"
    return [Figure(f"{about}, p50", percentile(took, 50), "ms"), Figure(f"{about}, p99", percentile(took, 99), "ms")]


def _routes(found: Mapping[str, list[float]], browsing: Browsing) -> list[Figure]:
    number = sum(map(len, found.values()))
    figures = [Figure(f"answers to {browsing.clients} clients", number / browsing.seconds, "1/s")]
    for path, took in found.items():
        if len(took) > 1:
            p99 = percentile(took, 99)
            figures += [
                Figure(f"{browsing.clients} clients, {path}: p50", percentile(took, 50), "ms"),
                Figure(
                    f"{browsing.clients} clients, {path}: p99 of {len(took)}", p99, "ms",
                    goal=f"under {ROUTE_GOAL} ms", met=p99 < ROUTE_GOAL,
                ),
            ]  # fmt: skip
    return figures
