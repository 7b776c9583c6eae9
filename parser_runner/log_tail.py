"""The last log lines of a runner, kept so that they outlive its process and its pod."""

import logging
from collections import deque
from datetime import UTC, datetime

from dataset_jobs.model.outcome import KEPT_LINES, LogLine
from dataset_jobs.model.run_log import LOG_BYTES, LOG_LINES, RunLog, size_of

OURS = ("parser_runner", "dataset_jobs")
"""The loggers whose lines are kept. They never quote a file; other libraries might."""


class LogTail(logging.Handler):
    """Keeps the last lines of our own loggers, at LOG_LEVEL and above. Any thread may log, and any may read."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque()
        self._bytes = 0
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one line; its caller holds the handler's lock."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = LogLine(moment.replace("+00:00", "Z"), record.levelname, record.getMessage())
        self._lines.append(line)
        self._bytes += size_of(line)
        while len(self._lines) > LOG_LINES or self._bytes > LOG_BYTES:
            self._bytes -= size_of(self._lines.popleft())
            self._dropped += 1

    def log(self) -> RunLog:
        """All kept lines."""
        self.acquire()
        try:
            return RunLog(self._dropped, tuple(self._lines))
        finally:
            self.release()

    def lines(self) -> tuple[LogLine, ...]:
        """The last lines, for the outcome; the oldest first."""
        return self.log().lines[-KEPT_LINES:]

    def keep(self) -> None:
        """Starts to keep lines."""
        for name in OURS:
            logging.getLogger(name).addHandler(self)

    def close(self) -> None:
        """Stops to keep lines."""
        for name in OURS:
            logging.getLogger(name).removeHandler(self)
        super().close()
