"""Finds out why a connection could not be made.

libpq keeps the SQLSTATE of a refused login to itself and hands out a text, in the server's language. So the login is
tried once more, with libpq's trace switched on: that shows the server's answer field by field. The trace goes to memory
and may hold a password; nothing of it but the SQLSTATE is kept.
"""

import os
import re
import select
import time
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import pq

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.postgres.postgres_errors import error_of_state, one_line

KNOWN_MOST: Final = 100

TRY_SECONDS: Final = 5.0
"""How long the second login may take."""

_STATE = re.compile(rb'^B\t\d+\tErrorResponse\t.*? C "([0-9A-Z]{5})"', re.MULTILINE)
_TLS_ANSWER = re.compile(rb"^B\t\d+\tSSLResponse\t", re.MULTILINE)


_PROTOCOL_VIOLATION: Final = "08P01"
_POOLER_SAYS: Final = {
    "authentication failed": "28P01",
    "no such user": "28000",
    "login rejected": "28000",
    "no pg_hba.conf entry": "28000",
    "not permitted to log in": "28000",
    "permission denied for database": "42501",
    "no such database": "3D000",
    "does not exist": "3D000",
}


@dataclass(frozen=True, slots=True)
class Login:
    """How far a login came.

    Args:
        state: SQLSTATE of the server's refusal; None if it refused nothing.
        in_tls: it ended while TLS was being agreed on, after the server had answered.
        needs_password: the server asked for a password and there was none.
    """

    state: str | None = None
    in_tls: bool = False
    needs_password: bool = False


_known: dict[tuple[str, str], Login] = {}
"""What the same text has meant before: a retry every second must not double its logins."""


def connect_error(error: psycopg.Error, conninfo: str) -> RunError:
    """What a failed connection is in the words of the model.

    Args:
        error: as psycopg raised it.
        conninfo: as libpq takes it.

    Returns:
        Forbidden: the server knows us and refuses the login.
        Misconfigured: no such database, no TLS to be agreed on, or a setting that the server does not take.
        Unavailable: it did not answer, or takes no connection just now.
    """
    said = _without_server(one_line(error))
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return Unavailable(f"database: {said}", Reason.DATABASE)
    login = _known.get((conninfo, said)) or try_login(conninfo)
    if login is None:
        return Unavailable(f"database: {said}", Reason.DATABASE)
    if len(_known) >= KNOWN_MOST:
        _known.clear()
    _known[conninfo, said] = login
    if login.state is not None:
        return error_of_state(_from_pooler(said) if login.state == _PROTOCOL_VIOLATION else login.state, said)
    if login.needs_password:
        return Forbidden(f"database: {said}", Reason.DATABASE)
    if login.in_tls:
        return Misconfigured(
            f"database: {said}; check sslmode, the CA (sslrootcert or PGSSLROOTCERT), and the server's certificate: its"
            " names, who has signed it, whether it has expired",
            Reason.DATABASE,
        )
    return Unavailable(f"database: {said}", Reason.DATABASE)


def try_login(conninfo: str) -> Login | None:
    """Logs in once more, to see why it is refused; None if it passes this time, or takes too long."""
    trace = os.memfd_create("login") if hasattr(os, "memfd_create") else _unnamed_file()
    try:
        connection = pq.PGconn.connect_start(conninfo.encode())
        try:
            return _follow(connection, trace)
        finally:
            connection.finish()
    except (psycopg.Error, OSError):
        return None
    finally:
        os.close(trace)


def _follow(connection: pq.abc.PGconn, trace: int) -> Login | None:
    if connection.status == pq.ConnStatus.BAD:
        return Login()
    connection.trace(trace)
    connection.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
    reached = connection.status
    deadline = time.monotonic() + TRY_SECONDS
    progress: int = pq.PollingStatus.WRITING
    while progress in (pq.PollingStatus.READING, pq.PollingStatus.WRITING):
        ready = select.poll()
        ready.register(connection.socket, select.POLLIN if progress == pq.PollingStatus.READING else select.POLLOUT)
        if not ready.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return None
        progress = connection.connect_poll()
        if connection.status != pq.ConnStatus.BAD:
            reached = connection.status
    if progress == pq.PollingStatus.OK:
        return None
    connection.untrace()  # writes out its last line
    said = os.pread(trace, 1 << 20, 0)
    states = _STATE.findall(said)
    return Login(
        state=states[-1].decode() if states else None,
        in_tls=reached == pq.ConnStatus.SSL_STARTUP and _TLS_ANSWER.search(said) is not None,
        needs_password=connection.needs_password,
    )


def _unnamed_file() -> int:
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _from_pooler(said: str) -> str:
    """PgBouncer uses one SQLSTATE for all refusals of its own or the server's. Only the text tells them apart."""
    return next((state for words, state in _POOLER_SAYS.items() if words in said), _PROTOCOL_VIOLATION)


def _without_server(text: str) -> str:
    """libpq's text without the address, which the caller knows, and without a severity."""
    return re.sub(r"^connection (is bad: |(to server (at|on) .*? )?failed: (\w+:\s+)?)", "", text)
