"""Why a job waits: what it waits for, since when, at which place, what limits it, and when it is tried next."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from dataset_jobs.model.causes import cause_in_words
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.sentences import Sentence, counted, duration, joined, sentence
from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.model.times import ENDLESS
from dataset_jobs.store.views import JobView, LastRun, PoolState, Surroundings
from services import obstacle_words as words
from services.status import NO_CONTROLLER, Kind, of_pool


class Because(StrEnum):
    """What a job waits for."""

    BEHIND_OTHERS = "behind_others"
    NEXT = "next"
    """A controller's next tick, or a free slot of its machine, which only the controller knows of."""
    SCHEDULED = "scheduled"
    """A time that somebody has set."""
    NEVER = "never"
    """It is scheduled for no time that comes."""
    BACKOFF = "backoff"
    """The wait after a run that failed."""
    CANNOT_START = "cannot_start"
    """The wait after a run that could not start, or something that keeps its pod from starting."""
    NO_CONTROLLER = "no_controller"
    CONTROLLER_IN_TROUBLE = "controller_in_trouble"
    POOL_REFUSED = "pool_refused"
    """The description of its pool is refused."""
    POOL_PAUSED = "pool_paused"
    POOL_CLOSED = "pool_closed"
    """Its pool may have no runs."""
    POOL_BLOCKED = "pool_blocked"
    POOL_FULL = "pool_full"
    """As many runs as the pool may have."""
    POOL_STARTING = "pool_starting"
    """As many runs as may be on their way have not started."""
    POOL_LIMITED = "pool_limited"
    """As many runs as its pool should have now."""
    NO_ROOM = "no_room"
    """No node of the cluster has room for its pod."""
    NO_ANSWER = "no_answer"
    """Its launch has no answer."""
    LAUNCH = "launch"
    """It is claimed, and not launched."""
    START = "start"
    """It is launched, and its runner has not started."""
    CANCEL = "cancel"
    """It is being cancelled."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of claims.

    Args:
        ahead: how many jobs are claimed before it.
        exact: false if there are more than that.
    """

    ahead: int
    exact: bool = True

    def __str__(self) -> str:
        if not self.exact:
            return f"more than {counted(self.ahead, 'job')} before it"
        return (
            f"place {self.ahead + 1:,}, {counted(self.ahead, 'job')} before it" if self.ahead else "it is the next one"
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a job waits.

    Args:
        text: the same in words.
        since: since when that keeps it waiting; None if nobody knows.
        place: in the order of claims; None if it is not in the queue.
        limited_by: the limit of the pool's decision that keeps it from more runs.
        next_try_at: None if it is tried as soon as it can be, or never.
        attempt, max_attempts: of a wait after a failure: how many have failed, and how many there are in all.
        cause, reason, error: of what is in the way, in the model's words and its own.
        by_itself: it goes on without anybody doing anything.
        hints: actions against it.
    """

    because: Because
    text: Sentence
    since: datetime | None = None
    place: Place | None = None
    limited_by: str | None = None
    next_try_at: datetime | None = None
    attempt: int | None = None
    max_attempts: int | None = None
    cause: str | None = None
    reason: str | None = None
    error: str | None = None
    by_itself: bool = True
    hints: tuple[Hint, ...] = ()
    not_in_json: ClassVar = ("hints",)


def waiting_for(
    job: JobView, run: LastRun | None, around: Surroundings, place: Place | None, now: datetime
) -> Waiting | None:
    """Why a job waits; None if it does not.

    Args:
        run: its latest one.
        around: at least its pool, and the controllers.
        place: in the order of claims, if it is queued.
        now: by the database's clock.
    """
    match state_of(job.state):
        case JobState.RUNNING:
            return _of_run(job, run)
        case JobState.SCHEDULED | JobState.QUEUED if job.cancel_requested_at is not None:
            return _cancelled(job)
        case JobState.SCHEDULED if job.run_at > now:
            return _for_its_time(job, run, now)
        case JobState.SCHEDULED | JobState.QUEUED:
            return replace(_in_its_pool(job, around, place), place=place)
        case _:
            return None


def _cancelled(job: JobView) -> Waiting:
    return Waiting(
        Because.CANCEL, sentence("it is being cancelled, since {}", job.cancel_requested_at), job.cancel_requested_at
    )


def _of_run(job: JobView, run: LastRun | None) -> Waiting | None:
    """A run that is claimed and not at work."""
    if job.cancel_requested_at is not None:
        return _cancelled(job)
    if run is None or run.started_at is not None or run.ended_at is not None:
        return None
    error = run.waits_for_error
    if run.launched_at is None:
        if run.waits_for is None:
            text = sentence("it is claimed since {}, and about to be launched", run.claimed_at)
            return Waiting(Because.LAUNCH, text, run.claimed_at)
        text = sentence(
            "it is claimed since {}; its launch has no answer, and the same is asked again until there is one: {}",
            run.claimed_at, error,
        )  # fmt: skip
        return Waiting(Because.NO_ANSWER, text, run.claimed_at, cause=run.waits_for, error=error)
    launched = sentence("it is launched since {}", run.launched_at)
    match run.waits_for:
        case None:
            text = sentence("{}, and its runner has not started yet", launched)
            return Waiting(Because.START, text, run.launched_at)
        case "unschedulable":
            text = sentence("{}, and no node of the cluster has room for its pod: {}", launched, error)
            return Waiting(Because.NO_ROOM, text, run.launched_at, reason=run.waits_for, error=error)
        case reason:
            text = sentence("{}, and its pod cannot start ({}): {}", launched, reason, error)
            return Waiting(
                Because.CANNOT_START, text, run.launched_at, cause="cannot_start", reason=reason, error=error
            )


def _for_its_time(job: JobView, run: LastRun | None, now: datetime) -> Waiting:
    """A time that is not there yet."""
    hints = (Hint(Action.RUN_JOB_NOW, job.id),)
    if job.run_at >= ENDLESS:
        text = sentence("it is scheduled for no time that comes; bring it forward to run it now")
        return Waiting(Because.NEVER, text, by_itself=False, hints=hints)
    when = sentence("at {}, in {}", job.run_at, duration(job.run_at - now))
    since = None if run is None else run.ended_at
    if job.last_cause is None or run is None or since is None or not (job.attempts or job.give_backs):
        text = sentence("it is scheduled: the next try is {}", when)
        return Waiting(Because.SCHEDULED, text, job.created_at, next_try_at=job.run_at, hints=hints)
    cause = cause_in_words(run.cause, run.reason)
    if job.give_backs:
        text = sentence(
            "none of its runs could start since {}: {}: {}; the next try is {}",
            job.blocked_since,
            cause,
            run.error,
            when,
        )
        return Waiting(
            Because.CANNOT_START, text, job.blocked_since, next_try_at=job.run_at,
            cause=run.cause, reason=run.reason, error=run.error, hints=hints,
        )  # fmt: skip
    most = int(run.max_attempts) if run.max_attempts and run.max_attempts.isdecimal() else None
    of = f"attempt {job.attempts} of {most}" if most else f"attempt {job.attempts}"
    text = sentence("{} failed at {}: {}: {}; the next try is {}", of, since, cause, run.error, when)
    return Waiting(
        Because.BACKOFF, text, since, next_try_at=job.run_at, attempt=job.attempts, max_attempts=most,
        cause=run.cause, reason=run.reason, error=run.error, hints=hints,
    )  # fmt: skip


def _in_its_pool(job: JobView, around: Surroundings, place: Place | None) -> Waiting:
    """A job whose time is there."""
    pool = next((one for one in around.pools if one.name == job.pool), None)
    serving = around.serving(job.pool)
    if not serving:
        return _unserved(job, around, pool)
    if all(one.trouble is not None for one in serving):
        one = serving[0]
        passes = not one.trouble_permanent
        return Waiting(
            Because.CONTROLLER_IN_TROUBLE, words.in_trouble(one), one.trouble_since, error=one.trouble, by_itself=passes
        )
    if pool is None:  # it has gone meanwhile
        return Waiting(Because.NEXT, sentence("it is queued since {}", job.run_at), job.run_at)
    stopped = _stopped(pool)
    if stopped is not None:
        return stopped
    limited = _limited(pool)
    if limited is not None:
        because, limit, text = limited
    elif place is None or place.ahead == 0:
        because, limit, text = Because.NEXT, None, sentence("a controller claims it as soon as it has a slot for it")
    else:
        because, limit, text = Because.BEHIND_OTHERS, None, Sentence()
    parts = [sentence("it is queued since {}", job.run_at)]
    parts += [sentence("{}", place)] if place is not None else []
    parts += [text] if text else []
    return Waiting(because, joined("; ", parts), job.run_at, limited_by=limit)


def _unserved(job: JobView, around: Surroundings, pool: PoolState | None) -> Waiting:
    if pool is not None and pool.refusal is not None and around.any_alive:
        text = sentence("{}; the job waits until a generation is accepted", words.is_refused(pool))
        return Waiting(Because.POOL_REFUSED, text, error=pool.refusal, by_itself=False)
    gone = [one.seen_at for one in around.controllers if job.pool in one.pools and one.seen_at is not None]
    text = words.holds_up(NO_CONTROLLER, job.pool, job.run_at)
    return Waiting(Because.NO_CONTROLLER, text, max(gone, default=None), by_itself=False, hints=NO_CONTROLLER.hints)


def _stopped(pool: PoolState) -> Waiting | None:
    """A pool that starts nothing."""
    if pool.paused:
        since = sentence(" since {}", pool.paused_since) if pool.paused_since is not None else Sentence()
        text = sentence("{}{}; the job waits until somebody resumes it", words.is_paused(pool), since)
        hints = of_pool(Kind.POOL_PAUSED, pool).hints
        return Waiting(
            Because.POOL_PAUSED, text, pool.paused_since, None, "paused", error=pool.paused_reason, by_itself=False,
            hints=hints,
        )  # fmt: skip
    if pool.max_running == 0:
        text = sentence("{}; the job waits until somebody raises it", words.is_closed(pool))
        hints = of_pool(Kind.POOL_CLOSED, pool).hints
        return Waiting(Because.POOL_CLOSED, text, limited_by="maximum", by_itself=False, hints=hints)
    if pool.blocked_since is not None:
        return Waiting(
            Because.POOL_BLOCKED, words.is_tried(pool), pool.blocked_since, None, "blocked", pool.probe_at,
            cause=pool.blocked_cause, reason=pool.blocked_reason, error=pool.blocked_error,
            hints=of_pool(Kind.POOL_BLOCKED, pool).hints,
        )  # fmt: skip
    return None


def _limited(pool: PoolState) -> tuple[Because, str, Sentence] | None:
    """The limit that a pool is at: which one, its word, and the sentence."""
    if pool.in_use >= pool.max_running:
        text = sentence("all slots of pool {} are in use: {} of {}", pool.name, pool.in_use, pool.max_running)
        return Because.POOL_FULL, "maximum", text
    if pool.max_pending is not None and pool.unstarted >= pool.max_pending:
        text = sentence(
            "{} of pool {} have not started, and no more than {} may be on their way",
            counted(pool.unstarted, "run"), pool.name, pool.max_pending,
        )  # fmt: skip
        return Because.POOL_STARTING, "max_pending", text
    if pool.desired is not None and pool.in_use >= pool.desired:
        text = sentence("pool {} should have {} now: {}", pool.name, counted(pool.desired, "run"), pool.reason)
        return Because.POOL_LIMITED, pool.limited_by or "desired", text
    return None
