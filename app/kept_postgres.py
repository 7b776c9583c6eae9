"""The embedded Postgres kept up, so that notebooks and other programs can connect.

Its socket trusts the user who owns its folder, as the superuser. Programs that know no sockets use TCP on 127.0.0.1,
with a password, as a role that may only read. TCP is open in a server that was started for this, and in no other.
"""

import fcntl
import json
import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

from psycopg import sql
from psycopg.rows import TupleRow

from app import keeper, locks, postgres_server
from app.database import open_database
from app.embedded import opened, spawn_keeper, using
from app.postmaster import Postmaster, stop
from app.settings import Settings
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import RunError, Unavailable
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.postgres.connecting import SessionConnection

FIRST_PORT = 54321
"""The first home of a machine gets it, the others the next ones."""

_PORTS = 100
_LOGIN = "postgres.login"
_LOOK_SECONDS = 0.2
_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Login:
    """How to log in over TCP. It is made once, and stays.

    Args:
        port: on 127.0.0.1.
        password: of the role `reader`.
    """

    port: int
    password: str


@dataclass(frozen=True, slots=True)
class State:
    """The embedded Postgres of a home.

    Args:
        home: its folder.
        running: whether the server runs.
        kept: it stays when nobody uses it.
        pid: its process.
        since: its start.
        users: the commands that use it, as "process 12".
        url: of its socket, for the superuser.
        tcp_url: of TCP, for the role `reader`, with the password if it was asked for; None if it does not listen there.
    """

    home: Path
    running: bool = False
    kept: bool = False
    pid: int | None = None
    since: datetime | None = None
    users: str | None = None
    url: str | None = None
    tcp_url: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """What came of stopping it.

    Args:
        home: its folder.
        was_running: it ran.
        users: the commands that still use it, as "process 12"; it stops when they have ended.
        closed: how many connections of other programs were closed.
    """

    home: Path
    was_running: bool
    users: str | None = None
    closed: int = 0


def start(settings: Settings, port: int | None = None) -> State:
    """Starts it, if need be, and keeps it up until `stop_keeping`, or until the machine stops.

    Args:
        settings: its home and schema.
        port: of TCP; without it, the one of the last time, or one that is free.

    Raises:
        Misconfigured, Unavailable: it cannot start, the port is taken, or commands use one without TCP.
    """
    home = settings.home
    login = _login(home, port)
    with using(home, login.port) as server:
        with open_database(settings):
            pass  # brings it to the schema of this version
        _let_in(server, login, settings.database_schema)
        keeper.set_kept(home, server)
        return _state(home, server, None, with_password=True)


def state(home: Path, with_password: bool) -> State:
    """Whether it runs, and where; raises Misconfigured if the home is another user's."""
    if not home.is_dir():
        return State(home)
    with opened(home, keeper.IN_USE) as in_use:
        server = Postmaster.running(home.resolve() / "postgres")
        return State(home) if server is None else _state(home, server, _users(in_use), with_password)


def stop_keeping(home: Path) -> Stopped:
    """Stops it; if commands use it, it stops with the last of them.

    Raises:
        Misconfigured: the home is another user's.
        Unavailable: it does not stop.
    """
    if not home.is_dir():
        return Stopped(home, was_running=False)
    data = home.resolve() / "postgres"
    with opened(home, keeper.IN_USE) as in_use, opened(home, keeper.CHANGING) as changing:
        users = _users(in_use)
        locks.take(changing, fcntl.LOCK_EX, f"is starting or stopping the embedded Postgres in {home}")
        keeper.set_kept(home, None)
        server = Postmaster.running(data)
        if server is None:
            return Stopped(home, was_running=False)
        if users is not None:
            # Whoever leaves last may have looked before it was to stop.
            spawn_keeper(home)
            return Stopped(home, was_running=True, users=users)
        closed = 0
        with suppress(RunError):  # it may be in no state to answer
            closed = _others(server)
        if not stop(server):
            raise Unavailable(f"the embedded Postgres does not stop: process {server.pid}", Reason.DATABASE)
        return Stopped(home, was_running=True, closed=closed)


