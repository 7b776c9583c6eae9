"""The state of a pool, for its status and for the metrics."""

from dataclasses import dataclass
from datetime import datetime

MAX_RUNNING_LIMIT = 100_000
"""The greatest maximum of a pool that can be given."""


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
        maximum: of slots; max_pending: of runs that have not started, None if unlimited.
        desired: the desired number of runs, None if nobody has decided; reason: why.
        oldest_queued_since: since when the job could run that waits longest.
        blocked_cause, blocked_reason, blocked_error: why its runs cannot start; None if they can.
        waits_for_error: why some pods have no node, in the scheduler's words; None if all have one.
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


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """What claims from a pool go by; None if there is no such limit."""

    max_running: int
    max_pending: int | None
    paused: bool


@dataclass(frozen=True, slots=True)
class PoolOrigin:
    """Who has set a pool.

    Args:
        described_in: the namespace of its ParserPool; None if the settings count.
        setting_max_running, setting_max_pending: of the controller that has started last, None if it had none.
    """

    name: str
    described_in: str | None
    setting_max_running: int | None
    setting_max_pending: int | None


@dataclass(frozen=True, slots=True)
class PoolQueue:
    """How a pool and its queue stand, for the metrics.

    Args:
        queued, due, scheduled: jobs that wait: queued, scheduled for a time that has come, scheduled for later.
        pending, running, ending: runs that hold a slot: not started, at work, over but not settled.
        desired: the desired number of runs; None if nobody has decided.
        oldest_wait_seconds: of the jobs that could be claimed; 0 if there are none.
        blocked_cause, blocked_reason: why its runs cannot start, in the words of causes and reasons.
    """

    name: str
    queued: int
    due: int
    scheduled: int
    pending: int
    running: int
    ending: int
    desired: int | None
    maximum: int
    paused: bool
    blocked: bool
    oldest_wait_seconds: float
    blocked_cause: str | None = None
    blocked_reason: str | None = None
