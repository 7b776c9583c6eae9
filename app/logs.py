"""Where the log goes: JSON for machines, colours for people. Both on stderr."""

import logging
import sys

from rich.console import Console
from rich.logging import RichHandler

from app.settings import Settings
from dataset_jobs.logs import PlainFormatter, log_json
from dataset_jobs.model.text import one_line
from dataset_jobs.model.trouble import Quiet

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "exc_text"}

NOISY = ("kopf", "aiohttp.access", "asyncio", "botocore", "urllib3")
"""Loggers of libraries whose chatter is of no use; their warnings are."""


def set_up_logs(settings: Settings, console: Console | None = None) -> None:
    """Sends the log of this process to stderr, as LOG_FORMAT and LOG_LEVEL say.

    Args:
        settings: checked already.
        console: what else writes to the terminal, such as a progress bar; lines go above it.
    """
    if logs_for_people(settings):
        _log_to_console(settings.log_level, console)
    else:
        log_json(settings.log_level, {"worker_id": settings.worker_id})
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    # It sets a level of its own, and logs every try to connect.
    pool = logging.getLogger("psycopg.pool")
    pool.setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    pool.filters = [NowAndThen()]


def logs_for_people(settings: Settings) -> bool:
    """Whether the log has colours and columns rather than JSON."""
    return settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())


class NowAndThen(logging.Filter):
    """Lets a line through if it is new, or was not said for a while."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet = Quiet()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is due."""
        return self._quiet.is_due(record.getMessage(), record.created)


class _WithFields(PlainFormatter):
    """The message, and after it the fields that a JSON line would have."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        text = super().formatMessage(record)
        fields = [f"{name}={value}" for name, value in vars(record).items() if name not in _STANDARD]
        return one_line(f"{text}  {' '.join(fields)}") if fields else text


def _log_to_console(level: str, console: Console | None) -> None:
    handler = RichHandler(
        console=console or Console(stderr=True),
        show_path=False,
        omit_repeated_times=False,
        log_time_format="%H:%M:%S",
        rich_tracebacks=False,
    )
    handler.setFormatter(_WithFields("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
