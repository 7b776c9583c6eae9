"""The last log lines of a runner, kept so that they outlive its process and its pod."""

import logging
from collections import deque
from datetime import UTC, datetime

from dataset_jobs.model.outcome import KEPT_LINES, LogLine

OURS = ("parser_runner", "dataset_jobs")
"""The loggers whose lines are kept. They never quote a file; other libraries might."""


class LogTail(logging.Handler):
    """Keeps the last lines of our own loggers, at LOG_LEVEL and above."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=KEPT_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        self._lines.append(LogLine(moment.replace("+00:00", "Z"), record.levelname, record.getMessage()))

    def lines(self) -> tuple[LogLine, ...]:
        """The kept lines, the oldest first."""
        return tuple(self._lines)

    def keep(self) -> None:
        """Starts to keep lines."""
        for name in OURS:
            logging.getLogger(name).addHandler(self)

    def close(self) -> None:
        """Stops to keep lines."""
        for name in OURS:
            logging.getLogger(name).removeHandler(self)
        super().close()
