"""What a runner says of its run: an exit code, and a JSON message that outlives it."""

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.hints import Hint
from dataset_jobs.model.text import storable

MESSAGE_LIMIT = 2048
"""Bytes of JSON a termination message may hold; Kubernetes allows 4096, shared by all containers of a pod."""

KEPT_HINTS = 12
"""How many hints of a refusal are kept."""

KEPT_LINES = 20
"""How many of a runner's last log lines are kept with its outcome."""

LINE_LIMIT = 300
"""Characters that are kept of a log line."""


class ExitCode(IntEnum):
    """Exit codes of the parser-runner; those of sysexits.h if one fits."""

    COMPLETED = 0
    USAGE = 64
    REJECTED = 65
    CRASHED = 70
    OUT_OF_MEMORY = 71
    UNAVAILABLE = 75
    FORBIDDEN = 77
    CONFIGURATION = 78
    LOST_LEASE = 80
    SHUT_DOWN = 143


_EXIT_CODES = {
    Cause.COMPLETED: ExitCode.COMPLETED,
    Cause.REJECTED: ExitCode.REJECTED,
    Cause.UNAVAILABLE: ExitCode.UNAVAILABLE,
    Cause.OUT_OF_MEMORY: ExitCode.OUT_OF_MEMORY,
    Cause.FORBIDDEN: ExitCode.FORBIDDEN,
    Cause.CANNOT_START: ExitCode.CONFIGURATION,
    Cause.LOST_LEASE: ExitCode.LOST_LEASE,
    Cause.SHUT_DOWN: ExitCode.SHUT_DOWN,
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a runner's log. `time` is ISO 8601 in UTC; `msg` is cut at `LINE_LIMIT` and made storable."""

    time: str
    level: str
    msg: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "msg", storable(self.msg[:LINE_LIMIT])[:LINE_LIMIT])

    def as_dict(self) -> dict[str, str]:
        """Plain JSON values."""
        return {"time": self.time, "level": self.level, "msg": self.msg}

    @classmethod
    def from_dict(cls, values: Any) -> "LogLine":
        """Reads `as_dict`; raises KeyError or TypeError for anything else."""
        return cls(storable(str(values["time"])[:32]), storable(str(values["level"])[:16]), str(values["msg"]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run, in the runner's own words.

    Args:
        cause, reason: in the words of the model.
        error: for people; empty when completed. It and the problems are made storable.
        problems: up to 20 further lines of the same kind as `error`.
        rows: rows committed, 0 unless completed.
        log: the last lines of its log, the oldest first.
        hints: what the refusal of a file asks for.
    """

    cause: Cause
    reason: Reason | None = None
    error: str = ""
    problems: tuple[str, ...] = ()
    rows: int = 0
    log: tuple[LogLine, ...] = ()
    hints: tuple[Hint, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "error", storable(self.error))
        object.__setattr__(self, "problems", tuple(map(storable, self.problems)))

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that goes with this outcome."""
        return _EXIT_CODES.get(self.cause, ExitCode.CRASHED)

    @property
    def filename(self) -> str:
        """The name that a refused file had at its run; empty if this does not say. Its dataset may be renamed since."""
        if self.cause is not Cause.REJECTED or not self.problems:
            return ""
        before, found, _ = self.error.partition(self.problems[0])
        return before.rstrip()[:-1] if found else ""

    @classmethod
    def of_error(cls, error: RunError) -> "Outcome":
        """The outcome of a run that `error` ended."""
        problems = tuple(str(p) for p in getattr(error, "problems", ()))
        return cls(error.cause, error.reason, str(error), problems, hints=error.hints[:KEPT_HINTS])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, without empty ones."""
        values = {
            "cause": str(self.cause),
            "reason": str(self.reason) if self.reason else None,
            "error": self.error,
            "problems": list(self.problems),
            "rows": self.rows,
            "log": [line.as_dict() for line in self.log],
            "hints": [hint.as_dict() for hint in self.hints],
        }
        return {key: value for key, value in values.items() if value}

    def to_message(self) -> str:
        """At most `MESSAGE_LIMIT` bytes of JSON: log lines go first, then problems, hints and the end of the error."""
        whole = self.as_dict()
        lines = whole.pop("log", [])
        while lines:
            message = json.dumps({**whole, "log": lines})
            if len(message) <= MESSAGE_LIMIT:
                return message
            lines = lines[1:]
        for drop in ("", "problems", "hints"):
            whole.pop(drop, None)
            message = json.dumps(whole)
            if len(message) <= MESSAGE_LIMIT:
                return message
        spare = MESSAGE_LIMIT - len(json.dumps({**whole, "error": ""}))
        # Every character is at most 12 bytes of JSON (a surrogate pair of escapes).
        whole["error"] = self.error[: spare // 12]
        return json.dumps(whole)

    @classmethod
    def from_message(cls, message: str) -> "Outcome | None":
        """Reads `to_message`; None for anything that a runner of ours did not write."""
        try:
            return cls.from_dict(json.loads(message))
        except (ValueError, RecursionError):
            return None

    @classmethod
    def from_dict(cls, values: Any) -> "Outcome | None":
        """Reads `as_dict`; None for anything else."""
        try:
            return cls(
                cause=Cause(values["cause"]),
                reason=Reason(values["reason"]) if values.get("reason") else None,
                error=str(values.get("error", "")),
                problems=tuple(str(p) for p in values.get("problems", ())),
                rows=int(values.get("rows", 0)),
                log=tuple(LogLine.from_dict(line) for line in values.get("log", ())[-KEPT_LINES:]),
                hints=tuple(filter(None, map(Hint.from_dict, values.get("hints", ())[:KEPT_HINTS]))),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return None
