"""The past of pools: a row a minute for each pool that this controller decides for. It is written beside the ticks."""

import asyncio
import logging
import time

from controller.context import Context
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.trouble import Repeated

TRY_SECONDS = 15.0
"""Between two tries: a minute is written in the first quarter of the next one, or a little later."""

_log = logging.getLogger(__name__)


async def keep_history(context: Context, try_seconds: float = TRY_SECONDS) -> None:
    """Writes each minute when it is over, until cancelled. A minute without an answer is left out."""
    writing = Repeated()
    while True:
        try:
            await context.store.record_minute(context.owner)
        except RunError as error:
            if writing.failed(error, time.monotonic()):
                _log.warning("the past of pools is not written: %s", error)
        else:
            if writing.passed():
                _log.info("the past of pools is written again")
        await asyncio.sleep(try_seconds)
