"""What the server does to those who send too much, too slowly, or from another site; and at its end."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from api import routes
from api.access import Access
from api.connections import PatientConnection
from api.context import Using
from api.declared import Topic
from api.middleware import body as body_limit
from tests.api.client import Api, running
from tests.integration.world import World

made_up = Topic("made up", "For tests alone.")
entered = threading.Event()
leave = threading.Event()


@made_up.route("GET", "/v1/made-up/stream", Access.VIEWER)
async def stream(using: Using) -> StreamingResponse:
    async def events() -> AsyncIterator[bytes]:
        yield b"data: hello\n\n"
        await using.stopping.wait()
        yield b"event: bye\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@made_up.route("GET", "/v1/made-up/slow", Access.VIEWER)
def slow() -> dict[str, str]:
    entered.set()
    leave.wait(100)
    return {"done": "yes"}


@made_up.route("GET", "/v1/made-up/fault", Access.VIEWER)
def fault() -> None:
    raise ZeroDivisionError("a secret")


@made_up.route("POST", "/v1/made-up/act", Access.VIEWER, problems=["field-invalid"])
async def act() -> dict[str, str]:
    return {"done": "yes"}


@made_up.route("GET", "/v1/made-up/headers", Access.VIEWER)
async def headers_below(request: Request) -> dict[str, str]:
    return dict(request.headers)


async def undeclared(request: Request) -> Response:
    return Response("here")


class Undeclared(Topic):
    """Adds a route as FastAPI itself does, past the declarations."""

    def add_to(self, app: FastAPI) -> None:
        app.add_route("/v1/made-up/undeclared", undeclared)


WITH_MADE_UP = (*routes.ALL, made_up, Undeclared("undeclared", ""))


def test_a_route_that_declares_nothing_is_not_called(world: World) -> None:
    with running(world, topics=WITH_MADE_UP) as api:
        assert api.get("/v1/made-up/undeclared").code == "not-found"


def test_nobody_below_the_gate_reads_what_a_proxy_says(world: World) -> None:
    with running(world, topics=WITH_MADE_UP) as api:
        said = {"X-Forwarded-User": "root", "X-Forwarded-Groups": "admins"}
        assert not [name for name in api.get("/v1/made-up/headers", headers=said).json if "forwarded" in name]


class TestFromAnotherSite:
    """A browser sends what does not come with a key by itself, so its pages must be ours."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://localhost:1"},
        ],
    )
    def test_a_change_from_another_site_is_refused(self, world: World, headers: dict[str, str]) -> None:
        with running(world, topics=WITH_MADE_UP, api_local_role="admin") as api:
            answer = api.post("/v1/made-up/act", role=None, headers=headers)
            assert (answer.status, answer.code) == (403, "cross-site")

    def test_a_change_from_a_program_or_the_own_page_is_done(self, world: World) -> None:
        with running(world, topics=WITH_MADE_UP, api_local_role="admin") as api:
            own = {"Origin": f"http://127.0.0.1:{api.listening.port}", "Sec-Fetch-Site": "same-origin"}
            assert [api.post("/v1/made-up/act", role=None, headers=one).status for one in ({}, own)] == [200, 200]

    def test_a_key_never_comes_by_itself(self, world: World) -> None:
        with running(world, topics=WITH_MADE_UP) as api:
            assert api.post("/v1/made-up/act", headers={"Sec-Fetch-Site": "cross-site"}).status == 200

    def test_no_answer_lets_another_site_read(self, api: Api) -> None:
        headers = api.get("/v1/countries", headers={"Origin": "https://evil.example"}).headers
        assert not [name for name in headers if name.startswith("access-control")]


def test_a_read_only_api_refuses_changes_alone(world: World) -> None:
    with running(world, api_read_only=True) as api:
        assert api.get("/v1/keys").status == 200
        answer = api.post("/v1/keys", json_body={"name": "a", "role": "viewer"})
        assert (answer.status, answer.code) == (403, "read-only")