def _users(in_use: IO[str]) -> str | None:
    """The commands that use it; None if there are none, and then nobody else may come before the file is closed."""
    try:
        locks.take(in_use, fcntl.LOCK_EX, "uses it", _LOOK_SECONDS)
    except Unavailable:
        return locks.who(in_use)
    return None


def _state(home: Path, server: Postmaster, users: str | None, with_password: bool) -> State:
    login = _read(home)
    password = f":{login.password}" if login and with_password else ""
    return State(
        home,
        running=True,
        kept=keeper.is_kept(home, server),
        pid=server.pid,
        since=datetime.fromtimestamp(server.started, UTC),
        users=users,
        url=f"postgresql://postgres@/postgres?host={quote(os.fsencode(server.sockets), safe='')}&port={server.port}",
        tcp_url=f"postgresql://{postgres_server.READER}{password}@{_ADDRESS}:{server.port}/postgres"
        if server.listens
        else None,
    )


def _login(home: Path, port: int | None) -> Login:
    """The port and the password that are kept; new ones are kept from now on."""
    with opened(home, keeper.CHANGING) as changing:
        locks.take(changing, fcntl.LOCK_EX, f"is starting or stopping the embedded Postgres in {home}")
        known = _read(home)
        password = known.password if known else secrets.token_urlsafe(18)
        login = Login(port or (known.port if known else _free_port()), password)
        running = Postmaster.running(home.resolve() / "postgres")
        if running is None or (running.listens, running.port) != (True, login.port):
            _check_free(login.port)
        if login != known:
            _write(home, login)
    return login


def _read(home: Path) -> Login | None:
    try:
        found = json.loads((home / _LOGIN).read_text())
        return Login(int(found["port"]), str(found["password"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write(home: Path, login: Login) -> None:
    new = home / f".{_LOGIN}.{os.getpid()}"
    with suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        if os.geteuid() == 0:  # root may use another user's home
            owner = home.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        json.dump({"port": login.port, "password": login.password}, file)
    new.replace(home / _LOGIN)


def _free_port() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS):
        with suppress(OSError), socket.create_server((_ADDRESS, port)):
            return port
    with socket.create_server((_ADDRESS, 0)) as probe:
        return int(probe.getsockname()[1])


def _check_free(port: int) -> None:
    try:
        socket.create_server((_ADDRESS, port)).close()
    except OSError as error:
        raise Unavailable(
            f"port {port} of {_ADDRESS} cannot be used: {os.strerror(error.errno or 0)}; choose another one",
            Reason.DATABASE,
            hints=[Hint(Action.CHOOSE_PORT)],
        ) from None


def _let_in(server: Postmaster, login: Login, schema: str) -> None:
    """Makes the role of TCP, which may read everything, and lets everybody find the tables by their names alone."""
    role = sql.Identifier(postgres_server.READER)
    with SessionConnection[TupleRow].connect(postgres_server.conninfo(server)) as connection:
        known = connection.execute("select from pg_roles where rolname = %s", [postgres_server.READER]).rowcount
        # The server gets no more than a hash.
        hashed = connection.pgconn.encrypt_password(
            login.password.encode(), postgres_server.READER.encode(), b"scram-sha-256"
        ).decode()
        for statement in (
            sql.SQL("alter role {} login password {}" if known else "create role {} login password {}").format(
                role, sql.Literal(hashed)
            ),
            sql.SQL("grant pg_read_all_data to {}").format(role),
            sql.SQL("alter database postgres set search_path = {}, public").format(sql.Identifier(schema)),
        ):
            connection.execute(statement)


def _others(server: Postmaster) -> int:
    """How many connections other programs have."""
    with SessionConnection[TupleRow].connect(postgres_server.conninfo(server)) as connection:
        [count] = connection.execute(
            "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
        ).fetchone() or (0,)
    return int(count)
