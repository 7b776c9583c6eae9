"""Logs as one JSON object a line, on stderr."""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from pythonjsonlogger.json import JsonFormatter


class _Formatter(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def log_json(level: str, context: Mapping[str, object]) -> None:
    """Sends the log of the whole process to stderr.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        context: fields that every line has, such as the worker's or the job's id.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            "{asctime}{levelname}{message}",
            style="{",
            rename_fields={"asctime": "time", "levelname": "level", "message": "msg"},
            static_fields=dict(context),
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
