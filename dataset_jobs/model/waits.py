"""What keeps jobs waiting, in words: since when, until when, and whether it can pass by itself."""

from dataclasses import dataclass
from datetime import timedelta

from dataset_jobs.model.causes import Cause, Reason, cause_in_words
from dataset_jobs.model.errors import Forbidden, Misconfigured, Permanent
from dataset_jobs.model.hints import Action, Hint

CONTROLLER_HEARTBEAT = timedelta(seconds=15)
"""How often a controller at least says that it is there."""

ALIVE_FOR = 3 * CONTROLLER_HEARTBEAT
"""A controller that said nothing for so long counts as gone."""

NEVER_PROBES = 2
"""A pool that is blocked, and whose runs did not start in so many probes, does not heal by itself: 30 seconds."""


def is_alive(silent_for: timedelta | None) -> bool:
    """Whether a controller is there. None: it has left no word."""
    return silent_for is not None and silent_for < ALIVE_FOR


@dataclass(frozen=True, slots=True)
class RunsElsewhere:
    """The children of another controller that hold slots.

    Args:
        owner: the controller.
        runs, filename: how many, and the file of one of them.
        controller_silent_for: since it last said that it is there; None if it has ended, or never said so.
        silent_for: since the last sign of life of its runs.
        lease_left: until they are taken for lost if no other sign comes.
    """

    owner: str
    runs: int
    filename: str
    controller_silent_for: timedelta | None
    silent_for: timedelta
    lease_left: timedelta

    def describe(self) -> str:
        """Names the file and the controller, and says how long the wait can take."""
        what = self.filename if self.runs == 1 else f"{self.filename} and {self.runs - 1} more"
        left = f"{_seconds(self.lease_left)} s more"
        if not is_alive(self.controller_silent_for):
            return f"waiting for a run whose controller ({self.owner}) is gone: {what}: {left}, then it runs here"
        return (
            f"waiting for another controller ({self.owner}) that loads {what}: last heard of "
            f"{_seconds(self.silent_for)} s ago; after {left} without a word it runs here"
        )


@dataclass(frozen=True, slots=True)
class PoolInTheWay:
    """A pool whose waiting jobs cannot start, whatever slots are free.

    Args:
        paused, max_running: as somebody has set them.
        blocked_cause, blocked_reason, blocked_error: why its runs cannot start; None if they can.
        blocked_for, probe_in: since when, and until the next run is tried.
        probes: how many were tried since.
        waiting: jobs that wait for it.
        unreleased: its runs that hold a slot.
    """

    name: str
    paused: bool
    max_running: int
    blocked_cause: str | None
    blocked_reason: str | None
    blocked_error: str | None
    probes: int
    blocked_for: timedelta | None
    probe_in: timedelta | None
    waiting: int
    unreleased: int

    def hints(self) -> tuple[Hint, ...]:
        """The action that `describe` says somebody has to take; none if it goes on by itself."""
        if self.paused:
            return (Hint(Action.RESUME_POOL, name=self.name),)
        return (Hint(Action.SET_POOL_MAXIMUM, name=self.name),) if self.max_running == 0 else ()

    def describe(self) -> str:
        """Names the pool, and says why it is in the way, since when, and how it can change."""
        jobs = "1 job waits" if self.waiting == 1 else f"{self.waiting} jobs wait"
        if self.paused:
            return f"waiting: pool {self.name} is paused, and {jobs} until somebody resumes it"
        if self.max_running == 0:
            return f"waiting: pool {self.name} has a maximum of 0 runs, and {jobs} until somebody raises it"
        why = cause_in_words(self.blocked_cause, self.blocked_reason)
        return (
            f"waiting: {jobs}, since runs of pool {self.name} cannot start: {why}: {self.blocked_error} (for "
            f"{_seconds(self.blocked_for)} s; the next try in {_seconds(self.probe_in)} s)"
        )

    def never(self) -> Permanent | None:
        """Why its jobs do not start until somebody does something; None if they may by themselves."""
        own = self.blocked_reason not in (Reason.QUOTA, Reason.UNSCHEDULABLE)
        if self.blocked_cause is None or not own or self.probes < NEVER_PROBES or self.unreleased:
            return None
        message = f"runs of pool {self.name} cannot start: {self.blocked_error}"
        if self.blocked_cause == Cause.FORBIDDEN:
            return Forbidden(message)
        return Misconfigured(message)


def _seconds(time: timedelta | None) -> int:
    return 0 if time is None else max(0, round(time.total_seconds()))
