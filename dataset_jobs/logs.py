"""Logs on stderr: one JSON object a line, plain lines, or lines for a terminal. A quoted text never begins a line."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from dataset_jobs.model.text import lines_of, one_line, storable_values
from dataset_jobs.terminal_log import TerminalFormatter

DETAIL: Mapping[str, object] = {"detail": True}
"""For `extra`: another line tells a person the same. A terminal shows this one at LOG_LEVEL=DEBUG only."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "exc_text", *DETAIL}

_every_line: dict[str, object] = {}


def say_with_every_line(**fields: object) -> None:
    """Adds fields to all lines from now on, such as the file that this process works on."""
    _every_line.update(fields)


class _Fields(logging.Filter):
    """Adds the fields that every line has to a record that says nothing else there."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _every_line.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class _NoDetails(logging.Filter):
    """Leaves out what another line tells a person."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not getattr(record, "detail", False)


class _Formatter(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dumped(values: Any, **how: Any) -> str:
    return json.dumps(storable_values(values), **how)


class PlainFormatter(logging.Formatter):
    """The message, and after it the fields that a JSON line would have.

    A message cannot command a terminal, nor begin a line that looks like another entry.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line of a record, without its traceback."""
        text = super().formatMessage(record)
        fields = [f"{name}={value}" for name, value in vars(record).items() if name not in _STANDARD]
        return one_line(f"{text}  {' '.join(fields)}" if fields else text)

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
            json_serializer=_dumped,
            reserved_attrs=[*RESERVED_ATTRS, *DETAIL],
        )
    )
    _log_to(handler, level, context)


def log_for_people(
    level: str,
    context: Mapping[str, object],
    since: datetime | None = None,
    write: Callable[[str], None] | None = None,
) -> None:
    """The same for people: short lines on a terminal, and elsewhere whole ones with all fields.

    Args:
        level, context: as `log_json` takes them; a terminal shows the file and the job of them.
        since: when the log began; now, if it begins now.
        write: takes each line of a terminal in place of stderr, if something else is shown there too.
    """
    handler: logging.Handler = logging.StreamHandler(sys.stderr) if write is None else _Written(write)
    if sys.stderr.isatty():
        handler.setFormatter(TerminalFormatter(_descriptor(), since or datetime.now()))
        if logging.getLevelName(level) > logging.DEBUG:
            handler.addFilter(_NoDetails())
    else:
        handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)-8s %(message)s", "%Y-%m-%d %H:%M:%S"))
    _log_to(handler, level, context)


class _Written(logging.Handler):
    """Gives its lines to a function."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write(self.format(record))
        except Exception:
            self.handleError(record)


def _log_to(handler: logging.Handler, level: str, context: Mapping[str, object]) -> None:
    _every_line.clear()
    _every_line.update(context)
    handler.addFilter(_Fields())
    logging.basicConfig(level=level, handlers=[handler], force=True)


def _descriptor() -> int:
    try:
        return sys.stderr.fileno()
    except (OSError, ValueError):  # a test's
        return 2