def test_a_fault_says_nothing_of_itself(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with running(world, topics=WITH_MADE_UP) as api:
        answer = api.get("/v1/made-up/fault")
    assert (answer.status, answer.code) == (500, "internal")
    assert "secret" not in answer.text
    [logged] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert logged.getMessage() == "ZeroDivisionError: a secret"
    assert vars(logged)["request_id"] == answer.json["request_id"]
    assert "in fault" in vars(logged)["traceback"]
    caplog.clear()


class TestBodies:
    def test_a_large_body_is_refused_before_it_is_sent(self, api: Api) -> None:
        with sent(api, b"POST /v1/keys", b"Content-Length: 5000000") as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")

    def test_a_large_body_without_a_length_is_refused(self, api: Api) -> None:
        with sent(api, b"POST /v1/keys", b"Transfer-Encoding: chunked\r\nContent-Type: application/json") as connection:
            chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
            for _ in range(20):
                connection.sendall(chunk)
            assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")

    def test_nobody_without_a_key_has_a_body_read(self, api: Api) -> None:
        with sent(api, b"POST /v1/keys", b"Content-Length: 100", key="") as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")

    def test_a_body_that_does_not_come_is_given_up(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(body_limit, "BODY_SECONDS", 1.0)
        with running(world) as api, sent(api, b"POST /v1/keys", b"Content-Length: 10") as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")


class TestHeaders:
    @pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nX-A: 1"])
    def test_a_request_that_does_not_come_is_given_up(
        self, world: World, monkeypatch: pytest.MonkeyPatch, begun: bytes
    ) -> None:
        monkeypatch.setattr(PatientConnection, "header_seconds", 1.0)
        with running(world) as api, socket.create_connection(("127.0.0.1", api.listening.port), 100) as connection:
            connection.sendall(begun)
            assert connection.recv(100) == b""

    def test_a_second_request_drop_by_drop_is_given_up(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(PatientConnection, "header_seconds", 3.0)
        with running(world) as api, socket.create_connection(("127.0.0.1", api.listening.port), 100) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            with connection.makefile("rb", buffering=0) as answer:
                assert b"ok\n" in iter(answer.readline, b"")
            connection.sendall(b"GET /hea")
            assert connection.recv(100) == b""

    def test_endless_headers_are_refused(self, api: Api) -> None:
        with socket.create_connection(("127.0.0.1", api.listening.port), 100) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nX-A: " + b"a" * 100_000)
            assert connection.recv(65536).startswith(b"HTTP/1.1 4")


class TestTheEnd:
    def test_a_stream_ends_with_the_server(self, world: World) -> None:
        with ExitStack() as stack:
            api = stack.enter_context(running(world, topics=WITH_MADE_UP))
            connection = stack.enter_context(closing(api.connect()))
            headers = {"Authorization": f"Bearer {api.keys['viewer']}"}
            connection.request("GET", "/v1/made-up/stream", headers=headers)
            answer = connection.getresponse()
            assert answer.readline() == b"data: hello\n"
            api.server.stop()
            assert answer.read().endswith(b"event: bye\n\n")

    def test_a_request_under_way_is_answered(self, world: World) -> None:
        entered.clear()
        leave.clear()
        got: list[int] = []
        with running(world, topics=WITH_MADE_UP) as api:
            asking = threading.Thread(target=lambda: got.append(api.get("/v1/made-up/slow").status))
            asking.start()
            assert entered.wait(100)
            api.server.stop()
            leave.set()
            asking.join(100)
        assert got == [200]

    async def test_a_wait_for_the_end_is_over_at_once_if_it_has_come(self, api: Api) -> None:
        api.context.stopping.set()
        await asyncio.wait_for(api.context.stopping.wait(), 100)


def sent(api: Api, line: bytes, headers: bytes, key: str | None = None) -> socket.socket:
    """A connection with a request whose body has not come yet."""
    connection = socket.create_connection(("127.0.0.1", api.listening.port), 100)
    token = api.keys["admin"] if key is None else key
    login = f"Authorization: Bearer {token}\r\n".encode() if token else b""
    connection.sendall(line + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + login + headers + b"\r\n\r\n")
    return connection
