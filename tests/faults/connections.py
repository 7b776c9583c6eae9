"""Connections to Postgres that make every exchange with the server a boundary: statements, COPY data, COMMIT."""

from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
from psycopg.rows import DictRow

from dataset_jobs.postgres.connecting import AsyncSessionConnection
from dataset_jobs.postgres.timeouts import TimeoutConnection
from services.client import Client
from tests.faults.actor import Actor, Boundary, Crashed

AsyncType = type[AsyncSessionConnection[DictRow]]
SyncType = type[TimeoutConnection[DictRow]]


def async_connection(actor: Actor) -> AsyncType:
    """The connections of a controller."""

    class Watched(AsyncSessionConnection[DictRow]):
        @classmethod
        async def connect(cls, *args: Any, **kwargs: Any) -> Any:
            made: list[psycopg.AsyncConnection[DictRow]] = []

            async def do() -> Any:
                made.append(await _connect(*args, **kwargs))
                actor.opened(made[0])
                return made[0]

            connection: Any = None
            try:
                connection = await actor.meet_async(Boundary("postgres", "connect"), do, _lost)
            finally:  # of two, where it was done twice, one is used
                for one in made:
                    if one is not connection:
                        await one.close()
            return connection

        async def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            go_on = partial(super().wait, gen, *args, **kwargs)
            try:
                return await actor.meet_async(_exchange(gen), go_on, _lost)
            except (_Lost, Crashed):
                self.pgconn.finish()
                raise

    _connect = super(Watched, Watched).connect
    return Watched


def sync_connection(actor: Actor) -> SyncType:
    """The connections of a runner or a client."""

    class Watched(TimeoutConnection[DictRow]):
        @classmethod
        def connect(cls, *args: Any, **kwargs: Any) -> Any:
            made: list[psycopg.Connection[DictRow]] = []

            def do() -> Any:
                made.append(_connect(*args, **kwargs))
                actor.opened(made[0])
                return made[0]

            connection: Any = None
            try:
                connection = actor.meet(Boundary("postgres", "connect"), do, _lost)
            finally:
                for one in made:
                    if one is not connection:
                        one.close()
            return connection

        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            go_on = partial(super().wait, gen, *args, **kwargs)
            try:
                return actor.meet(_exchange(gen), go_on, _lost)
            except (_Lost, Crashed):
                self.pgconn.finish()
                raise

    _connect = super(Watched, Watched).connect
    return Watched


class _Lost(psycopg.OperationalError):
    """The connection broke."""


def _lost() -> Exception:
    return _Lost("the connection was lost (a fault of the test)")


def _exchange(gen: Any) -> Boundary:
    """The next message, as far as psycopg's own generator shows it."""
    frame = getattr(gen, "gi_frame", None)
    query = frame.f_locals.get("query") if frame is not None else None
    if isinstance(query, str) and query:
        return Boundary("postgres", query.splitlines()[0].removeprefix("-- ")[:60])
    return Boundary("postgres", getattr(gen, "__name__", "exchange").strip("_"))


def boundaries(conninfo: str, work: Callable[[Client], object]) -> list[tuple[Boundary, int]]:
    """Where a client's work can be hit, each boundary with how often it was met before. Does the work once."""
    actor = Actor()
    with Client.connect(conninfo, connection_class=sync_connection(actor)) as client:
        work(client)
    return [(at, actor.met[:number].count(at)) for number, at in enumerate(actor.met)]
