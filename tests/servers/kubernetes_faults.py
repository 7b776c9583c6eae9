"""Faults between a controller and an API server: a proxy before a real one, which fails on demand."""

import asyncio
import json
import re
import ssl
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
from aiohttp import web
from kubernetes.aio.client import Configuration

from controller.launchers.kubernetes.api import load_configuration

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answers with an error, and does nothing."""

    status: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Carries out the request, and answers with an error."""

    status: int = 504


@dataclass(frozen=True, slots=True)
class Reset:
    """Breaks the connection off, before or after the request is carried out."""

    carried_out: bool


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answers, and does nothing."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Gives the answer that was given the first time that this was asked."""


@dataclass(frozen=True, slots=True)
class CutWatch:
    """Breaks a watch off in the middle of an event, after a number of whole ones."""

    events: int = 0


@dataclass(frozen=True, slots=True)
class ExpireWatch:
    """Ends a watch with the event that says that its resource version is too old."""


@dataclass(frozen=True, slots=True)
class Withhold:
    """Leaves events of this type out of a watch."""

    type: str = "DELETED"


Fault = Refuse | LoseAnswer | Reset | Hang | Stale | CutWatch | ExpireWatch | Withhold


@dataclass(slots=True)
class Rule:
    """Which requests fail, and how.

    Args:
        method: GET, POST and so on; WATCH for a GET that watches.
        path: a regular expression that is looked for in path and query.
        fault: what happens.
        first: the first of the requests that match to which it happens, from 1.
        times: to how many it happens; None for all that follow.
    """

    method: str
    path: str
    fault: Fault
    first: int = 1
    times: int | None = 1
    matched: int = field(default=0, init=False)
    happened: int = field(default=0, init=False)

    def applies(self, method: str, path: str) -> bool:
        """Counts a request; True if it has to fail."""
        if method != self.method or re.search(self.path, path) is None:
            return False
        self.matched += 1
        if self.matched < self.first or (self.times is not None and self.happened >= self.times):
            return False
        self.happened += 1
        return True


class FaultyApiServer:
    """Passes requests on to a real API server, all but those for which there is a rule.

    It serves plain HTTP on this host, in a thread of its own, and shows the client certificate of the kubeconfig to
    the real one; so its clients need no credentials.

    Args:
        kubeconfig: of the real API server, with a client certificate.
        folder: for a kubeconfig that leads here.
    """

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self.rules: list[Rule] = []
        self.kubeconfig = folder / "faulty.kubeconfig"
        self._real = kubeconfig
        self._first_answers: dict[str, web.Response] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kubernetes faults", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        port = self._call(self._start())
        cluster = {"name": "faulty", "cluster": {"server": f"http://127.0.0.1:{port}"}}
        context = {"name": "faulty", "context": {"cluster": "faulty", "user": "nobody"}}
        users = [{"name": "nobody", "user": {}}]
        whole = {"apiVersion": "v1", "kind": "Config", "current-context": "faulty"}
        self.kubeconfig.write_text(json.dumps({**whole, "clusters": [cluster], "contexts": [context], "users": users}))
        return self

    def __exit__(self, *_: tuple[type[BaseException], BaseException, TracebackType] | None) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def rule(self, method: str, path: str, fault: Fault, first: int = 1, times: int | None = 1) -> Rule:
        """Adds a rule, and returns it: it counts how often it has happened. Earlier rules go first."""
        made = Rule(method, path, fault, first, times)
        self.rules.append(made)
        return made

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    async def _start(self) -> int:
        real: Configuration = await load_configuration(self._real)
        assert real.cert_file is not None, "the kubeconfig has no client certificate"
        secure = ssl.create_default_context(cafile=real.ssl_ca_cert)
        secure.load_cert_chain(real.cert_file, real.key_file)
        connector = aiohttp.TCPConnector(ssl=secure, limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        self._client = aiohttp.ClientSession(real.host, connector=connector, timeout=timeout)
        application = web.Application(client_max_size=1 << 24)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _close(self) -> None:
        await self._client.close()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        watching = request.method == "GET" and request.query.get("watch") in ("1", "true", "True")
        method = "WATCH" if watching else request.method
        fault = next((rule.fault for rule in self.rules if rule.applies(method, request.path_qs)), None)
        match fault:
            case Refuse(status, retry_after):
                return _status(status, retry_after)
            case Hang():
                await asyncio.Event().wait()
            case Reset(carried_out=False):
                return _break_off(request)
            case Stale() if request.path_qs in self._first_answers:
                return _copy(self._first_answers[request.path_qs])
        if watching:
            return await self._watch(request, fault)
        done = await self._pass_on(request, body)
        match fault:
            case LoseAnswer(status):
                return _status(status)
            case Reset():
                return _break_off(request)
        if request.method == "GET" and done.status == 200:
            self._first_answers.setdefault(request.path_qs, _copy(done))
        return done

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        async with self._client.request(
            request.method, request.path_qs, data=body or None, headers=_headers(request)
        ) as real:
            return web.Response(body=await real.read(), status=real.status, content_type="application/json")

    async def _watch(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        stream = web.StreamResponse()
        stream.content_type = "application/json"
        async with self._client.get(request.path_qs, headers=_headers(request)) as real:
            if real.status != 200:
                return web.Response(body=await real.read(), status=real.status, content_type="application/json")
            await stream.prepare(request)
            if isinstance(fault, ExpireWatch):
                await stream.write(_EXPIRED)
                return stream
            passed = 0
            async for line in _lines(real):
                match fault:
                    case CutWatch(events) if passed == events:
                        await stream.write(line[: len(line) // 2])
                        return _break_off(request)
                    case Withhold(kind) if json.loads(line)["type"] == kind:
                        continue
                await stream.write(line)
                passed += 1
        return stream


async def _lines(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Whole lines; an event may be longer than what the reader takes for one."""
    rest = b""
    async for chunk in answer.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"


def _headers(request: web.Request) -> dict[str, str]:
    wanted = ("Accept", "Content-Type")
    return {name: request.headers[name] for name in wanted if name in request.headers} | {"Accept-Encoding": "identity"}


def _status(status: int, retry_after: int | None = None) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "by the fault proxy", "code": status}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return web.json_response(body, status=status, headers=headers)


_EXPIRED_STATUS = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}
_EXPIRED = json.dumps({"type": "ERROR", "object": _EXPIRED_STATUS}).encode() + b"\n"


def _break_off(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _copy(answer: web.Response) -> web.Response:
    return web.Response(body=answer.body, status=answer.status, content_type="application/json")
