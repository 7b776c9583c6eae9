"""How the loop is: for the health probe, for `affirm-worker status`, and for the loop's own next pause."""

import time
from dataclasses import dataclass, field

from controller.launchers.interface import ClusterRefused, ClusterSilent
from controller.metrics import HeldUpBy
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import OtherSchema, OutOfMemory, Permanent, RunError
from dataset_jobs.model.trouble import Repeated, Trouble


def held_up_by(error: RunError) -> HeldUpBy:
    """What an error of a tick or a launch comes from."""
    if isinstance(error, OtherSchema):  # the database answers, and is of another version
        return HeldUpBy.SETUP
    if error.reason is Reason.DATABASE:
        return HeldUpBy.DATABASE
    if error.reason is Reason.TEMPORARY_IO or isinstance(error, OutOfMemory):
        return HeldUpBy.MACHINE
    if isinstance(error, ClusterRefused | ClusterSilent):
        return HeldUpBy.CLUSTER
    return HeldUpBy.SETUP if isinstance(error, Permanent) else HeldUpBy.MACHINE


@dataclass(slots=True)
class LoopHealth:
    """How the loop is.

    Args:
        last_round: when the last tick ended, with an error or without; by the monotonic clock.
        last_settle: when the loop last settled a run whose end the launcher had seen.
        last_error: of the last tick; empty if it went through.
        ticks: the error that breaks ticks off again and again.
        launches: the error that leaves launches unanswered while ticks go through.
    """

    last_round: float = field(default_factory=time.monotonic)
    last_settle: float = field(default_factory=time.monotonic)
    last_error: str = "not started"
    ticks: Repeated = field(default_factory=Repeated)
    launches: Repeated = field(default_factory=Repeated)

    @property
    def trouble(self) -> Trouble | None:
        """What keeps the controller from its work now."""
        return self.ticks.trouble or self.launches.trouble

    @property
    def held_up_by(self) -> HeldUpBy | None:
        """The same in a word."""
        error = self.ticks.error or self.launches.error
        return None if error is None else held_up_by(error)

    def went_round(self, error: RunError | None) -> bool:
        """Records the end of a tick, with this error or none. Returns whether to log it."""
        self.last_error = "" if error is None else str(error)
        self.last_round = time.monotonic()
        return self.ticks.passed() if error is None else self.ticks.failed(error, self.last_round)

    def seconds_since_round(self) -> float:
        """Since the last tick ended."""
        return time.monotonic() - self.last_round
