"""A controller's connections: a pool of them, and no waiting without a limit."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Self, TypeAlias
from weakref import WeakKeyDictionary

from psycopg import AsyncClientCursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Permanent, RunError, Unavailable
from dataset_jobs.postgres.connecting import AsyncSessionConnection
from dataset_jobs.postgres.postgres_errors import database_errors
from dataset_jobs.postgres.timeouts import in_milliseconds
from dataset_jobs.store.statements import statement

ANSWER_TIMEOUT = timedelta(seconds=30)
"""How long a controller waits for one statement, or one transaction: for locks, or for a database that is away."""

CHECKED_SECONDS = 1.0
"""For how long a connection that has worked is taken to work."""

RECONNECT_SECONDS = 10.0

GET_SECONDS = 15.0
"""How long a connection is waited for; shorter if the database has refused to make one."""

ControllerPool: TypeAlias = AsyncConnectionPool[AsyncSessionConnection[DictRow]]

_worked: WeakKeyDictionary[AsyncSessionConnection[DictRow], float] = WeakKeyDictionary()
"""When each connection did last, by the monotonic clock."""


class ControllerConnection:
    """Connections and transactions from a pool.

    Args:
        pool: an open pool of autocommit connections.
        patience: for one statement, or one transaction.
    """

    def __init__(self, pool: ControllerPool, patience: timedelta = ANSWER_TIMEOUT) -> None:
        self._pool = pool
        self._patience = patience

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncSessionConnection[DictRow]]:
        # A load that stands still between its fence and its commit holds the rows of job and run, and a database that
        # is cut off says nothing: what waits is given up, and the next tick ends such a load before it comes again.
        with database_errors():
            try:
                async with asyncio.timeout(self._patience.total_seconds()), self._from_pool() as connection:
                    yield connection
                    _worked[connection] = time.monotonic()
            except TimeoutError:
                raise Unavailable(f"database: no answer within {self._patience}", Reason.DATABASE) from None

    @asynccontextmanager
    async def _from_pool(self) -> AsyncIterator[AsyncSessionConnection[DictRow]]:
        """A connection of the pool; raises why none could be made, at once if waiting does not help."""
        async with AsyncExitStack() as stack:
            until = time.monotonic() + GET_SECONDS
            while True:
                try:
                    connection = await stack.enter_async_context(self._pool.connection(timeout=0.5))
                    break
                except PoolTimeout:
                    refused = _refusal(self._pool)
                    if isinstance(refused, Permanent) or time.monotonic() > until:
                        raise refused or Unavailable("database: no connection is free", Reason.DATABASE) from None
            yield connection

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncSessionConnection[DictRow]]:
        async with self._begun_with() as (connection, _):
            yield connection

    @asynccontextmanager
    async def _begun_with(
        self, *names: str, **parameters: Any
    ) -> AsyncIterator[tuple[AsyncSessionConnection[DictRow], list[DictRow | None]]]:
        """A transaction that begins with these statements, and the first row of each of them.

        They are sent at once and executed one after the other: each sees everything that was committed before it.
        """
        async with self._connection() as connection, connection.transaction():
            # Parameters within the text: with others Postgres takes one statement at a time.
            cursor = AsyncClientCursor(connection, row_factory=dict_row)
            text = connection.before() + ";\n".join(statement(name) for name in ("session.limits", *names))
            await cursor.execute(text, {"patience": in_milliseconds(self._patience), **parameters})
            rows = [await cursor.fetchone()]
            while cursor.nextset():
                rows.append(await cursor.fetchone() if cursor.description else None)
            yield connection, rows[-len(names) :] if names else []


async def execute(connection: AsyncSessionConnection[DictRow], name: str, **parameters: Any) -> None:
    """Executes a named statement without rows."""
    await connection.execute(statement(name), parameters)


async def fetch_one(connection: AsyncSessionConnection[DictRow], name: str, **parameters: Any) -> DictRow | None:
    """The first row of a named statement."""
    return await (await connection.execute(statement(name), parameters)).fetchone()


async def fetch_only(connection: AsyncSessionConnection[DictRow], name: str, **parameters: Any) -> DictRow:
    """The row of a named statement that always has one."""
    row = await fetch_one(connection, name, **parameters)
    assert row is not None
    return row


async def fetch_all(connection: AsyncSessionConnection[DictRow], name: str, **parameters: Any) -> list[DictRow]:
    """All rows of a named statement."""
    return await (await connection.execute(statement(name), parameters)).fetchall()


async def _check(connection: AsyncSessionConnection[DictRow]) -> None:
    """Asks a connection whether it works, unless it did a moment ago: a tick uses one a dozen times."""
    if time.monotonic() - _worked.get(connection, -math.inf) > CHECKED_SECONDS:
        await AsyncConnectionPool.check_connection(connection)


def controller_pool(
    conninfo: str,
    max_connections: int,
    connection_class: type[AsyncSessionConnection[DictRow]] = AsyncSessionConnection[DictRow],
) -> ControllerPool:
    """A pool for `ControllerStore`, to be opened by the caller.

    Args:
        conninfo: libpq connection string or URI; may be a transaction-mode pooler's.
        max_connections: the most that are open at the same time.
        connection_class: another one lets tests put a fault between any two exchanges with the server.
    """

    class Remembering(connection_class):  # type: ignore[misc,valid-type]
        """Remembers why the last connection could not be made: the pool itself says only that there is none."""

        refused: RunError | None = None

        @classmethod
        async def connect(cls, conninfo: str = "", **options: Any) -> Self:
            try:
                connection: Self = await super().connect(conninfo, **options)
            except RunError as error:
                cls.refused = error
                raise
            cls.refused = None
            return connection

    return AsyncConnectionPool(
        conninfo,
        connection_class=Remembering,
        min_size=1,
        max_size=max_connections,
        open=False,
        timeout=GET_SECONDS,
        # It waits longer after each refusal, and begins anew after so long: a healed database is found within that.
        reconnect_timeout=RECONNECT_SECONDS,
        max_idle=60,
        check=_check,
        kwargs={"row_factory": dict_row, "application_name": "affirm-worker controller"},
    )


def _refusal(pool: ControllerPool) -> RunError | None:
    refused: RunError | None = getattr(pool.connection_class, "refused", None)
    return refused
