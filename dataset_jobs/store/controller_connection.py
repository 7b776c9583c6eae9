"""A controller's connections: a pool of them, and no waiting without a limit."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import AsyncClientCursor, AsyncConnection, IsolationLevel
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.store.failures import database_errors
from dataset_jobs.store.patience import in_milliseconds
from dataset_jobs.store.statements import statement

PATIENCE = timedelta(seconds=30)
"""How long a controller waits for one statement, or one transaction: for locks, or for a database that is away."""

CHECKED_SECONDS = 1.0
"""For how long a connection that has worked is taken to work."""

_worked: WeakKeyDictionary[AsyncConnection[DictRow], float] = WeakKeyDictionary()
"""When each connection did last, by the monotonic clock."""


class ControllerConnection:
    """Connections and transactions from a pool.

    Args:
        pool: an open pool of autocommit connections.
        patience: for one statement, or one transaction.
    """

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[DictRow]], patience: timedelta = PATIENCE) -> None:
        self._pool = pool
        self._patience = patience

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        # A load that stands still between its fence and its commit holds the rows of job and run, and a database that
        # is cut off says nothing: what waits is given up, and the next tick ends such a load before it comes again.
        with database_errors():
            try:
                async with asyncio.timeout(self._patience.total_seconds()), self._pool.connection() as connection:
                    yield connection
                    _worked[connection] = time.monotonic()
            except TimeoutError:
                raise Unavailable(f"database: no answer within {self._patience}", Reason.DATABASE) from None

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        async with self._begun_with() as (connection, _):
            yield connection

    @asynccontextmanager
    async def _begun_with(
        self, *names: str, **parameters: Any
    ) -> AsyncIterator[tuple[AsyncConnection[DictRow], list[DictRow | None]]]:
        """A transaction that begins with these statements, and the first row of each of them.

        They are sent at once, as they are executed: one after the other, each seeing what was committed before it.
        """
        async with self._connection() as connection, connection.transaction():
            # Parameters within the text: with others Postgres takes one statement at a time.
            cursor = AsyncClientCursor(connection, row_factory=dict_row)
            text = ";\n".join(statement(name) for name in ("limits", *names))
            await cursor.execute(text, {"patience": in_milliseconds(self._patience), **parameters})
            rows = [await cursor.fetchone()]
            while cursor.nextset():
                rows.append(await cursor.fetchone() if cursor.description else None)
            yield connection, rows[1:]


async def execute(connection: AsyncConnection[DictRow], name: str, **parameters: Any) -> None:
    """A named statement for what it does."""
    await connection.execute(statement(name), parameters)


async def fetch_one(connection: AsyncConnection[DictRow], name: str, **parameters: Any) -> DictRow | None:
    """The first row of a named statement."""
    return await (await connection.execute(statement(name), parameters)).fetchone()


async def fetch_all(connection: AsyncConnection[DictRow], name: str, **parameters: Any) -> list[DictRow]:
    """All rows of a named statement."""
    return await (await connection.execute(statement(name), parameters)).fetchall()


async def _read_committed(connection: AsyncConnection[DictRow]) -> None:
    # The claim counts what the claims before it have committed; a database may have another default.
    await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)


async def _check(connection: AsyncConnection[DictRow]) -> None:
    """Asks a connection whether it works, unless it did a moment ago: a tick uses one a dozen times."""
    if time.monotonic() - _worked.get(connection, -math.inf) > CHECKED_SECONDS:
        await AsyncConnectionPool.check_connection(connection)


def controller_pool(
    conninfo: str,
    max_connections: int,
    connection_class: type[AsyncConnection[DictRow]] = AsyncConnection[DictRow],
) -> AsyncConnectionPool[AsyncConnection[DictRow]]:
    """A pool for `ControllerStore`, to be opened by the caller.

    Args:
        conninfo: libpq connection string or URI; may be a transaction-mode pooler's.
        max_connections: open at the same time at the most.
        connection_class: another one lets tests put a fault between any two exchanges with the server.
    """
    return AsyncConnectionPool(
        conninfo,
        connection_class=connection_class,
        min_size=1,
        max_size=max_connections,
        open=False,
        timeout=15,
        max_idle=60,
        check=_check,
        configure=_read_committed,
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "prepare_threshold": None,
            "connect_timeout": 10,
            "application_name": "affirm-worker controller",
        },
    )
