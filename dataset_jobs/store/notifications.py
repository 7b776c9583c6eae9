"""Listens for NOTIFY, on a connection of its own. Losing one costs latency only."""

import asyncio
import logging
import time
from collections.abc import Callable

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Repeated
from dataset_jobs.postgres.connecting import AsyncSessionConnection
from dataset_jobs.postgres.postgres_errors import database_errors

RECONNECT_SECONDS = 5.0
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
        await connection.execute("listen affirm_jobs")
        notified()
        async for _ in connection.notifies():
            notified()
    return True
