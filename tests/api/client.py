"""A small HTTP client, and the API under test."""

import http.client
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import dashboard
from api import routes
from api.context import Context
from api.declared import Topic
from api.rates import Rates
from api.server import Listening, Server, listen
from app.settings import Settings
from cli.reading import ReportReader
from dataset_jobs.model.listed_parser import ListedParser
from services.keys import Keys, Role
from tests.integration.world import World

PARSERS = [
    ListedParser("US", "ssa", None, "Lists of the SSA."),
    ListedParser("CH", "zurich", "a-package", "Of Zürich."),
]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> str:
        """The problem's code; empty if it is none."""
        return str(self.json.get("code", "")) if "problem" in self.headers.get("content-type", "") else ""


@dataclass(slots=True)
class Api:
    """A running API.

    Args:
        world: the installation below.
        context: what the routes work with.
        listening: where.
        server: the server.
        keys: a key of each role.
    """

    world: World
    context: Context
    listening: Listening
    server: Server
    keys: dict[str, str] = field(default_factory=dict)

    def connect(self) -> http.client.HTTPConnection:
        """A connection that stays open."""
        return http.client.HTTPConnection("127.0.0.1", self.listening.port, timeout=100)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        role: str | None = "admin",
        key: str | None = None,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Sends a request.

        Args:
            method, path, body: of the request.
            role: with the key of this role; None for without one.
            key: another key.
            json_body: sent as JSON instead of `body`.
            headers: further ones, which win.
            query: of the address.
        """
        sent = dict(headers or {})
        token = key or (self.keys[role] if role else None)
        if token:
            sent.setdefault("Authorization", f"Bearer {token}")
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = self.connect()
        try:
            connection.request(method, path + (f"?{urlencode(query, doseq=True)}" if query else ""), body, sent)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **how: Any) -> Answer:
        return self.request("GET", path, **how)

    def post(self, path: str, **how: Any) -> Answer:
        return self.request("POST", path, **how)

    def delete(self, path: str, **how: Any) -> Answer:
        return self.request("DELETE", path, **how)


@contextmanager
def running(
    world: World,
    where: str = "127.0.0.1:0",
    conninfo: str = "",
    topics: Iterable[Topic] = (*routes.ALL, *dashboard.ALL),
    **settings: Any,
) -> Iterator[Api]:
    """An API on a free port, in a thread, with a key of each role.

    Args:
        world: the installation below.
        where: it listens there.
        conninfo: another way to the same database.
        topics: all routes, those of pages too, and those that the test has made up.
        settings: those that the test is about.
    """
    made = Settings(storage_path=str(world.folder / "storage"), affirm_worker_home=world.folder, **settings)
    listening = listen(where)
    reader = ReportReader(made.limits, made.api_validate_deadline.total_seconds())
    context = Context.open(made, conninfo or world.conninfo, lambda: PARSERS, reader, local=listening.local)
    server = Server(context, listening, topics, dashboard.problem_page)
    api = Api(world, context, listening, server)
    thread = threading.Thread(target=server.serve_until_stopped, name="api under test")
    thread.start()
    try:
        api.keys.update({str(role): Keys(world.client.database).make(f"test {role}", role).text for role in Role})
        yield api
    finally:
        server.stop()
        thread.join(100)
        reader.close()
        context.close()
        assert not thread.is_alive()


@contextmanager
def bounded(world: World, requests_per_minute: int) -> Iterator[Api]:
    """An API as by `running` that takes so many requests of a caller, and no time passes in which it takes more."""
    with running(world, api_requests_per_minute=requests_per_minute) as api:
        api.context.rates = Rates(requests_per_minute, lambda: 0.0)
        yield api
