"""A pool as there is to tell of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """A pool at one moment.

    Args:
        now: that moment, by the database's clock.
        queued: jobs that could run now.
        scheduled: jobs whose time has not come.
        running: runs whose runner has started.
        pending: runs that have not.
        in_use: slots.
        maximum: of slots; max_pending: of runs that have not started, None for any.
        desired: how many runs there are to be, None where that was not decided; reason: why.
        oldest_queued_since: since when the job could run that waits longest.
        blocked_cause, blocked_reason, blocked_error: why its runs cannot start; None where they can.
        waits_for_error: why some pods have no node, in the scheduler's words; None where all have.
    """

    name: str
    now: datetime
    queued: int
    scheduled: int
    running: int
    pending: int
    in_use: int
    maximum: int
    max_pending: int | None
    paused: bool
    desired: int | None = None
    reason: str | None = None
    oldest_queued_since: datetime | None = None
    blocked_cause: str | None = None
    blocked_reason: str | None = None
    blocked_error: str | None = None
    waits_for_error: str | None = None
