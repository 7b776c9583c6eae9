"""Listens for NOTIFY, on a connection of its own. Losing one costs latency only."""

import asyncio
import logging
from collections.abc import Callable

import psycopg

from dataset_jobs.model.errors import RunError
from dataset_jobs.store.failures import database_errors

RECONNECT_SECONDS = 5.0
_log = logging.getLogger(__name__)


async def listen(conninfo: str, notified: Callable[[], None]) -> None:
    """Calls `notified` for every notification, until it is cancelled; reconnects as often as it must.

    Args:
        conninfo: a direct connection; LISTEN does not work through a transaction-mode pooler.
        notified: called in the event loop; also after each connect, for what was missed before.
    """
    while True:
        try:
            with database_errors():
                await _listen_once(conninfo, notified)
        except RunError as error:
            _log.warning("not listening for notifications, polling meanwhile: %s", error)
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen_once(conninfo: str, notified: Callable[[], None]) -> None:
    connection = await psycopg.AsyncConnection.connect(
        conninfo,
        autocommit=True,
        connect_timeout=10,
        application_name="affirm-worker listen",
        keepalives_idle=30,
        keepalives_interval=10,
        keepalives_count=3,
    )
    async with connection:
        await connection.execute("listen affirm_jobs")
        notified()
        async for _ in connection.notifies():
            notified()
