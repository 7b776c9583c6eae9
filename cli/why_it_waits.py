"""What a job waits for that is not in its own row: its pool, a controller, the next sign of life of its run."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cli.output import cell
from cli.story import duration
from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.store.views import ControllerStatus, JobView, PoolStatus, RunView, Status


def why_it_waits(job: JobView, runs: list[RunView], status: Status, now: datetime) -> list[str]:
    """Sentences about an unfinished job; none about another one.

    Args:
        job, runs: as the store has them; the first run first.
        status: of the whole installation.
        now: the time it is said at.
    """
    state = state_of(job.state)
    if state is None or state.finished:
        return []
    said = [*_controllers(job, status)]
    if state is JobState.RUNNING and runs and runs[-1].released_at is None:
        said += _run(runs[-1], status, now)
    elif state is JobState.QUEUED or job.run_at <= now:
        said += _pool(next((pool for pool in status.pools if pool.name == job.pool), None))
    return said


def cannot_work(one: ControllerStatus) -> str:
    """What keeps a controller from its work, since when, and whether it passes by itself."""
    tries = "once" if one.trouble_tries == 1 else f"{one.trouble_tries} times"
    outlook = "this does not pass by itself" if one.trouble_permanent else "it is tried again until it passes"
    return f"cannot work since {cell(one.trouble_since)} (tried {tries}; {outlook}): {cell(one.trouble)}"


def _controllers(job: JobView, status: Status) -> Iterator[str]:
    serving = status.serving(job.pool)
    if not serving:
        yield f"no controller that claims from pool {job.pool} is running: affirm-worker run"
    for one in serving:
        if one.trouble is not None:
            yield f"controller {one.owner} {cannot_work(one)}"


def _run(run: RunView, status: Status, now: datetime) -> Iterator[str]:
    if run.launcher != "process" or run.ended_at is not None or run.committed_at is not None:
        return  # of a pod its own end is waited for
    left = run.lease_until - now
    ends = f"in {duration(left)}" if left > timedelta(0) else "now, by the next controller"
    alive = any(one.owner == run.owner and one.is_alive for one in status.controllers)
    yield (
        f"its run counts as alive until {cell(run.lease_until)}; unless it is heard of before, it is ended {ends}, and "
        f"the job is queued again{'' if alive else f' (its controller {run.owner} is gone)'}"
    )


def _pool(pool: PoolStatus | None) -> Iterator[str]:
    if pool is None:
        return
    if pool.paused:
        yield f"pool {pool.name} is paused: it waits until somebody resumes that"
    elif pool.max_running == 0:
        yield f"pool {pool.name} has a maximum of 0 runs: it waits until somebody raises that"
    elif pool.blocked_since is not None:
        why = f"{pool.blocked_cause} ({pool.blocked_reason})" if pool.blocked_reason else pool.blocked_cause
        yield (
            f"pool {pool.name} is blocked since {cell(pool.blocked_since)}: {why}: {cell(pool.blocked_error)}; one run "
            f"is tried at {cell(pool.probe_at)}"
        )
    elif pool.in_use >= pool.max_running:
        yield f"pool {pool.name} has no free slot: {pool.in_use} of {pool.max_running} are in use"
