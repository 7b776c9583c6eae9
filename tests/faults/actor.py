"""One process of ours as faults see it: it meets boundaries one after the other, and at any of them it may be hit.

A boundary is a call through a port, or one exchange with Postgres. Nobody lists them: `ports` and `connections` count
them as they are met, so that a new method or a new statement is hit as soon as there is one.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from weakref import WeakSet

import psycopg

T = TypeVar("T")


class Kind(StrEnum):
    """What can happen at a boundary."""

    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"
    ANSWER_LOST = "answer_lost"
    """Done, but we are told that it is not known."""
    UNAVAILABLE = "unavailable"
    """Not done, and we are told that it is not known."""
    SLOW = "slow"
    DUPLICATE = "duplicate"
    """Done twice, as by a request that is sent again on the way."""


ENTER, LEAVE = "enter ", "leave "
"""Of the two boundaries of a transaction that a port opens and the caller ends."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where an actor can be hit.

    Args:
        port: whose it is; `postgres` for a single exchange with the server, `stream` for a part of a file, `machine`
            for the local one.
        what: the method, or the statement's name.
    """

    port: str
    what: str

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What can happen here: nothing comes twice within one connection, file or transaction."""
        once = self.port in ("postgres", "stream", "machine") or self.what.startswith((ENTER, LEAVE))
        return tuple(kind for kind in Kind if not (once and kind is Kind.DUPLICATE))

    def __str__(self) -> str:
        return f"{self.port}: {self.what}"


class Crashed(BaseException):
    """The process is gone; nothing of ours may catch this."""


class Interrupted(BaseException):
    """SIGTERM has come."""


Plan = Callable[[int, Boundary], Kind | None]
"""From the number of a boundary, the first being 0, and the boundary, to what happens there."""


def no_faults(number: int, at: Boundary) -> Kind | None:
    """The plan of an actor that is left alone."""
    return None


def fault_at(boundary: Boundary, occurrence: int, kind: Kind) -> Plan:
    """One fault, where this boundary is met for the so-manieth time, the first being 0."""
    met = 0

    def plan(number: int, at: Boundary) -> Kind | None:
        nonlocal met
        if at != boundary:
            return None
        met += 1
        return kind if met == occurrence + 1 else None

    return plan


class Actor:
    """A controller, a runner or a client, in this process; of its own threads one at a time is at a boundary.

    Args:
        plan: what happens to it.
        tell: told of every fault as it happens.
        gate: called at every boundary in a thread of its own, and may hold it up there.
        slow_seconds: how long a slow call takes.
    """

    def __init__(
        self,
        plan: Plan = no_faults,
        tell: Callable[[Kind, Boundary], None] = lambda kind, at: None,
        gate: Callable[[Boundary], None] = lambda at: None,
        slow_seconds: float = 0.02,
    ) -> None:
        self.plan = plan
        self.gate = gate
        self.pause: Callable[[Boundary], Awaitable[None]] | None = None
        """The same for coroutines."""
        self.met: list[Boundary] = []
        self.dead = False
        self.interrupted = False
        self._tell = tell
        self._slow_seconds = slow_seconds
        self._go = threading.Event()
        self._go.set()
        self._connections: WeakSet[psycopg.Connection[Any] | psycopg.AsyncConnection[Any]] = WeakSet()

    @property
    def has_just(self) -> str:
        """The action at the boundary before the present one; nothing at its first."""
        return self.met[-2].what if len(self.met) > 1 else ""

    def meet(self, at: Boundary, do: Callable[[], T], lost: Callable[[], Exception]) -> T:
        """Does something, or what happens instead.

        Args:
            at: where.
            do: the action.
            lost: the error that says that it is not known.
        """
        kind = self._arrive(at)
        self.gate(at)
        self._live()
        self._before(kind, lost)
        if kind is Kind.SLOW:
            threading.Event().wait(self._slow_seconds)
        result = do()
        if kind is Kind.DUPLICATE:
            result = do()
        self._after(kind, lost)
        return result

    async def meet_async(self, at: Boundary, do: Callable[[], Awaitable[T]], lost: Callable[[], Exception]) -> T:
        """The same for coroutines."""
        kind = self._arrive(at)
        if self.pause is not None:
            await self.pause(at)
            self._live()
        self._before(kind, lost)
        if kind is Kind.SLOW:
            await asyncio.sleep(self._slow_seconds)
        result = await do()
        if kind is Kind.DUPLICATE:
            result = await do()
        self._after(kind, lost)
        return result

    def die(self) -> None:
        """From now on it does nothing: its connections are cut, and its next action is not done."""
        self.dead = True
        for connection in self._connections:
            # The socket, not the connection: another thread may be waiting on that.
            with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as one:
                one.shutdown(socket.SHUT_RDWR)
        self._go.set()

    def interrupt(self) -> None:
        """SIGTERM: comes to it at its next boundary."""
        self.interrupted = True
        self._go.set()

    def freeze(self) -> None:
        """SIGSTOP: it stands still at its next boundary, with all its connections."""
        self._go.clear()

    def thaw(self) -> None:
        """SIGCONT."""
        self._go.set()

    def opened(self, connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]") -> None:
        """It has a connection, which is cut when it dies."""
        self._connections.add(connection)

    def _arrive(self, at: Boundary) -> Kind | None:
        self._live()
        number = len(self.met)
        self.met.append(at)
        kind = self.plan(number, at)
        if kind is not None:
            self._tell(kind, at)
        return kind

    def _live(self) -> None:
        self._go.wait()
        if self.dead:
            raise Crashed
        if self.interrupted:
            self.interrupted = False
            raise Interrupted

    def _before(self, kind: Kind | None, lost: Callable[[], Exception]) -> None:
        if kind is Kind.CRASH_BEFORE:
            self.die()
            raise Crashed
        if kind is Kind.UNAVAILABLE:
            raise lost()

    def _after(self, kind: Kind | None, lost: Callable[[], Exception]) -> None:
        if kind is Kind.CRASH_AFTER:
            self.die()
        if self.dead:
            raise Crashed
        if kind is Kind.ANSWER_LOST:
            raise lost()
