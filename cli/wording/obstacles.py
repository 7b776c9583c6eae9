"""What keeps jobs from running, in sentences: of one job, and of the whole installation."""

from datetime import timedelta

from cli.screen.words import cell, duration
from cli.wording.hints import with_commands
from dataset_jobs.store.views import Blocked, ControllerStatus, PoolStatus, RunView, ScheduleView
from services.explain import Explanation
from services.status import Kind, Obstacle


def waits_in_words(told: Explanation) -> list[str]:
    """What the job waits for, a sentence each."""
    return [_wait(obstacle, told) for obstacle in told.waits]


def _wait(obstacle: Obstacle, told: Explanation) -> str:
    match obstacle.about:
        case None:
            no_controller = f"no controller that claims from pool {told.job.pool} is running"
            return with_commands(no_controller, obstacle.hints)
        case ControllerStatus() as one:
            return _in_trouble(one)
        case RunView() as run:
            return _silent(run, told)
        case PoolStatus() as pool:
            return with_commands(_pool_of_job(obstacle.kind, pool), obstacle.hints)
        case other:
            raise AssertionError(other)


def unserved_in_words(obstacle: Obstacle, pool: str | None = None) -> str:
    """Why new jobs wait, those of a pool or of several, with the command against it."""
    nobody = "no controller is running"
    text = nobody if obstacle.kind is Kind.NO_CONTROLLER else f"{nobody} that claims from pool {pool}"
    return with_commands(text, obstacle.hints)


def _silent(run: RunView, told: Explanation) -> str:
    left = run.lease_until - told.now
    ends = f"in {duration(left)}" if left > timedelta(0) else "now, by the next controller"
    gone = f" (its controller {run.owner} is gone)" if told.run_is_orphaned else ""
    return (
        f"its run counts as alive until {cell(run.lease_until)}; unless it is heard of before, it is ended {ends}, and "
        f"the job is queued again{gone}"
    )


def _pool_of_job(kind: Kind, pool: PoolStatus) -> str:
    match kind:
        case Kind.POOL_PAUSED:
            return f"pool {pool.name} is paused{_why_paused(pool)}; the job waits until somebody resumes it"
        case Kind.POOL_CLOSED:
            return f"pool {pool.name} has a maximum of 0 runs; the job waits until somebody raises it"
        case Kind.POOL_BLOCKED:
            return f"{pool_is_blocked(pool)}; one run is tried at {cell(pool.probe_at)}"
        case _:
            return f"pool {pool.name} has no free slot: {pool.in_use} of {pool.max_running} are in use"


def _in_trouble(one: ControllerStatus) -> str:
    return f"controller {one.owner} {cannot_work(one)}"


def cannot_work(one: ControllerStatus) -> str:
    """What keeps a controller from its work, since when, and whether it passes by itself."""
    tries = "once" if one.trouble_tries == 1 else f"{one.trouble_tries} times"
    outlook = "this does not pass by itself" if one.trouble_permanent else "it is tried again until it passes"
    return f"cannot work since {cell(one.trouble_since)} (tried {tries}; {outlook}): {cell(one.trouble)}"


def has_work(pool: PoolStatus) -> bool:
    """Whether the number of runs that the pool is to have means something: not while it is paused or has no job."""
    return not pool.paused and bool(pool.queued or pool.running)


def pool_is_blocked(pool: PoolStatus) -> str:
    """Since when a pool is blocked, and why."""
    why = f"{pool.blocked_cause} ({pool.blocked_reason})" if pool.blocked_reason else pool.blocked_cause
    return f"pool {pool.name} is blocked since {cell(pool.blocked_since)}: {why}: {cell(pool.blocked_error)}"


def in_the_way(obstacle: Obstacle) -> str:
    """An obstacle of the installation, without the commands against it."""
    match obstacle.about:
        case PoolStatus() as pool:
            return _pool(obstacle.kind, pool)
        case Blocked() as what:
            jobs = "1 job" if what.jobs == 1 else f"{what.jobs} jobs"
            return (
                f"blocked: {jobs} of pool {what.pool} cannot start since {cell(what.since)} ({what.cause}): "
                f"{cell(what.error)}; next try {cell(what.next_try)}"
            )
        case ScheduleView() as schedule:
            again = "it is paused" if schedule.again_at is None else f"next try {cell(schedule.again_at)}"
            times = "once" if schedule.failures == 1 else f"{schedule.failures} times"
            return f"schedule {schedule.name} fails, {times} by now: {cell(schedule.error)}; {again}"
        case ControllerStatus() as one:
            return _in_trouble(one)
        case None:
            return "no controller is running"
        case other:
            raise AssertionError(other)


def _pool(kind: Kind, pool: PoolStatus) -> str:
    match kind:
        case Kind.POOL_BLOCKED:
            again = f"one run is tried at {cell(pool.probe_at)}, and it goes on by itself when one starts"
            return f"{pool_is_blocked(pool)}; {again}"
        case Kind.PODS_WAIT_FOR_ROOM:
            pods = "1 pod waits" if pool.runs_waiting == 1 else f"{pool.runs_waiting} pods wait"
            return f"pool {pool.name}: {pods} for room in the cluster: {cell(pool.waits_for_error)}"
        case Kind.LAUNCHES_UNANSWERED:
            launches = "1 launch has" if pool.runs_unanswered == 1 else f"{pool.runs_unanswered} launches have"
            return (
                f"pool {pool.name}: {launches} no answer since {cell(pool.unanswered_since)}, and the same "
                f"is asked again until there is one: {cell(pool.unanswered_error)}"
            )
        case Kind.POOL_UNSERVED:
            return f"no controller that is running claims from pool {pool.name}: {pool.queued} queued wait"
        case Kind.POOL_PAUSED:
            return f"pool {pool.name} is paused{_why_paused(pool)}: {pool.queued} queued wait"
        case Kind.POOL_CLOSED:
            return f"pool {pool.name} has a maximum of 0 runs: {pool.queued} queued wait"
        case _:
            return f"pool {pool.name} has no free slot: {pool.queued} queued wait"


def _why_paused(pool: PoolStatus) -> str:
    return f" ({pool.paused_reason})" if pool.paused_reason else ""
