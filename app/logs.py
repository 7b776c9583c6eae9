"""Where the log goes: JSON for machines, short lines for people. Both on stderr."""

import logging
import sys
from functools import partial

from rich.console import Console

from app.settings import Settings
from dataset_jobs.logs import log_for_people, log_json
from dataset_jobs.model.trouble import Quiet

NOISY = ("kopf", "aiohttp.access", "asyncio", "botocore", "urllib3", "uvicorn.error")
"""Loggers of libraries whose chatter is of no use; their warnings are."""


def set_up_logs(settings: Settings, console: Console | None = None) -> None:
    """Sends the log of this process to stderr, as LOG_FORMAT and LOG_LEVEL say.

    Args:
        settings: checked already.
        console: what else writes to the terminal, such as a progress bar; lines go above it.
    """
    if logs_for_people(settings):
        write = None if console is None else partial(console.out, highlight=False)
        log_for_people(settings.log_level, {}, write=write)
    else:
        log_json(settings.log_level, {"worker_id": settings.worker_id})
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    # It warns of errors that it ignores; those that count reach us as exceptions.
    database = logging.getLogger("psycopg")
    database.setLevel(max(logging.ERROR, logging.getLevelName(settings.log_level)))
    # It sets a level of its own, and logs every try to connect.
    pool = logging.getLogger("psycopg.pool")
    pool.setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    pool.filters = [NowAndThen()]


def logs_for_people(settings: Settings) -> bool:
    """Whether the log has lines for people rather than JSON."""
    return settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())


class NowAndThen(logging.Filter):
    """Lets a line through if it is new, or was not said for a while."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet = Quiet()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is due."""
        return self._quiet.is_due(record.getMessage(), record.created)
