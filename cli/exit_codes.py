"""The exit codes that are not errors of the model, and those of commands that may leave jobs waiting."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.outcome import ExitCode

if TYPE_CHECKING:
    from controller.app import Ended

NOT_DONE = 1
INTERRUPTED = 130
NOBODY_READS = 141
"""As a program has it that SIGPIPE ends: 128 and the signal's number."""

IN_WORDS = {
    0: "done",
    NOT_DONE: "some datasets are not loaded (load, run --until-idle), something is wrong (doctor), or you said no",
    2: "wrong usage: an option, an argument or its value",
    65: "refused: the file, the country or the dataset is at fault",
    70: "a fault of the program",
    71: "this machine has not enough memory",
    75: "database, storage or this machine's disk cannot be used: try again later",
    77: "database or storage refuses the login or the right",
    78: "a setting is wrong",
    INTERRUPTED: "interrupted",
    NOBODY_READS: "nobody reads the output to its end, as after | head",
}
"""Every exit code of `affirm-worker`, for help texts."""

_ROOM = (Reason.QUOTA, Reason.UNSCHEDULABLE)
_NEVER = {Cause.FORBIDDEN: ExitCode.FORBIDDEN, Cause.CANNOT_START: ExitCode.CONFIGURATION}


def waits_for_a_fix(cause: str | None) -> bool:
    """Whether a job that last ended so goes on only if somebody does something."""
    return cause in _NEVER


def of_waiting(causes: Iterable[str | None]) -> int:
    """The exit code.

    Args:
        causes: of every job that is not done, why its last run ended; None if none has.

    Returns:
        0 if there are none; 77 or 78 if all of them were refused or could not start; else 1.
    """
    different = set(causes)
    if not different:
        return 0
    [first, *others] = different
    return NOT_DONE if others or first is None else int(_NEVER.get(Cause(first), NOT_DONE))


def of_ended(ended: "Ended") -> int:
    """The exit code of a controller that was to end once idle.

    It is 130 if it was interrupted, 1 if it gave jobs up, else as `of_waiting`.
    """
    if ended.interrupted:
        return INTERRUPTED
    if ended.failed:
        return NOT_DONE
    # A full quota is not for us to fix: room may come.
    return of_waiting(None if job.last_reason in _ROOM else job.last_cause for job in ended.waiting)
