"""Plays kubelet and runner on nodes that come and go, and can be told to stop.

Nothing runs in the pods of kwok's nodes. What stands for a run here: it is taken, committed or reported as stopped by
the product's own statements, and its pod's states are those that a kubelet reports. Karpenter, the scheduler, the Job
controller, the Eviction API and our controller are the real ones, and know no difference.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from kubernetes.aio.client import ApiClient, ApiException
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from benchmarks.scale_agent import LOADED, RENEWAL_SECONDS, call, commit, events, now, set_status, variables
from benchmarks.scale_arena import Arena
from controller.launchers.kubernetes.api import load_configuration
from controller.launchers.kubernetes.objects import pod_of
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.keys import RUN_LEASE, RUN_SECRET
from dataset_jobs.model.outcome import ExitCode, Outcome
from dataset_jobs.store.statements import statement

CONNECTIONS = 6
_STOPPED = Outcome(Cause.SHUT_DOWN, error="the runner was told to stop (SIGTERM)")
_RENEW = (
    "update runs set lease_until = clock_timestamp() + %s where runner_uid = any(%s) and ended_at is null"
    " and released_at is null"
)


class Runners:
    """Those of one namespace.

    Args:
        arena: where.
        seconds: how long the run of a job takes.
    """

    def __init__(self, arena: Arena, seconds: Callable[[UUID], float]) -> None:
        self._arena = arena
        self._seconds = seconds
        self._told: dict[str, asyncio.Event] = {}
        """Set once a pod is asked to end, by its uid."""
        self._started: set[str] = set()
        self._alive: dict[str, str] = {}
        """The node of each run at work, by its pod's uid."""

    async def work(self) -> None:
        """Until it is cancelled."""
        configuration = await load_configuration(self._arena.cluster.kubeconfig)
        pool = AsyncConnectionPool(
            self._arena.queue.conninfo, min_size=1, max_size=CONNECTIONS, open=False,
            kwargs={"autocommit": True, "row_factory": dict_row},
        )  # fmt: skip
        async with ApiClient(configuration) as client, pool, asyncio.TaskGroup() as group:
            group.create_task(self._renew(pool))
            group.create_task(self._lose(client))
            async for line in events(client, f"/api/v1/namespaces/{self._arena.namespace}/pods"):
                # Most events are of no interest, and decoding is what costs.
                if b'"nodeName":"' not in line or line.startswith(b'{"type":"DELETED"'):
                    continue
                if b'"deletionTimestamp":"' in line:
                    self._event(json.loads(line)["object"]).set()
                elif b'"phase":"Pending"' in line:
                    pod = json.loads(line)["object"]
                    if pod["metadata"]["uid"] not in self._started:
                        self._started.add(pod["metadata"]["uid"])
                        group.create_task(self._run(client, pool, pod))

    def _event(self, pod: dict[str, Any]) -> asyncio.Event:
        return self._told.setdefault(pod["metadata"]["uid"], asyncio.Event())

    async def _run(self, client: ApiClient, pool: AsyncConnectionPool[Any], pod: dict[str, Any]) -> None:
        try:
            await self._play(client, pool, pod)
        except ApiException as error:
            # A pod may go at any moment, with its Job or its node.
            if error.status not in (404, 409):
                raise

    async def _play(self, client: ApiClient, pool: AsyncConnectionPool[Any], pod: dict[str, Any]) -> None:
        key = pod_of(pod).metadata.key
        if key is None:
            return
        who = {
            **LOADED, "job_id": key.job_id, "epoch": key.epoch, "runner_uid": pod["metadata"]["uid"],
            "pod_name": pod["metadata"]["name"], "node": pod["spec"]["nodeName"], "secret": variables(pod)[RUN_SECRET],
        }  # fmt: skip
        uid = pod["metadata"]["uid"]
        self._alive[uid] = pod["spec"]["nodeName"]
        await set_status(client, pod, "Running", {"running": {"startedAt": now()}})
        async with pool.connection() as connection:
            answer = await (await connection.execute(statement("runner.take"), who)).fetchone()
        taken = answer is not None and "assignment" in answer["answer"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds(key.job_id)):
                await self._event(pod).wait()
        if self._alive.pop(uid, None) is None:
            return  # with its machine, and without a word
        if self._event(pod).is_set():
            await self._stop(client, pool, pod, who)
            return
        async with pool.connection() as connection:
            code = ExitCode.COMPLETED if taken and await commit(connection, who) else ExitCode.LOST_LEASE
        await _end(client, pod, code)

    async def _stop(
        self, client: ApiClient, pool: AsyncConnectionPool[Any], pod: dict[str, Any], who: dict[str, Any]
    ) -> None:
        """The runner's last words after SIGTERM, and the kubelet's: the pod has ended, and may go."""
        async with pool.connection() as connection:
            await connection.execute(
                statement("runner.record_outcome"), {**who, "outcome": Jsonb(_STOPPED.as_dict()), "log": None}
            )
        await _end(client, pod, ExitCode.SHUT_DOWN, _STOPPED.to_message())
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        response = await call(client, "DELETE", path, body={"apiVersion": "v1", "kind": "DeleteOptions", **options})
        await response.read()

    async def _renew(self, pool: AsyncConnectionPool[Any]) -> None:
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            async with pool.connection() as connection:
                await connection.execute(_RENEW, [RUN_LEASE, [*self._alive]])

    async def _lose(self, client: ApiClient) -> None:
        """Runs whose node goes before they were told to end are gone with it."""
        async for line in events(client, "/api/v1/nodes"):
            if line.startswith(b'{"type":"DELETED"'):
                node = json.loads(line)["object"]["metadata"]["name"]
                for uid in [uid for uid, where in self._alive.items() if where == node]:
                    del self._alive[uid]
                    self._told.setdefault(uid, asyncio.Event()).set()


async def _end(client: ApiClient, pod: dict[str, Any], code: ExitCode, message: str = "") -> None:
    ended = {"exitCode": int(code), "startedAt": now(), "finishedAt": now(), "message": message}
    await set_status(client, pod, "Failed" if code else "Succeeded", {"terminated": ended})
