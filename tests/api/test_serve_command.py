"""`affirm-worker serve` and `keys`, called as a user calls them."""

import asyncio
import json
import signal
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.server import listen
from app.settings import Settings
from cli.serving import served_beside
from tests.api.served import KEY, serving
from tests.integration.command_line import Run, answer, runner
from tests.integration.world import World
from tests.servers.embedded_home import embedded_home
from tests.servers.postgres import PostgresServer
from tests.servers.postgres_faults import Fault, FaultProxy, Kind


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    return runner(world.environment, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_well(world: World, number: signal.Signals) -> None:
    with serving(world.environment) as served:
        assert served.status("/readyz") == 200
        assert served.ended_by(number) == 0


async def test_a_second_signal_waits_for_nothing(world: World, postgres: PostgresServer) -> None:
    """Here the database says nothing more, and a request waits for it."""
    with FaultProxy(postgres.port) as proxy, ExitStack() as stack:
        served = stack.enter_context(serving({**world.environment, "DATABASE_URL": proxy.url(world.conninfo)}))
        proxy.arm(Fault(Kind.SILENT, who="affirm-worker clients", sql="-- session.schema_version"))
        asking = stack.enter_context(socket.create_connection(("127.0.0.1", served.port), 100))
        asking.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(100):
            while proxy.fired is None:
                await asyncio.sleep(0.01)
            served.process.send_signal(signal.SIGTERM)
            while served.takes_connections():
                await asyncio.sleep(0.01)
        assert served.ended_by(signal.SIGTERM) == 128 + signal.SIGTERM


def test_the_first_start_alone_makes_a_key(world: World) -> None:
    with serving(world.environment) as first:
        assert first.status("/v1/keys", first.key) == 200
        assert first.status("/login") == 200
        first.ended_by(signal.SIGTERM)
    with serving(world.environment) as second:
        assert second.key == ""
        assert second.status("/v1/keys", first.key) == 200


def test_a_server_that_others_reach_makes_no_key(world: World) -> None:
    """What it prints is kept where its logs are, and two of them would make two."""
    with serving(world.environment, "--listen", "0.0.0.0:0") as served:
        assert "affirm-worker keys make NAME" in "".join(served.said)
        assert served.key == "" and not world.query("select from api_keys")


async def test_with_a_controller_jobs_are_run(world: World) -> None:
    submitted = world.submit_small()
    with serving(world.environment, "--with-controller") as served:
        await world.until(f"select from jobs where id = '{submitted.job_id}' and state = 'completed'")
        assert served.status("/readyz") == 200
        assert served.ended_by(signal.SIGTERM) == 0


def test_an_api_that_ends_by_itself_is_not_left_out(world: World) -> None:
    """Then `serve` stops its controller too."""
    settings = Settings(storage_path=str(world.folder / "storage"), affirm_worker_home=world.folder)
    listening, ended = listen("127.0.0.1:0"), threading.Event()
    listening.socket.close()
    with served_beside(settings, world.conninfo, listening, ended.set):
        assert ended.wait(100)


def test_without_a_database_it_has_its_own() -> None:
    with embedded_home() as home, serving({"AFFIRM_WORKER_HOME": str(home)}, "--with-controller") as served:
        assert served.status("/v1/me", served.key) == 200
        assert served.ended_by(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("127.0.0.1:99999", "a port from 0 to 65535"),
        ("127.0.0.1", "an address and a port"),
        ("192.0.2.1:8080", "cannot listen at 192.0.2.1:8080"),
    ],
)
def test_an_address_that_cannot_be_is_refused(run: Run, where: str, says: str) -> None:
    assert says in run("serve", "--listen", where, code=78).stderr


def test_a_port_in_use_is_named(world: World, run: Run) -> None:
    with serving(world.environment) as served:
        refused = run("serve", "--listen", f"127.0.0.1:{served.port}", code=78)
        assert "another process listens there" in refused.stderr


def test_a_key_is_printed_once_alone_on_stdout(run: Run) -> None:
    made = run("keys", "make", "import", "--role", "uploader", "--expires-in", "90d")
    assert KEY.fullmatch(made.stdout.strip())
    assert made.stdout.strip() not in run("keys", "list", "--json").stdout


def test_keys_are_listed_and_revoked(run: Run) -> None:
    made = answer(run("keys", "make", "import", "--role", "admin", "--json"))
    assert KEY.fullmatch(made["key"])
    assert "last admin" in run("keys", "revoke", made["id"], code=65).stderr
    run("keys", "make", "other", "--role", "admin")
    assert "is revoked" in run("keys", "revoke", made["id"]).stdout
    assert [one["name"] for one in answer(run("keys", "list", "--json"))] == ["other"]
    assert [one["name"] for one in answer(run("keys", "list", "--all", "--json"))] == ["other", "import"]


def test_the_document_is_printed(run: Run) -> None:
    assert json.loads(run("openapi").stdout)["openapi"].startswith("3.1")
