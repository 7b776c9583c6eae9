"""A TCP proxy before Postgres that breaks connections at a chosen statement.

It reads just as much of the protocol as is needed to know where a statement begins and where its answer ends
(https://www.postgresql.org/docs/current/protocol-message-formats.html), and counts statements, so that a test can run
once without a fault, learn how many boundaries there are, and then break each of them.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

COPY_DATA = "(copy data)"
COPY_DONE = "(copy done)"
_ASKS_FOR_ENCRYPTION = (80877103, 80877104)  # SSLRequest, GSSENCRequest
_CANCEL_REQUEST = 80877102
_ENDS_A_REQUEST = b"QSHcfF"
"""Query, Sync, Flush, CopyDone, CopyFail, FunctionCall: after these a client waits for an answer."""
_ENDS_AN_ANSWER = b"ZG"
"""ReadyForQuery; CopyInResponse, after which the server waits for rows."""
_ANSWER_SECONDS = 100.0


class Kind(StrEnum):
    """What a fault does to a statement. `BREAKS` are those that break the connection."""

    CUT_BEFORE = "cut before it is sent"
    ANSWER_LOST = "carried out, and its answer is lost"
    SILENT = "carried out, and nothing is said any more"
    PASS = "passed on, when the test has done what it does at this moment"


BREAKS = (Kind.CUT_BEFORE, Kind.ANSWER_LOST, Kind.SILENT)


SET_UP = "-- session.at_connect"
"""How the statement begins that sets up a session. How many there are depends on how many connections are open."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One request of a client: a simple or extended query, the first rows of a COPY, or its end.

    Args:
        who: the connection's application_name.
        sql: its text, or `COPY_DATA`, `COPY_DONE`; of several that are sent together, all texts.
    """

    who: str
    sql: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Which statement the proxy breaks, and how; it does so once.

    Args:
        kind: how.
        number: the how-manieth of those that match, from 1.
        who: what the application_name begins with.
        sql: what the text contains, in any letter case; mostly the statement's name, such as `-- claim.pick`.
        besides: what the text of those that count does not contain; nothing is passed over without it.
        meanwhile: done first, before the statement is sent on or cut off.
    """

    kind: Kind
    number: int = 1
    who: str = ""
    sql: str = ""
    besides: str = ""
    meanwhile: Callable[[], None] | None = None

    def matches(self, statement: Statement) -> bool:
        """Whether it is about such statements."""
        text = statement.sql.lower()
        passed_over = self.besides != "" and self.besides.lower() in text
        return statement.who.startswith(self.who) and self.sql.lower() in text and not passed_over


class FaultProxy:
    """Listens on a free port of 127.0.0.1; a context manager.

    Args:
        port: of the Postgres behind it, on 127.0.0.1. May be changed: connections that come later go there.
    """

    def __init__(self, port: int) -> None:
        self.upstream = port
        self.statements: list[Statement] = []
        """All that have come since the last `arm`, in order. The pool's checks, empty queries, are left out."""
        self.fired: Statement | None = None
        """What the fault was done to."""
        self._fault: Fault | None = None
        self._matched = 0
        self._lock = threading.Lock()
        self._flowing = threading.Event()
        self._flowing.set()
        self._refusing = False
        self._pairs: set[_Pair] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.flow()
        self.cut_all()

    def url(self, direct: str) -> str:
        """The same connection URI, by way of the proxy."""
        return direct.replace(f":{self.upstream}/", f":{self.port}/")

    def arm(self, fault: Fault | None) -> None:
        """Begins to count anew, and to wait for the fault."""
        with self._lock:
            self.statements = []
            self.fired = None
            self._matched = 0
            self._fault = fault

    def cut_all(self) -> None:
        """Cuts every connection there is."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.close()

    def stall(self) -> None:
        """From now on connections are accepted, and nothing is passed on in any direction."""
        self._flowing.clear()

    def flow(self) -> None:
        """Ends the stall: passes the withheld bytes on."""
        self._flowing.set()

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Meanwhile new connections are closed at once."""
        self._refusing = True
        try:
            yield
        finally:
            self._refusing = False

    def wait_to_flow(self) -> None:
        """Returns when nothing is stalled."""
        self._flowing.wait()

    def forget(self, pair: "_Pair") -> None:
        """A connection is over."""
        with self._lock:
            self._pairs.discard(pair)

    def met(self, statement: Statement) -> Kind | None:
        """Counts a statement, and returns the fault for it."""
        if not statement.sql:
            return None
        with self._lock:
            self.statements.append(statement)
            fault = self._fault
            if fault is None or not fault.matches(statement):
                return None
            self._matched += 1
            if self._matched != fault.number:
                return None
            self.fired, self._fault = statement, None
        if fault.meanwhile is not None:
            fault.meanwhile()
        return None if fault.kind is Kind.PASS else fault.kind

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
            else:
                pair = _Pair(self, client)
                with self._lock:
                    self._pairs.add(pair)
                threading.Thread(target=pair.serve, daemon=True).start()


