"""The error tree. The adapters turn errors of psycopg, boto3 and the Kubernetes client into these.

It is rooted in two kinds: `Permanent` (the same try can only fail again) and `Temporary` (a later try may pass).
Messages name the file, the line and the reason. They never hold file contents or credentials.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.hints import Hint
from dataset_jobs.model.places import Place, in_words


class RunError(Exception):
    """A run cannot go on. `cause` and `reason` say why in the words of the model.

    Args:
        message: what happened, for people; it names no command.
        reason: says more than the cause.
        hints: the actions that the end of the message asks for.
    """

    cause: Cause
    reason: Reason | None

    def __init__(self, message: str, reason: Reason | None = None, *, hints: Sequence[Hint] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.hints = tuple(hints)


class Permanent(RunError):
    """The same try can only fail again."""


class Temporary(RunError):
    """A later try may pass."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file.

    Args:
        reason: the fault and the expected value, without the file's contents.
        place: the line or cell, or None if the whole file is meant.
    """

    reason: str
    place: Place | None = None

    def __str__(self) -> str:
        return self.reason if self.place is None else f"{in_words(self.place)}: {self.reason}"


class Rejected(Permanent):
    """The input is at fault.

    Args:
        reason: which kind of fault.
        filename: the publisher's file name.
        problems: at least one; the first is the one in the message.
        more: how many further problems were found and not kept.
        hints: each is one way to submit the file so that it is read.
    """

    cause = Cause.REJECTED

    def __init__(
        self,
        reason: Reason,
        filename: str,
        problems: Sequence[Problem] | Problem | str,
        more: int = 0,
        hints: Sequence[Hint] = (),
    ) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        if isinstance(problems, Problem):
            problems = [problems]
        self.filename = filename
        self.problems = tuple(problems)
        self.more = more
        further = len(self.problems) - 1 + more
        first = self.problems[0]
        where = f"{filename}, {first}" if first.place is not None else f"{filename}: {first}"
        more_of_them = f" (and {further} more problem{'s' if further > 1 else ''})" if further else ""
        super().__init__(where + more_of_them, reason, hints=hints)


class Forbidden(Permanent):
    """Storage or database refused us: a matter of configuration, not of the dataset."""

    cause = Cause.FORBIDDEN


class LostLease(Permanent):
    """Another run owns the job by now, or the run has been ended: nothing may be written."""

    cause = Cause.LOST_LEASE


class Misconfigured(Permanent):
    """A setting or argument is wrong, so that nothing could be tried."""

    cause = Cause.CANNOT_START


class OtherSchema(Misconfigured):
    """The database's tables are of another version, which this program may not work on."""


class Faulty(Permanent):
    """A fault of this program."""

    cause = Cause.CRASHED


class Unavailable(Temporary):
    """Database, storage or local disk did not answer, or broke off."""

    cause = Cause.UNAVAILABLE


class FolderMissing(Unavailable):
    """Storage is there, and has no such folder; or the volume at its place is not mounted."""


class OutOfMemory(Temporary):
    """The machine did not give the memory that was asked of it. It is not about a limit that we set ourselves."""

    cause = Cause.OUT_OF_MEMORY


class DuplicateRows(Permanent):
    """The same name, sex and year came twice in one dataset: the primary key of `names` said so."""

    cause = Cause.REJECTED


class FileMissing(Permanent):
    """Storage answered that there is no such file."""

    cause = Cause.REJECTED
