"""A job explained from the database alone: its runs, its obstacles, and advice."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dataset_jobs.model.advice import Subject, advice_on_end, advice_on_waiting, next_steps
from dataset_jobs.model.causes import Cause, cause_of, reason_of
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.keys import RUN_LEASE
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import JobState, JobType, state_of
from dataset_jobs.store.views import DatasetView, JobView, PoolState, RunView, Surroundings
from services.status import NO_CONTROLLER, Kind, Obstacle, of_pool
from services.waiting import Waiting

SILENT_FOR = timedelta(seconds=20)
"""A run that works is heard of every 15 seconds."""


@dataclass(frozen=True, slots=True)
class ExplainedRun:
    """A run.

    Args:
        outcome: the runner's own words, from its run or else from its termination message.
        advice: about its end; empty while it has not ended.
    """

    run: RunView
    outcome: Outcome | None
    advice: tuple[Advice, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A job explained.

    Args:
        runs: the first run first.
        waits: the obstacles beside its own row; nothing if it is finished.
        to_do: advice for people.
        now: the time of the explanation, by the database's clock.
        run_is_orphaned: the controller of the latest run is gone.
        waiting: what it waits for most of all; None if it does not wait, or if nobody has asked.
        possible: the actions that would not be refused now, the most useful one first.
    """

    job: JobView
    runs: tuple[ExplainedRun, ...]
    waits: tuple[Obstacle, ...]
    to_do: tuple[Advice, ...]
    now: datetime
    run_is_orphaned: bool
    possible: tuple[Hint, ...] = ()
    waiting: Waiting | None = None


def explanation(
    job: JobView,
    runs: Sequence[RunView],
    status: Surroundings,
    now: datetime,
    dataset: DatasetView | None = None,
    refused: Mapping[Action, InvalidRequest] | None = None,
) -> Explanation:
    """Explains a job.

    Args:
        job, runs: as the store has them; the first run first.
        status: at least of its pool, and the controllers.
        now: by the database's clock.
        dataset: the job's, for what its uploader has said of the file.
        refused: what is refused now of the job and its dataset, though its state allows it.
    """
    about = _subject(job, dataset, refused or {})
    return Explanation(
        job,
        tuple(ExplainedRun(run, outcome_of(run), tuple(_advice(about, run))) for run in runs),
        tuple(_waits(job, runs, status, now)),
        tuple(_to_do(job, runs, about)),
        now,
        bool(runs) and not any(one.owner == runs[-1].owner and one.is_alive for one in status.controllers),
        () if about is None else about.possible,
    )


def text_in(values: dict[str, Any] | None, name: str) -> str:
    """The text under a name; empty if there is none, or if it is no text."""
    value = (values or {}).get(name)
    return value if isinstance(value, str) else ""


def outcome_of(run: RunView) -> Outcome | None:
    """The runner's own words, from its run or else from its termination message; None if there are none."""
    return Outcome.from_dict(run.outcome) or Outcome.from_message(text_in(run.evidence, "message"))


def _advice(about: Subject | None, run: RunView) -> Iterator[Advice]:
    if run.cause is None:
        return
    cause = cause_of(run.cause)
    if cause is None or about is None:
        yield Advice(f"Use the version that wrote it: no other knows the cause {run.cause}.")
        return
    outcome = outcome_of(run)
    yield from advice_on_end(about, cause, reason_of(run.reason), outcome.hints if outcome else (), run.error or "")


def _subject(job: JobView, dataset: DatasetView | None, refused: Mapping[Action, InvalidRequest]) -> Subject | None:
    """The job as advice sees it; None if it is in a state that a newer version knows."""
    state = state_of(job.state)
    if state is None:
        return None
    reload = job.type == JobType.REPROCESS
    subject = Subject(
        job.id, job.dataset_id, job.country, job.filename, state, reload, job.described,
        cancelling=job.cancel_requested_at is not None, refused=refused,
    )  # fmt: skip
    if dataset is None:
        return subject
    return replace(subject, said=dataset.hints, replaces=tuple(dataset.supersedes))


def _to_do(job: JobView, runs: Sequence[RunView], about: Subject | None) -> Iterator[Advice]:
    if about is None:
        yield Advice(f"Use the version that wrote it: no other knows the state {job.state}.")
        return
    cause, reason = None, None
    if about.state is JobState.RUNNING:
        # What ended an earlier run is past: this one is at work, or waits for something of its own.
        waits = runs[-1].waits_for if runs and runs[-1].cause is None and runs[-1].started_at is None else None
        if waits is not None:
            yield from advice_on_waiting(about, waits)
    elif about.state not in (JobState.COMPLETED, JobState.CANCELLED) and (last := _last_end(job, runs)) is not None:
        yield from _advice(about, last)
        cause, reason = cause_of(last.cause), reason_of(last.reason)
    yield from next_steps(about, cause, reason)


def _last_end(job: JobView, runs: Sequence[RunView]) -> RunView | None:
    """The last run that has ended, unless a person has retried the job since: then its fault is taken for fixed."""
    last = next((run for run in reversed(runs) if run.cause is not None), None)
    if last is None or last.cause in (Cause.COMPLETED, Cause.CANCELLED):
        return None
    return None if job.retried_at and job.retried_at[-1] > last.claimed_at else last


def _waits(job: JobView, runs: Sequence[RunView], status: Surroundings, now: datetime) -> Iterator[Obstacle]:
    state = state_of(job.state)
    if state is None or state.finished:
        return
    serving = status.serving(job.pool)
    refused = [pool for pool in status.pools if pool.name == job.pool and pool.refusal is not None]
    if not serving and not (refused and status.any_alive):
        yield NO_CONTROLLER
    yield from (of_pool(Kind.POOL_REFUSED, pool) for pool in refused if not serving)
    yield from (Obstacle(Kind.CONTROLLER_IN_TROUBLE, one) for one in serving if one.trouble is not None)
    if state is JobState.RUNNING and runs and runs[-1].released_at is None:
        if _is_silent(runs[-1], now, any(one.owner == runs[-1].owner for one in serving)):
            yield Obstacle(Kind.RUN_IS_SILENT, runs[-1])
    elif state is JobState.QUEUED or job.run_at <= now:
        yield from (of_pool(kind, pool) for pool in status.pools if pool.name == job.pool for kind in _of_pool(pool))


def _is_silent(run: RunView, now: datetime, has_controller: bool) -> bool:
    """Whether its lease may end it soon; a pod is waited for until its own end."""
    only_by_lease = run.launcher == "process" and run.ended_at is None and run.committed_at is None
    return only_by_lease and not (has_controller and now - run.lease_until + RUN_LEASE < SILENT_FOR)


def _of_pool(pool: PoolState) -> Iterator[Kind]:
    if pool.paused:
        yield Kind.POOL_PAUSED
    elif pool.max_running == 0:
        yield Kind.POOL_CLOSED
    elif pool.blocked_since is not None:
        yield Kind.POOL_BLOCKED
    elif pool.in_use >= pool.max_running:
        yield Kind.POOL_FULL
