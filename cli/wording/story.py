"""A job explained in plain words."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from cli.screen.words import cell, duration
from cli.wording.hints import advice_lines, with_commands
from cli.wording.obstacles import waits_in_words
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.keys import RUN_LEASE
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.model.times import ENDLESS
from dataset_jobs.store.views import JobView, RunView
from services.explain import ExplainedRun, Explanation, text_in

_SEEN_AS_WORDS = {
    "exit_code": "exit code {}",
    "signal": "signal {}",
    "seen_as": "seen as {}",
    "memory_limit": "memory limit {}",
    "gone": "process or pod gone",
}


def story(told: Explanation) -> list[str]:
    """The lines of a job's story."""
    return [
        *_job(told.job, _read_as(told.runs), told.now),
        *waits_in_words(told),
        *(line for run in _with_retries(told.job, told.runs, told.now) for line in run),
        "",
        *_to_do(told.to_do),
    ]


def _read_as(runs: Sequence[ExplainedRun]) -> str:
    """The name that the file had at the last run; empty if that does not say."""
    return runs[-1].outcome.filename if runs and runs[-1].outcome is not None else ""


def _job(job: JobView, read_as: str, now: datetime) -> Iterator[str]:
    kind = "load" if job.type == "parse_dataset" else "load again"
    name = read_as or job.filename
    yield f"job {job.id} is to {kind} {name} ({job.country}, {job.size:,} bytes), dataset {job.dataset_id}"
    if name != job.filename:
        yield f"the same bytes were given again as {job.filename}, which is the name of the dataset now"
    yield f"created {cell(job.created_at)} in pool {job.pool}"
    yield stands(job, now)
    yield f"used up: {_budgets(job.attempts, job.interruptions, job.give_backs)}"
    if job.blocked_since is not None:
        yield f"none of its runs could start since {cell(job.blocked_since)}: {cell(job.last_error)}"


def stands(job: JobView, now: datetime) -> str:
    """A job's state, and when it is tried next."""
    match state_of(job.state):
        case None:
            return f"it is {job.state}, whatever that is: a newer version has written it"
        case JobState.SCHEDULED if job.run_at >= ENDLESS:
            never = "it is scheduled for no time that comes; to run it now"
            return with_commands(never, [Hint(Action.RUN_JOB_NOW, job.id)])
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


def _with_retries(job: JobView, runs: Sequence[ExplainedRun], now: datetime) -> Iterator[list[str]]:
    """The runs, and between them the times when somebody put the job back."""
    waiting = list(job.retried_at)
    for run in runs:
        while waiting and waiting[0] <= run.run.claimed_at:
            yield _put_back(waiting.pop(0))
        yield ["", *_run(run, now)]
    for moment in waiting:
        yield _put_back(moment)
    if not runs:
        yield ["", "it has not run yet"]


def _put_back(moment: datetime) -> list[str]:
    return ["", f"put back by hand at {cell(moment)}, with fresh budgets"]


def _run(explained: ExplainedRun, now: datetime) -> Iterator[str]:
    run, outcome = explained.run, explained.outcome
    yield f"run {run.epoch}: {_ending(run, now)}"
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
    if outcome is not None and len(outcome.problems) > 1:
        yield "  problems:"
        yield from (f"    {problem}" for problem in outcome.problems)
    if run.decision is not None:
        yield f"  decided: {decision_in_words(run.decision)}"
    if outcome is not None and outcome.log:
        yield "  its last log lines:"
        yield from (f"    {line.time} {line.level} {cell(line.msg)}" for line in outcome.log)


def _ending(run: RunView, now: datetime) -> str:
    if run.cause == Cause.COMPLETED:
        return f"completed, {run.rows_done:,} rows committed"
    if run.cause is not None:
        cause = f"{run.cause} ({run.reason})" if run.reason else run.cause
        return f"{cause}: {cell(run.error)}" if run.error else cause
    if run.committed_at is not None:
        return f"has committed {run.rows_done:,} rows, to be closed when its process or pod is over"
    if run.started_at is not None:
        return f"at work, last heard of {duration(now - run.lease_until + RUN_LEASE)} ago"
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
    message = text_in(evidence, "message")
    # The runner's own message is its outcome, which has its own lines.
    if message and Outcome.from_message(message) is None:
        parts.append(f"message: {cell(message)}")
    parts += [f"{name} {evidence[key]}" for name, key in _POD_TIMES if evidence.get(key)]
    return ", ".join(parts)


_POD_TIMES = [("pod on its node", "scheduled_at"), ("container began", "started_at"), ("ended", "finished_at")]


def decision_in_words(decision: dict[str, Any]) -> str:
    """What settle decided on the job, and why."""
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


def _to_do(steps: Sequence[Advice]) -> Iterator[str]:
    if not steps:
        yield "nothing is to be done"
        return
    yield "what you can do:"
    for step in steps:
        first, *commands = advice_lines(step)
        yield f"  - {first}"
        yield from commands
