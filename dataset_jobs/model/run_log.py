"""The log of a run, as its row keeps it: the last lines, and how many there were before them."""

from dataclasses import dataclass
from typing import Any

from dataset_jobs.model.outcome import LogLine

LOG_LINES = 100
LOG_BYTES = 16 * 1024
"""What is kept of a run's log, at most. A usual run has two lines."""

_LINE_BYTES = 48
"""Of a line's time and level."""


@dataclass(frozen=True, slots=True)
class RunLog:
    """A run's log.

    Args:
        dropped: how many lines came before those.
        lines: the last ones, the oldest first.
    """

    dropped: int = 0
    lines: tuple[LogLine, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"dropped": self.dropped, "lines": [line.as_dict() for line in self.lines]}

    @classmethod
    def from_dict(cls, values: Any) -> "RunLog":
        """Reads `as_dict`; anything else counts as no log."""
        try:
            lines = tuple(LogLine.from_dict(line) for line in values["lines"][-LOG_LINES:])
            return cls(max(0, int(values["dropped"])), lines)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return cls()


def size_of(line: LogLine) -> int:
    """What a line takes of LOG_BYTES."""
    return len(line.msg.encode()) + _LINE_BYTES
