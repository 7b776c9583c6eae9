"""The server: uvicorn over a socket that is bound already, which ends its streams as soon as it is told to stop."""

import errno
import os
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from types import FrameType
from typing import NamedTuple

import uvicorn

from api import routes
from api.app import create_app
from api.connections import PatientConnection
from api.context import Context
from api.declared import Topic
from api.exchange import ProblemPage
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.text import one_line

GRACE_SECONDS = 5
"""How long requests under way may take to end; streams end at once."""

KEEP_ALIVE_SECONDS = 15

LAST_PORT = 65_535

BACKLOG = 1024
"""Connections that may wait to be taken."""

HEADER_BYTES = 32_768
"""What the headers of a request may have."""


class Listening(NamedTuple):
    """A socket that listens.

    Args:
        socket: bound.
        host: the address as it was given.
        port: the real one.
        local: only this machine reaches it.
    """

    socket: socket.socket
    host: str
    port: int
    local: bool

    @property
    def address(self) -> str:
        """The URL for people."""
        host = "localhost" if self.host in ("0.0.0.0", "[::]", "127.0.0.1") else self.host
        return f"http://{host}:{self.port}"


def listen(where: str) -> Listening:
    """Binds `ADDRESS:PORT`.

    Raises:
        Misconfigured: it cannot; the message says why and what to do.
    """
    host, _, port = where.rpartition(":")
    if not host or not port.isdecimal() or int(port) > LAST_PORT:
        raise Misconfigured(
            f"the API cannot listen at {one_line(where)!r}: expected an address and a port from 0 to {LAST_PORT}",
            Reason.CONFIG,
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(BACKLOG)  # whoever comes now waits until the server has begun
        except OSError:
            made.close()
            raise
    except OSError as error:
        raise Misconfigured(f"the API cannot listen at {one_line(where)}: {_in_words(error)}", Reason.CONFIG) from None
    bound = made.getsockname()
    return Listening(made, host, bound[1], ip_address(bound[0]).is_loopback)


def _in_words(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no such address here"
    if error.errno == errno.EADDRINUSE:
        return "another process listens there; stop it, or choose another port with --listen or API_LISTEN"
    if error.errno == errno.EACCES:
        return "this user may not listen there; choose a port from 1024 on"
    return os.strerror(error.errno) if error.errno else type(error).__name__


class Server(uvicorn.Server):
    """Serves until it is told to stop. A second signal ends what is under way.

    Args:
        context: what the routes work with.
        listening: where.
        topics, problem_page: see `create_app`.
    """

    def __init__(
        self,
        context: Context,
        listening: Listening,
        topics: Iterable[Topic] = routes.ALL,
        problem_page: ProblemPage | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(context, topics, problem_page),
                http=PatientConnection,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
                h11_max_incomplete_event_size=HEADER_BYTES,
            )
        )
        self._stopping = context.stopping
        self._background = context.background
        self._listening = listening

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Takes a signal: streams end at once, and what else is under way may end. A second one waits for nothing."""
        if self.should_exit:
            os._exit(128 + sig)  # threads may be waiting for a database, and Python waits for threads
        self.stop()

    def stop(self) -> None:
        """Stops it, from any thread."""
        self._stopping.set()
        self._background.wake()
        self.should_exit = True

    def serve_until_stopped(self) -> None:
        """Serves in this thread. In the main thread, SIGTERM and SIGINT stop it."""
        with self._background.running():
            self.run([self._listening.socket])
