"""As much of an API server as a controller without runs needs: it keeps ParserPools, tells of them, and tries Jobs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

_VERBS = ["create", "delete", "get", "list", "patch", "watch"]


def _resources(*kinds: tuple[str, str, bool]) -> dict[str, Any]:
    made = [
        {"name": name, "singularName": "", "kind": kind, "namespaced": namespaced, "verbs": _VERBS}
        for name, kind, namespaced in kinds
    ]
    return {"resources": made}


_DISCOVERY: dict[str, dict[str, Any]] = {
    "/version": {"major": "1", "minor": "34"},
    "/api": {"versions": ["v1"]},
    "/api/v1": _resources(("pods", "Pod", True), ("namespaces", "Namespace", False)),
    "/apis": {
        "groups": [
            {"name": name, "preferredVersion": {"version": "v1"}, "versions": [{"version": "v1"}]}
            for name in ("batch", "affirm.dev")
        ]
    },
    "/apis/batch/v1": _resources(("jobs", "Job", True)),
    "/apis/affirm.dev/v1": _resources(("parserpools", "ParserPool", True)),
}


class PoolsApi:
    """Its objects, and the requests for them."""

    def __init__(self) -> None:
        self.url = ""
        self.pools: dict[str, dict[str, Any]] = {}
        self.writes = 0
        """Of the status of any pool."""
        self.events: list[tuple[str, str]] = []
        """Kind and reason."""
        self._watchers: list[asyncio.Queue[dict[str, Any]]] = []
        self._ending = asyncio.Event()

    @property
    def watched(self) -> bool:
        """Whether anybody watches; earlier events reach nobody."""
        return bool(self._watchers)

    def put(self, name: str, **spec: Any) -> None:
        """Makes a pool or changes it, and tells of it."""
        old = self.pools.get(name)
        metadata = {"name": name, "namespace": "default", "uid": f"u-{name}", "generation": 1, "resourceVersion": "1"}
        metadata |= {"creationTimestamp": "2026-11-24T10:00:00Z"}
        if old is not None:
            metadata["generation"] = old["metadata"]["generation"] + 1
        made = {"apiVersion": "affirm.dev/v1", "kind": "ParserPool", "metadata": metadata}
        self.pools[name] = made | {
            "spec": {"controller": "affirm-worker", **spec},
            "status": (old or {}).get("status", {}),
        }
        self._tell("ADDED" if old is None else "MODIFIED", self.pools[name])

    def delete(self, name: str) -> None:
        """Removes a pool, and tells of it."""
        self._tell("DELETED", self.pools.pop(name))

    def status(self, name: str) -> dict[str, Any]:
        """As it was written last."""
        found: dict[str, Any] = self.pools[name]["status"]
        return found

    def _tell(self, type: str, pool: dict[str, Any]) -> None:
        for watcher in self._watchers:
            watcher.put_nowait({"type": type, "object": pool})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in _DISCOVERY:
            return web.json_response(_DISCOVERY[request.path])
        if request.query.get("watch"):
            return await self._watch(request)
        if request.method == "GET":
            items = [*self.pools.values()] if request.path.endswith("/parserpools") else []
            return web.json_response({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items})
        body = await request.json()
        if request.method == "PATCH":
            return self._write(request.path.split("/")[-2], body[0]["value"])
        if request.path.endswith("/events"):
            self.events.append((body["involvedObject"]["kind"], body["reason"]))
        elif body["spec"]["template"]["spec"]["containers"][0]["image"] == "bad":
            message = 'Job.batch "x" is invalid: spec.template.spec.containers[0].image: Invalid value'
            return web.json_response({"message": message}, status=422)
        return web.json_response(body, status=201)

    def _write(self, name: str, status: dict[str, Any]) -> web.Response:
        self.writes += 1
        self.pools[name] |= {"status": status}
        self._tell("MODIFIED", self.pools[name])
        return web.json_response(self.pools[name])

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        if request.path.endswith("/parserpools"):
            self._watchers.append(queue)
        ending = asyncio.create_task(self._ending.wait())
        while not ending.done():
            told = asyncio.create_task(queue.get())
            await asyncio.wait([told, ending], return_when=asyncio.FIRST_COMPLETED)
            if told.done():
                await stream.write(json.dumps(told.result()).encode() + b"\n")
            else:
                told.cancel()
        return stream


@asynccontextmanager
async def serving() -> AsyncIterator[PoolsApi]:
    """One that listens on this machine."""
    api = PoolsApi()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", api._answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        api._ending.set()
        await runner.cleanup()
