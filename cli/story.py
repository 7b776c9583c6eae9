"""A job's story in plain words, from what is in the database: pure, so that tests give it values."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from cli.output import cell
from dataset_jobs.model.advice import advice_for, advice_on_waiting, next_step
from dataset_jobs.model.causes import Cause, cause_of, reason_of
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.model.times import ENDLESS
from dataset_jobs.store.views import JobView, RunView

_SEEN_AS_WORDS = {
    "exit_code": "exit code {}",
    "signal": "signal {}",
    "seen_as": "seen as {}",
    "memory_limit": "memory limit {}",
    "gone": "process or pod gone",
}


def story(job: JobView, runs: list[RunView], now: datetime, waits: Sequence[str] = ()) -> list[str]:
    """The lines of a job's story.

    Args:
        job, runs: as the store has them; the first run first.
        now: the time it is told at.
        waits: what it waits for.
    """
    return [
        *_job(job, now),
        *waits,
        *(line for run in _with_retries(job, runs) for line in run),
        "",
        *_to_do(job, runs),
    ]


def to_do(job: JobView, runs: list[RunView]) -> list[str]:
    """What a person can do, a sentence or two each."""
    state = state_of(job.state)
    if state is None:
        return [f"Use the version that wrote it: no other knows the state {job.state}."]
    last = next((run for run in reversed(runs) if run.cause is not None), None)
    steps = []
    # Of a job that has been put back, or is at work again, the earlier run's advice stands all the same.
    if last is not None and state not in (JobState.COMPLETED, JobState.CANCELLED):
        advice = advice_of(job, last)
        if advice is not None and last.cause != Cause.COMPLETED and last.cause != Cause.CANCELLED:
            steps.append(advice)
    waits = runs[-1].waits_for if runs and runs[-1].cause is None and runs[-1].started_at is None else None
    if waits is not None and state is JobState.RUNNING:
        steps = [advice_on_waiting(waits, job.id, job.dataset_id)]
    step = next_step(state, job.id, job.dataset_id, cancelling=job.cancel_requested_at is not None)
    return [*steps, *([step] if step else [])]


def advice_of(job: JobView, run: RunView) -> str | None:
    """What can be done about the end of a run; None while it has not ended."""
    if run.cause is None:
        return None
    cause = cause_of(run.cause)
    if cause is None:
        return f"Use the version that wrote it: no other knows the cause {run.cause}."
    return advice_for(cause, reason_of(run.reason), job.id, job.dataset_id)


def said(run: RunView) -> Outcome | None:
    """The runner's own words: from its run, else from its termination message."""
    return Outcome.from_dict(run.outcome) or Outcome.from_message(_text_in(run.evidence, "message"))


def _job(job: JobView, now: datetime) -> Iterator[str]:
    kind = "load" if job.type == "parse_dataset" else "load again"
    yield f"job {job.id} is to {kind} {job.filename} ({job.country}, {job.size:,} bytes), dataset {job.dataset_id}"
    yield f"created {cell(job.created_at)} in pool {job.pool}"
    yield _stands(job, now)
    yield f"used up: {_budgets(job.attempts, job.interruptions, job.give_backs)}"
    if job.blocked_since is not None:
        yield f"none of its runs could start since {cell(job.blocked_since)}: {cell(job.last_error)}"


def _stands(job: JobView, now: datetime) -> str:
    match state_of(job.state):
        case None:
            return f"it is {job.state}, whatever that is: a newer version has written it"
        case JobState.SCHEDULED if job.run_at >= ENDLESS:
            return f"it is scheduled for no time that comes; to run it now: affirm-worker jobs set {job.id} --run-at 0s"
        case JobState.SCHEDULED:
            wait = job.run_at - now
            when = f"in {duration(wait)}" if wait > timedelta(0) else "as soon as there is a free slot"
            return f"it is scheduled: the next try is at {cell(job.run_at)}, {when}"
        case JobState.QUEUED:
            return f"it is queued since {cell(job.run_at)}: the next try is as soon as there is a free slot"
        case JobState.RUNNING if job.cancel_requested_at is not None:
            return f"it is being cancelled, since {cell(job.cancel_requested_at)}"
        case JobState.RUNNING:
            return "it is running"
        case JobState.FAILED:
            return f"it failed at {cell(job.finished_at)}: {cell(job.last_error)}"
        case state:
            return f"it was {state} at {cell(job.finished_at)}"


def _with_retries(job: JobView, runs: list[RunView]) -> Iterator[list[str]]:
    """The runs, and between them the times when somebody put the job back."""
    waiting = list(job.retried_at)
    for run in runs:
        while waiting and waiting[0] <= run.claimed_at:
            yield _put_back(waiting.pop(0))
        yield ["", *_run(run)]
    for moment in waiting:
        yield _put_back(moment)
    if not runs:
        yield ["", "it has not run yet"]


def _put_back(moment: datetime) -> list[str]:
    return ["", f"put back by hand at {cell(moment)}, with fresh budgets"]


