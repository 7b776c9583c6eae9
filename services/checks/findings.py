"""The findings of checks: a verdict, a sentence, and the lines that put it right."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dataset_jobs.model.errors import RunError
from dataset_jobs.model.hints import Hint
from services.status import Obstacle


class Verdict(StrEnum):
    """How something is, from good to bad."""

    OK = "ok"
    SKIPPED = "skipped"
    """Something that it needs is wrong, or nothing asks for it."""
    WARNING = "warning"
    """Work goes on, but not as it should."""
    WRONG = "wrong"


_ORDER = [*Verdict]


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to put something right. Exactly one of `hint`, `sql` and `shell` is given.

    Args:
        hint: an action of this program.
        sql: a statement.
        shell: a line for a shell, of other programs.
        by: who has to do it, if not everybody can.
    """

    hint: Hint | None = None
    sql: str = ""
    shell: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        verdict: how it is.
        says: one sentence; empty if `obstacle` says it.
        fixes: put it right, in this order.
        obstacle: what keeps jobs from running.
    """

    verdict: Verdict
    says: str = ""
    fixes: tuple[Fix, ...] = ()
    obstacle: Obstacle | None = None


def ok(says: str) -> Finding:
    """It is as it should be."""
    return Finding(Verdict.OK, says)


def warning(says: str, *fixes: Fix) -> Finding:
    """Work goes on, but not as it should."""
    return Finding(Verdict.WARNING, says, fixes)


def wrong(says: str, *fixes: Fix) -> Finding:
    """It has to be put right."""
    return Finding(Verdict.WRONG, says, fixes)


def skipped(says: str) -> Finding:
    """It could not be looked at, and why."""
    return Finding(Verdict.SKIPPED, says)


def failed(error: RunError) -> Finding:
    """Looking at it met an error."""
    return wrong(str(error), *(Fix(hint) for hint in error.hints))


def worst(findings: Iterable[Finding]) -> Verdict:
    """The worst verdict; OK if there is none."""
    return max((one.verdict for one in findings), key=_ORDER.index, default=Verdict.OK)
