"""What keeps jobs from running, in sentences without commands: of one job, and of the whole installation."""

from datetime import datetime, timedelta

from dataset_jobs.model.causes import cause_in_words
from dataset_jobs.model.sentences import Sentence, counted, duration, sentence
from dataset_jobs.store.views import Blocked, ControllerStatus, PoolState, PoolStatus, RunView, ScheduleView
from services.status import Kind, Obstacle, Warned


def holds_up(obstacle: Obstacle, pool: str, now: datetime, *, orphaned: bool = False) -> Sentence:
    """What one job waits for.

    Args:
        obstacle: as its explanation has it.
        pool: the job's.
        now: by the database's clock.
        orphaned: the controller of its latest run is gone.
    """
    match obstacle.about:
        case None:
            return sentence("no controller that claims from pool {} is running", pool)
        case ControllerStatus() as one:
            return in_trouble(one)
        case RunView() as run:
            return _silent(run, now, orphaned)
        case PoolState() as about:
            return _pool_of_job(obstacle.kind, about)
        case other:
            raise AssertionError(other)


def unserved_by(obstacle: Obstacle, pool: str | None) -> Sentence:
    """Why new jobs wait, those of a pool or of several."""
    if obstacle.kind is Kind.NO_CONTROLLER:
        return sentence("no controller is running")
    return sentence("no controller is running that claims from pool {}", pool)


def _silent(run: RunView, now: datetime, orphaned: bool) -> Sentence:
    left = run.lease_until - now
    ends = f"in {duration(left)}" if left > timedelta(0) else "now, by the next controller"
    gone = sentence(" (its controller {} is gone)", run.owner) if orphaned else Sentence()
    return sentence(
        f"its run counts as alive until {{}}; unless it is heard of before, it is ended {ends}, and the job is queued "
        "again{}",
        run.lease_until,
        gone,
    )


def _pool_of_job(kind: Kind, pool: PoolState) -> Sentence:
    match kind:
        case Kind.POOL_REFUSED:
            return sentence("{}; the job waits until a generation is accepted", is_refused(pool))
        case Kind.POOL_PAUSED:
            return sentence("{}; the job waits until somebody resumes it", is_paused(pool))
        case Kind.POOL_CLOSED:
            return sentence("{}; the job waits until somebody raises it", is_closed(pool))
        case Kind.POOL_BLOCKED:
            return is_tried(pool)
        case _:
            return sentence("pool {} has no free slot: {} of {} are in use", pool.name, pool.in_use, pool.max_running)


def in_trouble(one: ControllerStatus) -> Sentence:
    """That a controller cannot work, and why."""
    return sentence("controller {} {}", one.owner, cannot_work(one))


def cannot_work(one: ControllerStatus) -> Sentence:
    """What keeps a controller from its work, since when, and whether it passes by itself."""
    tries = "once" if one.trouble_tries == 1 else f"{one.trouble_tries} times"
    outlook = "this does not pass by itself" if one.trouble_permanent else "it is tried again until it passes"
    return sentence(f"cannot work since {{}} (tried {tries}; {outlook}): {{}}", one.trouble_since, one.trouble)


def is_blocked(pool: PoolState) -> Sentence:
    """Since when a pool is blocked, and why."""
    why = cause_in_words(pool.blocked_cause, pool.blocked_reason)
    return sentence("pool {} is blocked since {}: {}: {}", pool.name, pool.blocked_since, why, pool.blocked_error)


def is_tried(pool: PoolState) -> Sentence:
    """That a pool is blocked, when one of its runs is tried, and what one can do meanwhile."""
    return sentence("{}; one run is tried at {}; to try one now, probe the pool", is_blocked(pool), pool.probe_at)


def is_paused(pool: PoolState) -> Sentence:
    """That a pool is paused, and why."""
    if not pool.paused_reason:
        return sentence("pool {} is paused", pool.name)
    return sentence("pool {} is paused ({})", pool.name, pool.paused_reason)


def is_closed(pool: PoolState) -> Sentence:
    """That a pool may have no runs."""
    return sentence("pool {} has a maximum of 0 runs", pool.name)


def is_refused(pool: PoolState) -> Sentence:
    """That the description of a pool is refused, and why."""
    return sentence("the ParserPool of pool {} is refused: {}", pool.name, pool.refusal)


def in_the_way(obstacle: Obstacle) -> Sentence:
    """An obstacle of the installation."""
    match obstacle.about:
        case PoolStatus() as pool:
            return _pool(obstacle.kind, pool)
        case Blocked() as what:
            jobs = counted(what.jobs, "job")
            return sentence(
                "blocked: {} of pool {} cannot start since {} ({}): {}; next try {}",
                jobs, what.pool, what.since, what.cause, what.error, what.next_try,
            )  # fmt: skip
        case ScheduleView() as schedule:
            again = (
                sentence("it is paused") if schedule.again_at is None else sentence("next try {}", schedule.again_at)
            )
            times = "once" if schedule.failures == 1 else f"{schedule.failures} times"
            return sentence(f"schedule {{}} fails, {times} by now: {{}}; {{}}", schedule.name, schedule.error, again)
        case ControllerStatus() as one:
            return in_trouble(one)
        case Warned() as warned:
            return sentence("controller {} warns: {}", warned.owner, warned.text)
        case None:
            return sentence("no controller is running")
        case other:
            raise AssertionError(other)


def _pool(kind: Kind, pool: PoolStatus) -> Sentence:
    name, wait = pool.name, f"{pool.queued:,} queued wait"
    match kind:
        case Kind.POOL_BLOCKED:
            tried = "one run is tried at {}, and it goes on by itself when one starts"
            return sentence(f"{{}}; {tried}", is_blocked(pool), pool.probe_at)
        case Kind.PODS_WAIT_FOR_ROOM:
            pods = "1 pod waits" if pool.runs_waiting == 1 else f"{pool.runs_waiting} pods wait"
            return sentence("pool {}: {} for room in the cluster: {}", name, pods, pool.waits_for_error)
        case Kind.LAUNCHES_UNANSWERED:
            launches = "1 launch has" if pool.runs_unanswered == 1 else f"{pool.runs_unanswered} launches have"
            return sentence(
                "pool {}: {} no answer since {}, and the same is asked again until there is one: {}",
                name, launches, pool.unanswered_since, pool.unanswered_error,
            )  # fmt: skip
        case Kind.POOL_REFUSED:
            return sentence("{}: {} queued", is_refused(pool), pool.queued)
        case Kind.POOL_UNSERVED:
            return sentence("no controller that is running claims from pool {}: {}", name, wait)
        case Kind.POOL_PAUSED:
            return sentence("{}: {}", is_paused(pool), wait)
        case Kind.POOL_CLOSED:
            return sentence("{}: {}", is_closed(pool), wait)
        case _:
            return sentence("pool {} has no free slot: {}", name, wait)
