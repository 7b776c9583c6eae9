"""Operations that nobody carries on: a controller does, in a thread, a batch a transaction.

Whoever serves an HTTP API does it sooner; see `services.operations`.
"""

import asyncio
import logging
import threading
import time

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Repeated
from dataset_jobs.storage import StorageConfig, open_storage
from services.client import Client

LOOK_SECONDS = 15.0
"""Between two looks."""

_log = logging.getLogger(__name__)


async def carry_on_operations(conninfo: str, storage: StorageConfig, look_seconds: float = LOOK_SECONDS) -> None:
    """Carries on operations, until cancelled; then the batch at work is still committed."""
    stop = threading.Event()
    looking = Repeated()
    try:
        while True:
            try:
                await asyncio.to_thread(_look, conninfo, storage, stop)
            except (RunError, OSError, MemoryError) as error:
                problem = error if isinstance(error, RunError) else RunError(str(error))
                if looking.failed(problem, time.monotonic()):
                    _log.warning("operations are not carried on: %s", error)
            else:
                looking.passed()
            await asyncio.sleep(look_seconds)
    finally:
        stop.set()


def _look(conninfo: str, storage: StorageConfig, stop: threading.Event) -> None:
    with Client.connect(conninfo) as client:
        ended = client.operations.work(open_storage(storage), stop.is_set)
    if ended:
        _log.info("%d operations brought to their end", ended)
