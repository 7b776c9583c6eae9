"""What happens to machines and runs while a queue is worked off, moment by moment."""

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psycopg
from kubernetes.aio.client import ApiClient
from psycopg.rows import dict_row

from benchmarks.scale_agent import events
from benchmarks.scale_arena import Arena
from controller.launchers.kubernetes.api import load_configuration
from tests.cluster import kwok

CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
NODES = "/api/v1/nodes"
LOOK_SECONDS = 0.5

_COUNT = """
select (select count(*) from jobs where state in ('queued', 'scheduled')) as waiting,
    count(*) filter (where started_at is null) as pending,
    count(*) filter (where started_at is not null and ended_at is null) as running,
    (select count(*) from jobs where finished_at is null) as unfinished
from runs where released_at is null
"""


@dataclass(frozen=True, slots=True)
class Look:
    """One moment.

    Args:
        at: seconds since the submit.
        waiting: jobs in the queue.
        pending: runs whose pod is not at work yet.
        running: runs at work.
        unfinished: jobs.
        ordered: machines that Karpenter has ordered and not given back, ready or not.
        ready: nodes that take pods.
    """

    at: float
    waiting: int
    pending: int
    running: int
    unfinished: int
    ordered: int
    ready: int


class Machines:
    """Karpenter's machines as the API server tells of them."""

    def __init__(self) -> None:
        self.ordered: dict[str, float] = {}
        self.given_back: dict[str, float] = {}
        self.ready: dict[str, float] = {}
        self.gone: dict[str, float] = {}
        """When each was first seen so, by name; the first two are of claims, the others of nodes."""

    def claim(self, event: dict[str, Any], at: float) -> None:
        """An event of a NodeClaim."""
        name = event["object"]["metadata"]["name"]
        if event["type"] == "DELETED":
            self.given_back.setdefault(name, at)
        else:
            self.ordered.setdefault(name, at)

    def node(self, event: dict[str, Any], at: float) -> None:
        """An event of a node; others than kwok's do not count."""
        about = event["object"]
        name, labels = about["metadata"]["name"], about["metadata"].get("labels", {})
        if not kwok.LABEL.items() <= labels.items():
            return
        if event["type"] == "DELETED":
            self.gone.setdefault(name, at)
        elif takes_pods(about):
            self.ready.setdefault(name, at)

    def counts(self) -> tuple[int, int]:
        """Machines that are ordered, and nodes that are ready, now."""
        return len(self.ordered.keys() - self.given_back.keys()), len(self.ready.keys() - self.gone.keys())


def takes_pods(node: dict[str, Any]) -> bool:
    """Whether nothing but our own taint holds pods off, and its kubelet says that it is ready."""
    conditions = node["status"].get("conditions", [])
    is_ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return is_ready and all(one == kwok.TAINT for one in node["spec"].get("taints", []))


class Timeline:
    """Looks at an arena again and again.

    Args:
        arena: which.
    """

    def __init__(self, arena: Arena) -> None:
        self.looks: list[Look] = []
        self.machines = Machines()
        self.began = time.time()
        self._arena = arena

    async def work(self) -> None:
        """Watches the machines until it is cancelled."""
        configuration = await load_configuration(self._arena.cluster.kubeconfig)
        async with ApiClient(configuration) as client, asyncio.TaskGroup() as group:
            group.create_task(_watch(client, CLAIMS, self.machines.claim))
            group.create_task(_watch(client, NODES, self.machines.node))

    async def until(self, done: Callable[[Look], bool], what: str, seconds: float) -> None:
        """Looks until something holds; raises SystemExit with the last look if that takes too long."""
        deadline = time.monotonic() + seconds
        connection = await psycopg.AsyncConnection.connect(
            self._arena.queue.conninfo, autocommit=True, row_factory=dict_row
        )
        async with connection:
            while True:
                row = await (await connection.execute(_COUNT)).fetchone()
                assert row is not None
                ordered, ready = self.machines.counts()
                look = Look(time.time() - self.began, **row, ordered=ordered, ready=ready)
                self.looks.append(look)
                if done(look):
                    return
                if time.monotonic() > deadline:
                    raise SystemExit(f"waited {seconds:.0f} s in vain for {what}: {look}")
                await asyncio.sleep(LOOK_SECONDS)


async def _watch(client: ApiClient, path: str, tell: Callable[[dict[str, Any], float], None]) -> None:
    async for line in events(client, path):
        event = json.loads(line)
        if event["type"] in ("ADDED", "MODIFIED", "DELETED"):
            tell(event, time.time())


def node_seconds(looks: list[Look]) -> float:
    """How long machines were held in all, from order to return: what a cloud would bill."""
    return sum(before.ordered * (after.at - before.at) for before, after in pairwise(looks))


def spread(seconds: list[float]) -> tuple[float, float]:
    """Median and the 95th of a hundred."""
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))]
