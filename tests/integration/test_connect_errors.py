"""Why a connection cannot be made: reported by real servers, directly and by way of PgBouncer."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from dataset_jobs.model.errors import Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.postgres.connecting import SessionConnection
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from parser_runner.child import run_child
from tests.cluster.packages import program
from tests.cluster.pki import Authority
from tests.integration.world import World
from tests.servers.pgbouncer import PgBouncer
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.every_postgres


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One that three may use at once."""
    settings = {"max_connections": "6", "superuser_reserved_connections": "3"}
    with PostgresServer(settings=settings) as server:
        server.execute("create role plain login password 'plain'")
        server.execute("create role expired login password 'plain' valid until '2001-01-01'")
        server.execute("create role nologin nologin password 'plain'")
        server.execute("create database closed allow_connections false")
        server.execute("create database private")
        server.execute("revoke connect on database private from public")
        yield server


def error_of(conninfo: str) -> RunError:
    """What connecting says."""
    with pytest.raises(RunError) as caught:
        SessionConnection[DictRow].connect(conninfo)
    return caught.value


def url(server: PostgresServer, user: str = "plain", password: str = "plain", database: str = "postgres") -> str:
    return f"postgresql://{user}:{password}@127.0.0.1:{server.port}/{database}"


@pytest.mark.parametrize(
    ("user", "password", "database", "kind"),
    [
        ("plain", "wrong", "postgres", Forbidden),
        ("nobody", "plain", "postgres", Forbidden),
        ("expired", "plain", "postgres", Forbidden),
        ("nologin", "plain", "postgres", Forbidden),
        ("plain", "", "postgres", Forbidden),
        ("plain", "plain", "private", Forbidden),
        ("plain", "plain", "closed", Forbidden),
        ("plain", "plain", "missing", Misconfigured),
    ],
)
def test_a_refused_login_is_no_outage(
    server: PostgresServer, user: str, password: str, database: str, kind: type[RunError]
) -> None:
    error = error_of(url(server, user, password, database))
    assert type(error) is kind
    assert password == "" or f":{password}@" not in str(error)


def test_a_database_that_is_set_to_read_only_is_left_alone(server: PostgresServer) -> None:
    """Somebody has set that for a reason, such as a disk that is nearly full. No attempt is used meanwhile."""
    server.execute("create database frozen")
    server.execute("alter database frozen set default_transaction_read_only = on")
    error = error_of(url(server, database="frozen"))
    assert type(error) is Forbidden
    assert "default_transaction_read_only" in str(error)


def test_an_option_that_the_server_refuses_is_misconfigured(server: PostgresServer) -> None:
    assert type(error_of(url(server) + "?options=-c%20nonsense%3Doff")) is Misconfigured


def test_too_many_connections_pass_by_themselves(server: PostgresServer) -> None:
    taken = [psycopg.connect(url(server)) for _ in range(3)]
    try:
        error = error_of(url(server))
    finally:
        for connection in taken:
            connection.close()
    assert type(error) is Unavailable


def test_a_server_that_shuts_down_is_waited_for(server: PostgresServer) -> None:
    """It refuses logins while a session goes on; then nobody listens."""
    with PostgresServer() as own:
        with psycopg.connect(own.url()) as holding:
            holding.execute("select 1")
            stopping = threading.Thread(target=own.stop, args=("smart",))
            stopping.start()
            error = error_of_shutdown(own.url())
        stopping.join()
        assert type(error) is Unavailable
        assert type(error_of(own.url())) is Unavailable
        own.start()


def error_of_shutdown(conninfo: str) -> RunError:
    for _ in range(200):
        try:
            SessionConnection[DictRow].connect(conninfo).close()
        except RunError as error:
            return error
    raise AssertionError("it goes on taking connections")


def test_what_does_not_answer_or_is_no_postgres_is_unavailable() -> None:
    assert type(error_of(f"postgresql://a:b@127.0.0.1:{free_port('127.0.0.1')}/x")) is Unavailable
    assert type(error_of("postgresql://a:b@no.such.host.invalid/x")) is Unavailable
    with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert type(error_of(f"postgresql://a:b@127.0.0.1:{port}/x?sslmode=disable")) is Unavailable


@contextmanager
def saying(answer: bytes) -> Iterator[int]:
    """A server that says the same to everybody, and hangs up; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    client.recv(4096)
                    client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresServer, Path]]:
    """A server with TLS, and its authority's certificate."""
    folder = tmp_path_factory.mktemp("pki")
    ca = Authority(folder)
    pair = ca.issue("server", "localhost", hosts=["127.0.0.1"])
    # Debian's: the embedded one is built without TLS.
    with PostgresServer(15, listen="0.0.0.0", tls=(pair.cert, pair.key)) as server:
        yield server, ca.cert


