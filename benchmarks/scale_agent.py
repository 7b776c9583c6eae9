"""Plays kubelet and runner for pods in which nothing runs.

A pod starts at once, its run is taken and committed by the product's own statements, and later the pod ends.

The commit has its fence but no rows. The cost of a real runner for its file and rows is missing too: this measures
controller and cluster.
"""

import asyncio
import contextlib
import json
import random
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import aiohttp
import psycopg
from kubernetes.aio.client import ApiClient
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb

from benchmarks.scale_arena import Arena
from controller.launchers.kubernetes.api import load_configuration
from controller.launchers.kubernetes.objects import pod_of
from controller.pools.runner_pod import CONTAINER
from dataset_jobs.model.keys import RUN_LEASE, RUN_SECRET
from dataset_jobs.store.statements import statement

WORKERS = 6
RENEWAL_SECONDS = 15.0

LOADED = {
    "loaded": Jsonb({"rows": 1, "total": 1, "parser": "us-ssa", "measure": "births", "coverage": []}),
    "bytes": 1, "log": None, "patience": "60s", "lease": RUN_LEASE,
}  # fmt: skip


class Player(Protocol):
    """Plays runners."""

    async def work(self) -> None:
        """Until it is cancelled."""


_A = TypeVar("_A", bound=Player)


class Agent:
    """Plays the runners of one namespace.

    Args:
        arena: where.
        seconds: how long a pod runs, give or take a half; None: for ever, and nothing is committed.
    """

    def __init__(self, arena: Arena, seconds: float | None) -> None:
        self.seconds = seconds
        self.ended: dict[str, float] = {}
        """When this host asked for a pod's end, by job id: before the API server knew of it."""
        self._arena = arena
        self._scheduled: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ends: set[asyncio.Task[None]] = set()
        self._known: set[str] = set()

    async def work(self) -> None:
        """Until it is cancelled."""
        configuration = await load_configuration(self._arena.cluster.kubeconfig)
        async with ApiClient(configuration) as client:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._watch(client))
                    group.create_task(self._renew())
                    for _ in range(WORKERS):
                        group.create_task(self._run_pods(client))
            finally:
                for end in self._ends:
                    end.cancel()

    async def _watch(self, client: ApiClient) -> None:
        async for line in events(client, f"/api/v1/namespaces/{self._arena.namespace}/pods"):
            # Most events are of no interest, and decoding is what costs.
            if b'"phase":"Pending"' in line and b'"nodeName":"' in line:
                self._saw(json.loads(line)["object"])

    def _saw(self, pod: dict[str, Any]) -> None:
        if pod["spec"].get("nodeName") and pod["metadata"]["uid"] not in self._known:
            self._known.add(pod["metadata"]["uid"])
            self._scheduled.put_nowait(pod)

    async def _run_pods(self, client: ApiClient) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._arena.queue.conninfo, autocommit=True, row_factory=dict_row
        )
        async with connection:
            while True:
                pod = await self._scheduled.get()
                key = pod_of(pod).metadata.key
                if key is None:
                    continue
                who = {
                    "job_id": key.job_id, "epoch": key.epoch, "runner_uid": pod["metadata"]["uid"],
                    "pod_name": pod["metadata"]["name"], "node": pod["spec"]["nodeName"],
                    "secret": variables(pod)[RUN_SECRET],
                }  # fmt: skip
                await set_status(client, pod, "Running", {"running": {"startedAt": now()}})
                taken = await (await connection.execute(statement("runner.take"), {**LOADED, **who})).fetchone()
                if self.seconds is None:
                    continue
                was_taken = taken is not None and "assignment" in taken["answer"]
                code = 0 if was_taken and await commit(connection, {**LOADED, **who}) else 3
                end = asyncio.create_task(self._end(client, pod, code, self.seconds))
                self._ends.add(end)
                end.add_done_callback(self._ends.discard)

    async def _end(self, client: ApiClient, pod: dict[str, Any], code: int, seconds: float) -> None:
        # Not all at once.
        await asyncio.sleep(random.uniform(0.5, 1.5) * seconds)
        self.ended[pod["metadata"]["labels"]["affirm.dev/job-id"]] = time.time()
        terminated = {"exitCode": code, "startedAt": now(), "finishedAt": now()}
        await set_status(client, pod, "Failed" if code else "Succeeded", {"terminated": terminated})

    async def _renew(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._arena.queue.conninfo, autocommit=True)
        async with connection:
            while True:
                await asyncio.sleep(RENEWAL_SECONDS)
                await connection.execute(
                    "update runs set lease_until = clock_timestamp() + %s where started_at is not null"
                    " and ended_at is null and released_at is null",
                    [RUN_LEASE],
                )


async def events(client: ApiClient, path: str) -> AsyncIterator[bytes]:
    """What a watch of the API server tells, an event a line, again and again."""
    while True:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            response = await call(client, "GET", path, {"watch": "true", "timeoutSeconds": "3000"}, seconds=3000)
            # Lines may be longer than the reader's limit of one.
            rest = b""
            async for chunk in response.response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line


async def commit(connection: psycopg.AsyncConnection[DictRow], parameters: dict[str, Any]) -> bool:
    async with connection.transaction():
        begun = await (await connection.execute(statement("load.begin"), parameters)).fetchone()
        held = begun == {"answer": None}
        if held:
            await connection.execute(statement("load.commit"), parameters)
    return held


def variables(pod: dict[str, Any]) -> dict[str, str]:
    """The runner's environment, as far as the pod itself has it."""
    [container] = [one for one in pod["spec"]["containers"] if one["name"] == CONTAINER]
    return {one["name"]: one["value"] for one in container["env"] if "value" in one}


async def set_status(client: ApiClient, pod: dict[str, Any], phase: str, state: dict[str, Any]) -> None:
    container = {
        "name": CONTAINER, "image": "none", "imageID": "", "restartCount": 0, "ready": phase == "Running",
        "state": state,
    }  # fmt: skip
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    status = {"phase": phase, "startTime": now(), "containerStatuses": [container]}
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
    response = await call(client, "PATCH", path, body={"status": status})
    await response.read()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


async def call(
    client: ApiClient,
    method: str,
    path: str,
    query: dict[str, str] | None = None,
    body: Any = None,
    seconds: float = 30,
) -> Any:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
    request = await client.param_serialize(
        method, path, query_params=list((query or {}).items()), header_params=headers, body=body,
        auth_settings=["BearerToken"],
    )  # fmt: skip
    return await client.call_api(*request, _request_timeout=seconds)


@asynccontextmanager
async def playing(agent: _A) -> AsyncIterator[_A]:
    """The agent works meanwhile."""
    task = asyncio.create_task(agent.work())
    task.add_done_callback(_tell)
    try:
        yield agent
        if task.done():
            task.result()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _tell(task: asyncio.Task[None]) -> None:
    """Prints the error at once: a process that waits for pods to end would only time out."""
    if not task.cancelled() and (error := task.exception()) is not None:
        traceback.print_exception(error)
