"""A connection that waits for each answer only up to a limit.

A network that is cut off, a pooler that hangs, a server whose disk is stuck: none of them breaks a connection, and
libpq waits for ever. The server's own limits (`lock_timeout`) do not help if the server is silent.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any, Self

import psycopg
from psycopg import capabilities
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from psycopg.rows import Row

from dataset_jobs.postgres.connecting import SessionConnection

ANSWER_TIMEOUT = timedelta(seconds=60)
"""How long one answer may take. Longer than the server waits for a lock, so that the server can report that first."""

CANCEL_SECONDS = 1.0
"""How long a server may take to hear that a statement should end."""


class TimeoutConnection(SessionConnection[Row]):
    """Closes itself if one answer, or sending one block of a COPY, takes longer than `patience`."""

    patience = ANSWER_TIMEOUT
    cancels = False
    """Whether it asks the server to end the statement too. A reader that is gone would not be noticed."""

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        """As `SessionConnection.connect`; the option `patience` holds from the first statement on."""
        patience = options.pop("patience", ANSWER_TIMEOUT)
        return cls._connected(conninfo, options, patience=patience)

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """psycopg waits for the server only here, except when it connects (`connect_timeout`)."""
        try:
            return super().wait(gen, interval, timeout or self.patience.total_seconds())
        except psycopg.OperationalError:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            if self.cancels and capabilities.has_cancel_safe():  # the other way to cancel may wait for ever
                with suppress(psycopg.Error):
                    self.cancel_safe(timeout=CANCEL_SECONDS)
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {self.patience.total_seconds():g} s") from None


def in_milliseconds(time: timedelta) -> str:
    """A time as Postgres takes it for its own limits."""
    return f"{max(1, time // timedelta(milliseconds=1))}ms"