@pytest.mark.needs("postgres-15")
def test_tls_that_cannot_be_agreed_on_is_misconfigured(
    server: PostgresServer, secure: tuple[PostgresServer, Path], tmp_path: Path
) -> None:
    with_tls, ca = secure
    SessionConnection[DictRow].connect(with_tls.url() + f"?sslmode=verify-full&sslrootcert={ca}").close()
    other = Authority(tmp_path / "other")
    for wrong in (
        url(server) + "?sslmode=require",
        with_tls.url() + f"?sslmode=verify-full&sslrootcert={other.cert}",
        with_tls.url() + "?sslmode=verify-full&sslrootcert=/nonexistent",
        with_tls.url(host="127.0.0.2") + f"?sslmode=verify-full&sslrootcert={ca}",
    ):
        error = error_of(wrong)
        assert type(error) is Misconfigured, error
        assert "certificate" in str(error)


def test_a_controllers_pool_says_why_at_once(server: PostgresServer) -> None:
    """Not that there is no connection, after fifteen seconds."""

    async def ask(conninfo: str) -> RunError:
        async with controller_pool(conninfo, 2) as pool:
            with pytest.raises(RunError) as caught:
                await ControllerStore(pool).installation_id()
        return caught.value

    assert type(asyncio.run(ask(url(server, password="wrong")))) is Forbidden
    assert type(asyncio.run(ask(url(server, database="missing")))) is Misconfigured


@pytest.fixture(scope="module")
def bouncer(server: PostgresServer) -> Iterator[PgBouncer]:
    with PgBouncer(program("pgbouncer"), server, 1, {"plain": "plain"}) as bouncer:
        yield bouncer


@pytest.mark.needs("pgbouncer")
@pytest.mark.parametrize(
    ("user", "password", "database", "kind"),
    [
        ("postgres", "wrong", "postgres", Forbidden),
        ("nobody", "plain", "postgres", Forbidden),
        ("plain", "plain", "missing", Misconfigured),
        ("plain", "plain", "private", Forbidden),
    ],
)
def test_a_refused_login_through_a_pooler_is_no_outage(
    server: PostgresServer, bouncer: PgBouncer, user: str, password: str, database: str, kind: type[RunError]
) -> None:
    error = error_of(bouncer.url(url(server, user, password, database)))
    assert type(error) is kind, error


@pytest.mark.parametrize(("broken", "cause"), [("password", "forbidden"), ("database", "cannot_start")])
async def test_a_runner_that_may_not_log_in_uses_no_attempt(
    database: str, tmp_path: Path, broken: str, cause: str
) -> None:
    """A rotated password must not make dead letters of a whole queue: the pool is blocked, and probed."""
    world = World(database, tmp_path)
    job_id = world.submit(world.file("yob2023.txt", "Emma,F,15433\n")).job_id
    wrong = {"password": database.replace("postgres:", "postgres:wrong"), "database": f"{database}_missing"}[broken]
    entry = partial(run_child, {**world.environment, "DATABASE_URL": wrong})
    with closing(world.client):
        async with world.controller(entry=entry) as reconciler:
            stop = asyncio.Event()
            running = asyncio.create_task(reconciler.run(stop))
            while world.job(job_id)["last_cause"] is None:
                await asyncio.sleep(0.05)
            stop.set()
            await running
        job = world.job(job_id)
        assert (job["last_cause"], job["attempts"], job["state"]) == (cause, 0, "scheduled")
        assert world.one("select blocked_cause from pools")["blocked_cause"] == cause


def refusal(state: bytes, text: str) -> bytes:
    """The server's first word to a client: an error, with its fields as the protocol has them."""
    fields = {b"S": b"FATAL", b"V": b"FATAL", b"C": state, b"M": text.encode()}
    body = b"".join(name + value + b"\0" for name, value in fields.items()) + b"\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    ("state", "text", "kind"),
    [
        (b"28P01", "Passwort-Authentifizierung für Benutzer »plain« fehlgeschlagen", Forbidden),
        (b"28000", "kein pg_hba.conf-Eintrag für Host", Forbidden),
        (b"3D000", "la base de données « x » n'existe pas", Misconfigured),
        (b"53300", "désolé, trop de clients sont déjà connectés", Unavailable),
        (b"57P03", "Das Datenbanksystem startet", Unavailable),
        (b"28P01", 'a text with C "53300" in it', Forbidden),
    ],
)
def test_a_refusal_is_known_in_any_language(state: bytes, text: str, kind: type[RunError]) -> None:
    """By its SQLSTATE: the text is in the language that the server is set to."""
    with saying(refusal(state, text)) as port:
        error = error_of(f"postgresql://a:b@127.0.0.1:{port}/x?sslmode=disable")
    assert type(error) is kind
    assert text in str(error)
