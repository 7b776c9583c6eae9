"""Listens for NOTIFY, on a connection of its own. Losing one costs latency only."""

import asyncio
import logging
import time
from collections.abc import Callable

from psycopg import sql

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Repeated
from dataset_jobs.postgres.connecting import AsyncSessionConnection
from dataset_jobs.postgres.postgres_errors import database_errors

RECONNECT_SECONDS = 5.0

SPACING_SECONDS = 0.05
"""Between two wake-ups by notifications: whoever sends them without an end costs little more."""

_log = logging.getLogger(__name__)


async def listen(conninfo: str, notified: Callable[[], None]) -> None:
    """Calls `notified` for every notification, until it is cancelled; reconnects as often as it must.

    Logs a warning and returns at once if `conninfo` leads through a pooler: a LISTEN there would stay on one of its
    connections, and wake that connection's next user.

    Args:
        conninfo: a direct connection.
        notified: called in the event loop; also after each connect, for notifications that were missed before.
    """
    connecting = Repeated()

    def connected() -> None:
        if connecting.passed():
            _log.info("listening for notifications again")
        notified()

    while True:
        try:
            with database_errors():
                if not await _listen_once(conninfo, connected):
                    _log.info("polling: a pooler passes on no notifications; DATABASE_DIRECT_URL may lead past it")
                    return
        except RunError as error:
            if connecting.failed(error, time.monotonic()):
                _log.warning("not listening for notifications, polling meanwhile: %s", error)
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen_once(conninfo: str, notified: Callable[[], None]) -> bool:
    """False if there is a pooler in between."""
    connection = await AsyncSessionConnection.connect(
        conninfo,
        application_name="affirm-worker listen",
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=3,
    )
    async with connection:
        if connection.pooled:
            return False
        row = await (await connection.execute("select jobs_channel()")).fetchone()
        assert row is not None
        await connection.execute(sql.SQL("listen {}").format(sql.Identifier(row[0])))
        notified()
        spaced = Spaced(notified, asyncio.get_running_loop().call_later)
        async for _ in connection.notifies():
            spaced()
    return True


class Spaced:
    """Passes calls on, at most one in SPACING_SECONDS, and none is lost: the last one is passed on at the end of that.

    Args:
        call: what is called.
        later: calls something after so many seconds.
    """

    def __init__(self, call: Callable[[], None], later: Callable[[float, Callable[[], None]], object]) -> None:
        self._call = call
        self._later = later
        self._waiting = False
        self._again = False

    def __call__(self) -> None:
        """Passes this call on, now or at the end of the spacing."""
        if self._waiting:
            self._again = True
            return
        self._waiting = True
        self._later(SPACING_SECONDS, self._over)
        self._call()

    def _over(self) -> None:
        self._waiting = False
        if self._again:
            self._again = False
            self()