class _Pair:
    """A client's connection, and the one to Postgres that belongs to it."""

    def __init__(self, proxy: FaultProxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server: socket.socket | None = None
        self._who = ""
        self._swallowing = False
        self._answered = threading.Event()
        self._cut = threading.Event()

    def serve(self) -> None:
        """Passes everything on until one side ends; statements are looked at."""
        with contextlib.suppress(OSError, EOFError):
            self._proxy.wait_to_flow()
            self._server = socket.create_connection(("127.0.0.1", self._proxy.upstream))
            for one in (self._client, self._server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._server.sendall(self._startup())
            threading.Thread(target=self._answers, args=(self._server,), daemon=True).start()
            while self._request(self._server):
                pass
        self.close()

    def close(self) -> None:
        """Cuts both."""
        self._cut.set()
        for one in (self._client, self._server):
            if one is not None:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self._answered.set()
        self._proxy.forget(self)

    def _startup(self) -> bytes:
        while True:
            head = _exactly(self._client, 8)
            length, code = struct.unpack("!ii", head)
            if code not in _ASKS_FOR_ENCRYPTION:
                break
            self._client.sendall(b"N")
        body = _exactly(self._client, length - 8)
        if code != _CANCEL_REQUEST:
            words = body.split(b"\0")
            settings = dict(zip(words[::2], words[1::2], strict=False))
            self._who = settings.get(b"application_name", b"").decode()
        return head + body

    def _request(self, server: socket.socket) -> bool:
        """One request, as a whole; False when the client has left."""
        request, sqls, kind = b"", list[str](), b""
        while not (kind and kind in _ENDS_A_REQUEST + b"dXp"):
            kind, message = _message(self._client)
            request += message
            if kind == b"Q":
                sqls.append(message[5:].split(b"\0")[0].decode())
            elif kind == b"P":
                sqls.append(message[5:].split(b"\0")[1].decode())
        sql = ";\n".join(sqls)
        self._proxy.wait_to_flow()
        if kind == b"d":
            return self._rows(server, request)
        if kind in b"cf":
            sql = COPY_DONE
        if kind in b"Xp":
            server.sendall(request)
            return kind != b"X"
        return self._statement(server, request, sql)

    def _rows(self, server: socket.socket, first: bytes) -> bool:
        """The rows of a COPY, as they come; only before the first ones there may be a cut, or after them."""
        match self._proxy.met(Statement(self._who, COPY_DATA)):
            case None:
                server.sendall(first)
            case Kind.CUT_BEFORE:
                return False
            case Kind.ANSWER_LOST:
                server.sendall(first)
                return False
            case _:
                return self._say_nothing()
        while True:
            kind, message = _message(self._client)
            self._proxy.wait_to_flow()
            if kind != b"d":
                return self._statement(server, message, COPY_DONE)
            server.sendall(message)

    def _statement(self, server: socket.socket, request: bytes, sql: str) -> bool:
        match self._proxy.met(Statement(self._who, sql)):
            case None:
                server.sendall(request)
                return True
            case Kind.CUT_BEFORE:
                return False
            case kind:
                self._swallowing = True
                server.sendall(request)
                self._answered.wait(_ANSWER_SECONDS)
                return kind is Kind.SILENT and self._say_nothing()

    def _say_nothing(self) -> bool:
        """Says nothing more to either side, as a network that is down: Postgres does not see the client go."""
        self._swallowing = True
        self._cut.wait()
        return False

    def _answers(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                kind, message = _message(server)
                self._proxy.wait_to_flow()
                if not self._swallowing:
                    self._client.sendall(message)
                elif kind in _ENDS_AN_ANSWER:
                    self._answered.set()
        if not self._swallowing:
            self.close()
        self._answered.set()


def _message(connection: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(connection, 5)
    return head[:1], head + _exactly(connection, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        block = connection.recv(length - len(data))
        if not block:
            raise EOFError
        data += block
    return bytes(data)