def _run(run: RunView) -> Iterator[str]:
    yield f"run {run.epoch}: {_ending(run)}"
    yield f"  claimed at {cell(run.claimed_at)} by {run.owner}, for the {run.launcher} launcher"
    yield from (f"  {line}" for line in _times(run))
    where = [("pod", run.pod_name), ("node", run.node), ("launched as", run.launch_name)]
    if any(value for _, value in where):
        yield "  " + ", ".join(f"{name} {value}" for name, value in where if value)
    if run.rows_done or run.bytes_done:
        yield f"  read {run.bytes_done:,} bytes, {run.rows_done:,} rows"
    evidence = _evidence(run.evidence or {})
    if evidence:
        yield f"  seen from outside: {evidence}"
    outcome = said(run)
    if outcome is not None and len(outcome.problems) > 1:
        yield "  problems:"
        yield from (f"    {problem}" for problem in outcome.problems)
    if run.decision is not None:
        yield f"  decided: {_decision(run.decision)}"
    if outcome is not None and outcome.log:
        yield "  its last log lines:"
        yield from (f"    {line.time} {line.level} {cell(line.msg)}" for line in outcome.log)


def _ending(run: RunView) -> str:
    if run.cause == Cause.COMPLETED:
        return f"completed, {run.rows_done:,} rows committed"
    if run.cause is not None:
        cause = f"{run.cause} ({run.reason})" if run.reason else run.cause
        return f"{cause}: {cell(run.error)}" if run.error else cause
    if run.committed_at is not None:
        return f"has committed {run.rows_done:,} rows, to be closed when its process or pod is over"
    if run.started_at is not None:
        return "at work"
    if run.launched_at is None:
        again = f": no answer yet, and the same is asked again: {cell(run.waits_for_error)}" if run.waits_for else ""
        return f"about to be launched{again}"
    waits = f": {run.waits_for}: {cell(run.waits_for_error)}" if run.waits_for else ""
    return f"launched, its runner has not started yet{waits}"


def _times(run: RunView) -> Iterator[str]:
    steps = [("launched", run.launched_at), ("started", run.started_at), ("committed", run.committed_at)]
    steps += [("ended", run.ended_at), ("slot free", run.released_at)]
    after = [f"{name} after {duration(moment - run.claimed_at)}" for name, moment in steps if moment is not None]
    if after:
        yield ", ".join(after)


def _evidence(evidence: dict[str, Any]) -> str:
    parts = [words.format(evidence[name]) for name, words in _SEEN_AS_WORDS.items() if name in evidence]
    conditions = evidence.get("conditions")
    if isinstance(conditions, dict):
        parts += [f"{name} {reason}".strip() for name, reason in conditions.items()]
    left_running = evidence.get("left_running")
    if isinstance(left_running, list) and left_running:
        parts.append(f"its pod removed, since these containers ran on: {cell(' '.join(map(str, left_running)))}")
    message = _text_in(evidence, "message")
    # A message that the runner wrote is told as what it said.
    if message and Outcome.from_message(message) is None:
        parts.append(f"message: {cell(message)}")
    parts += [f"{name} {evidence[key]}" for name, key in _POD_TIMES if evidence.get(key)]
    return ", ".join(parts)


_POD_TIMES = [("pod on its node", "scheduled_at"), ("container began", "started_at"), ("ended", "finished_at")]


def _decision(decision: dict[str, Any]) -> str:
    why = decision.get("why") or "no reason is kept"
    match decision.get("state"):
        case None:
            return f"nothing to change, since {why}"
        case JobState.SCHEDULED:
            what = f"try again in {_wait_in(decision)}{_time_in(decision)}"
        case JobState.QUEUED:
            what = "queue it again at once"
        case state:
            what = str(state)
    used = _budgets(*(_count_in(decision, name) for name in ("attempts", "interruptions", "give_backs")))
    return f"{what}, since {why} (used up by then: {used})"


def _text_in(values: dict[str, Any] | None, name: str) -> str:
    """What stands under a name; whatever wrote the JSON, it is text."""
    value = (values or {}).get(name)
    return value if isinstance(value, str) else ""


def _wait_in(decision: dict[str, Any]) -> str:
    try:
        return duration(timedelta(seconds=float(decision.get("wait_seconds") or 0)))
    except (TypeError, ValueError, OverflowError):
        return "?"


def _time_in(decision: dict[str, Any]) -> str:
    try:
        return f" at {cell(datetime.fromisoformat(decision['run_at']))}" if decision.get("run_at") else ""
    except (TypeError, ValueError):
        return " at ?"


def _count_in(decision: dict[str, Any], name: str) -> int | str:
    value = decision.get(name) or 0
    return value if isinstance(value, int) else "?"


def _budgets(attempts: int | str, interruptions: int | str, give_backs: int | str) -> str:
    parts = [_counted(attempts, "attempt"), _counted(interruptions, "interruption")]
    return ", ".join([*parts, *([f"{_counted(give_backs, 'claim')} given back"] if give_backs else [])])


def _counted(count: int | str, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def duration(time: timedelta) -> str:
    """A span of time as people say it, to the second; to the tenth where it is short."""
    seconds = max(0.0, time.total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 72 else f"{round(seconds / 86400)} days"


def _to_do(job: JobView, runs: list[RunView]) -> Iterator[str]:
    steps = to_do(job, runs)
    if not steps:
        yield "nothing is to be done"
        return
    yield "what you can do:"
    yield from (f"  - {step}" for step in steps)
