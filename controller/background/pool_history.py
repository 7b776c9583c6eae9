"""The past of pools: a row a minute for each pool that this controller decides for. It is written beside the ticks."""

import logging
from functools import partial

from controller.background.again import again
from controller.context import Context

TRY_SECONDS = 15.0
"""Between two tries: a minute is written in the first quarter of the next one, or a little later."""

_log = logging.getLogger(__name__)


async def keep_history(context: Context, try_seconds: float = TRY_SECONDS) -> None:
    """Writes each minute when it is over, until cancelled. A minute without an answer is left out."""
    await again(
        partial(context.store.record_minute, context.owner), try_seconds, _log,
        "the past of pools is not written", "the past of pools is written again",
    )  # fmt: skip
