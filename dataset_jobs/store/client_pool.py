"""A pool of connections for clients that serve several threads, such as an HTTP interface."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self

from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from dataset_jobs.model.actor import Actor
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Permanent, RunError, Unavailable
from dataset_jobs.postgres.timeouts import ANSWER_TIMEOUT, TimeoutConnection
from dataset_jobs.store.client_connection import ClientDatabase, closed_if_refused, refuse_too_new

GET_SECONDS = 15.0
"""How long a thread waits for a connection."""

LOOK_SECONDS = 0.5
"""How often it looks whether the database refuses connections."""

RECONNECT_SECONDS = 2.0
"""How long the pool goes on trying by itself, ever more rarely; after that it tries when somebody asks."""


class ClientPool(ClientDatabase):
    """Connections for as many threads as want one. They are made when they are needed, and checked before each use.

    None is made to a database that is newer than this program and does not let it work.

    Args:
        conninfo: libpq connection string or URI; may be a transaction-mode pooler's.
        max_connections: the limit at one time.
        actor: who acts, unless `acting_as` says another.
        patience: how long one answer may take.
        get_seconds: how long a thread waits for a connection.
    """

    def __init__(
        self,
        conninfo: str,
        max_connections: int,
        actor: Actor,
        patience: timedelta = ANSWER_TIMEOUT,
        get_seconds: float = GET_SECONDS,
    ) -> None:
        super().__init__(patience, actor)
        self._refusal: RunError | None = None
        this = self

        class Remembering(TimeoutConnection[DictRow]):
            """Remembers why the last connection could not be made; the pool says only that there is none."""

            cancels = True

            @classmethod
            def connect(cls, conninfo: str = "", **options: Any) -> Self:
                try:
                    connection = super().connect(conninfo, **options)
                    with closed_if_refused(connection):
                        refuse_too_new(connection)
                except RunError as error:
                    this._refusal = error
                    raise
                this._refusal = None
                return connection

        self._get_seconds = get_seconds
        connection_class: type[TimeoutConnection[DictRow]] = Remembering
        self._pool = ConnectionPool(
            conninfo,
            connection_class=connection_class,
            min_size=0,
            max_size=max_connections,
            open=True,
            reconnect_timeout=RECONNECT_SECONDS,
            check=ConnectionPool.check_connection,
            kwargs={"patience": patience, "row_factory": dict_row, "application_name": "affirm-worker clients"},
        )

    def close(self) -> None:
        """Closes the connections that are free now, and the others as soon as they are."""
        self._pool.close()

    @contextmanager
    def _connection(self) -> Iterator[TimeoutConnection[DictRow]]:
        connection = self._get()
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    def _get(self) -> TimeoutConnection[DictRow]:
        """A connection of the pool; raises why none could be made, at once if waiting does not help."""
        until = time.monotonic() + self._get_seconds
        while True:
            try:
                return self._pool.getconn(timeout=LOOK_SECONDS)
            except PoolTimeout:
                refusal = self._refusal
                if isinstance(refusal, Permanent) or time.monotonic() > until:
                    raise refusal or Unavailable("database: no connection is free", Reason.DATABASE) from None
