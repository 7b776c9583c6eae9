"""Logs on stderr: one JSON object a line, or plain lines. A quoted text never breaks a line in two."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from dataset_jobs.model.text import lines_of, one_line, storable_values


class _Formatter(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dumped(values: Any, **how: Any) -> str:
    return json.dumps(storable_values(values), **how)


class PlainFormatter(logging.Formatter):
    """As its base class, but a message cannot command a terminal, nor begin a line that looks like another entry."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line of a record, without its traceback."""
        return one_line(super().formatMessage(record))

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """The traceback, on lines of its own."""
        return lines_of(super().formatException(ei))


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
            json_serializer=_dumped,
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


def log_plain(level: str) -> None:
    """The same as lines for people."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)-8s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
