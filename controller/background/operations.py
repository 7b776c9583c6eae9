"""Operations that nobody carries on: a controller does, in a thread, a batch a transaction.

Whoever serves an HTTP API does it sooner; see `services.operations`.
"""

import logging
import threading
import time

from controller.background.again import again
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Quiet
from dataset_jobs.storage import StorageConfig, open_storage
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.threads import start_thread
from services.client import Client

LOOK_SECONDS = 15.0
"""Between two looks."""

_log = logging.getLogger(__name__)


async def carry_on_operations(
    store: ControllerStore, conninfo: str, storage: StorageConfig, look_seconds: float = LOOK_SECONDS
) -> None:
    """Carries on operations, until cancelled.

    A batch that is at work then may still be committed; a thread that does not stop is left behind, and ends with the
    process.

    Args:
        store: asked whether there is anything to do.
        conninfo: of the same database, for the thread.
        storage: has the files of datasets that are deleted.
        look_seconds: between two looks.
    """
    stop, quiet = threading.Event(), Quiet()
    thread: threading.Thread | None = None

    def work() -> None:
        try:
            with Client.connect(conninfo) as client:
                ended = client.operations.work(open_storage(storage), stop.is_set)
            _log.info("%d operations brought to their end", ended)
        except (RunError, OSError, MemoryError) as error:
            if quiet.is_due(str(error), time.monotonic()):
                _log.warning("operations are broken off, to be repeated: %s", error)
        except Exception as error:  # nobody waits for a thread; its lease ends by itself
            _log.error("operations: %s", type(error).__name__, exc_info=error)

    async def look() -> None:
        nonlocal thread
        if await store.operations_due() and (thread is None or not thread.is_alive()):
            thread = threading.Thread(target=work, name="operations", daemon=True)
            start_thread(thread)

    try:
        await again(look, look_seconds, _log, "operations are not looked at")
    finally:
        stop.set()
