"""A pool of connections for clients that serve several threads, such as an HTTP interface."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import RunError, Unavailable
from dataset_jobs.postgres.patience import PATIENCE, PatientConnection
from dataset_jobs.store.client_connection import ClientDatabase

GET_SECONDS = 15.0
"""How long a connection is waited for."""


class ClientPool(ClientDatabase):
    """Connections for as many threads as want one. They are made when they are needed, and checked before each use.

    Args:
        conninfo: libpq connection string or URI; may be a transaction-mode pooler's.
        max_connections: the limit at one time.
        patience: how long one answer may take.
        get_seconds: how long a free connection is waited for.
    """

    def __init__(
        self,
        conninfo: str,
        max_connections: int,
        patience: timedelta = PATIENCE,
        get_seconds: float = GET_SECONDS,
    ) -> None:
        super().__init__(patience)

        class Remembering(PatientConnection[DictRow]):
            """Remembers why the last connection could not be made; the pool says only that there is none."""

            refusal: RunError | None = None

            @classmethod
            def connect(cls, conninfo: str = "", **options: Any) -> Self:
                try:
                    connection = super().connect(conninfo, **options)
                except RunError as error:
                    cls.refusal = error
                    raise
                cls.refusal = None
                return connection

        self._connection_class = Remembering
        self._pool = ConnectionPool(
            conninfo,
            connection_class=Remembering,
            min_size=0,
            max_size=max_connections,
            open=True,
            timeout=get_seconds,
            check=ConnectionPool.check_connection,
            kwargs={"patience": patience, "row_factory": dict_row, "application_name": "affirm-worker clients"},
        )

    def close(self) -> None:
        """Closes the connections that are free now, and the others as soon as they are."""
        self._pool.close()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        try:
            connection = self._pool.getconn()
        except PoolTimeout:
            raise self._connection_class.refusal or Unavailable(
                "database: no connection is free", Reason.DATABASE
            ) from None
        try:
            yield connection
        finally:
            self._pool.putconn(connection)
