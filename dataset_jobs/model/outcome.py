"""What a runner says of its run: an exit code, and a JSON message that outlives it."""

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import RunError

MESSAGE_LIMIT = 2048
"""Bytes of JSON a termination message may hold; Kubernetes allows 4096, shared by all containers of a pod."""


def storable(text: str) -> str:
    """`text` without what Postgres cannot store: NUL, and the halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="replace").decode()


class ExitCode(IntEnum):
    """Exit codes of the parser-runner; those of sysexits.h where one fits."""

    COMPLETED = 0
    USAGE = 64
    REJECTED = 65
    CRASHED = 70
    UNAVAILABLE = 75
    FORBIDDEN = 77
    CONFIGURATION = 78
    LOST_LEASE = 80
    SHUT_DOWN = 143


_EXIT_CODES = {
    Cause.COMPLETED: ExitCode.COMPLETED,
    Cause.REJECTED: ExitCode.REJECTED,
    Cause.UNAVAILABLE: ExitCode.UNAVAILABLE,
    Cause.FORBIDDEN: ExitCode.FORBIDDEN,
    Cause.CANNOT_START: ExitCode.CONFIGURATION,
    Cause.LOST_LEASE: ExitCode.LOST_LEASE,
    Cause.SHUT_DOWN: ExitCode.SHUT_DOWN,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run, in the runner's own words.

    Args:
        cause, reason: in the words of the model.
        error: for people; empty when completed.
        problems: up to 20 further lines of the same kind as `error`.
        rows: rows committed, 0 unless completed.
    """

    cause: Cause
    reason: Reason | None = None
    error: str = ""
    problems: tuple[str, ...] = ()
    rows: int = 0

    @property
    def exit_code(self) -> ExitCode:
        """The exit code that goes with this outcome."""
        return _EXIT_CODES.get(self.cause, ExitCode.CRASHED)

    @classmethod
    def of_error(cls, error: RunError) -> "Outcome":
        """The outcome of a run that `error` ended."""
        problems = tuple(str(p) for p in getattr(error, "problems", ()))
        return cls(error.cause, error.reason, str(error), problems)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; what is empty is left out."""
        values = {
            "cause": str(self.cause),
            "reason": str(self.reason) if self.reason else None,
            "error": self.error,
            "problems": list(self.problems),
            "rows": self.rows,
        }
        return {key: value for key, value in values.items() if value}

    def to_message(self) -> str:
        """At most `MESSAGE_LIMIT` bytes of JSON: the problems go first, then the end of the error."""
        whole = self.as_dict()
        for drop in ("", "problems"):
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
                error=storable(str(values.get("error", ""))),
                problems=tuple(storable(str(p)) for p in values.get("problems", ())),
                rows=int(values.get("rows", 0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return None
