"""Keeps a runner's own last log lines, so that they outlive its process and its pod."""

import logging
from collections import deque
from datetime import UTC, datetime

from dataset_jobs.model.outcome import KEPT_LINES, LogLine

OURS = ("parser_runner", "dataset_jobs")
"""The loggers whose lines are kept. They never say what is in a file; of other libraries nobody knows."""


class LogTail(logging.Handler):
    """Keeps the last lines that our own loggers write, as LOG_LEVEL lets them."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=KEPT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        self._lines.append(LogLine(moment.replace("+00:00", "Z"), record.levelname, record.getMessage()))

    def lines(self) -> tuple[LogLine, ...]:
        """Those that are kept, the oldest first."""
        return tuple(self._lines)

    def keep(self) -> None:
        """Begins to keep lines."""
        for name in OURS:
            logging.getLogger(name).addHandler(self)

    def close(self) -> None:
        """Keeps no more."""
        for name in OURS:
            logging.getLogger(name).removeHandler(self)
        super().close()
