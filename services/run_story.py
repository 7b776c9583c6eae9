"""A run in words: how it ended or stands, what was seen of it, and what was decided after it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dataset_jobs.model.causes import Cause, cause_in_words
from dataset_jobs.model.hints import Advice
from dataset_jobs.model.keys import RUN_LEASE
from dataset_jobs.model.outcome import LogLine, Outcome
from dataset_jobs.model.sentences import Sentence, counted, duration, sentence, written
from dataset_jobs.model.states import JobState
from dataset_jobs.store.views import RunView
from services.explain import ExplainedRun, text_in

_SEEN_AS_WORDS = {
    "exit_code": "exit code {}",
    "signal": "signal {}",
    "seen_as": "seen as {}",
    "memory_limit": "memory limit {}",
    "gone": "process or pod gone",
}
_POD_TIMES = [("pod on its node", "scheduled_at"), ("container began", "started_at"), ("ended", "finished_at")]


@dataclass(frozen=True, slots=True)
class RunStory:
    """A run in words.

    Args:
        sentence: how it ended, or how it stands.
        details: who claimed it, its times, its place, what it read, what was seen of it from outside.
        problems: those of its file, if there are several.
        decided: what was decided on the job after it; empty if nothing is yet.
        log: its last log lines.
        advice: about its end; empty while it has not ended.
    """

    run: RunView
    sentence: Sentence
    details: tuple[Sentence, ...]
    problems: tuple[str, ...]
    decided: Sentence
    log: tuple[LogLine, ...]
    advice: tuple[Advice, ...]


def run_story(explained: ExplainedRun, now: datetime) -> RunStory:
    """A run in words, as it stands at a time of the database's clock."""
    run, outcome = explained.run, explained.outcome
    several = outcome is not None and len(outcome.problems) > 1
    return RunStory(
        run,
        _ending(run, now),
        tuple(_details(run)),
        tuple(outcome.problems) if outcome is not None and several else (),
        Sentence() if run.decision is None else decision_in_words(run.decision),
        tuple(outcome.log) if outcome is not None else (),
        explained.advice,
    )


def _details(run: RunView) -> Iterator[Sentence]:
    yield sentence("claimed at {} by {}, for the {} launcher", run.claimed_at, run.owner, run.launcher)
    steps = [("launched", run.launched_at), ("started", run.started_at), ("committed", run.committed_at)]
    steps += [("ended", run.ended_at), ("slot free", run.released_at)]
    after = [f"{name} after {duration(moment - run.claimed_at)}" for name, moment in steps if moment is not None]
    if after:
        yield sentence("{}", ", ".join(after))
    where = [("pod", run.pod_name), ("node", run.node), ("launched as", run.launch_name)]
    if any(value for _, value in where):
        yield sentence("{}", ", ".join(f"{name} {value}" for name, value in where if value))
    if run.rows_done or run.bytes_done:
        yield sentence(f"read {run.bytes_done:,} bytes, {run.rows_done:,} rows")
    evidence = _evidence(run.evidence or {})
    if evidence:
        yield sentence("seen from outside: {}", evidence)


def _ending(run: RunView, now: datetime) -> Sentence:
    if run.cause == Cause.COMPLETED:
        return sentence(f"completed, {run.rows_done:,} rows committed")
    if run.cause is not None:
        cause = cause_in_words(run.cause, run.reason)
        return sentence("{}: {}", cause, run.error) if run.error else sentence("{}", cause)
    if run.committed_at is not None:
        return sentence(f"has committed {run.rows_done:,} rows, to be closed when its process or pod is over")
    if run.started_at is not None:
        return sentence("at work, last heard of {} ago", duration(now - run.lease_until + RUN_LEASE))
    if run.launched_at is None:
        if not run.waits_for:
            return sentence("about to be launched")
        return sentence("about to be launched: no answer yet, and the same is asked again: {}", run.waits_for_error)
    if not run.waits_for:
        return sentence("launched, its runner has not started yet")
    return sentence("launched, its runner has not started yet: {}: {}", run.waits_for, run.waits_for_error)


def _evidence(evidence: dict[str, Any]) -> str:
    parts = [words.format(evidence[name]) for name, words in _SEEN_AS_WORDS.items() if name in evidence]
    conditions = evidence.get("conditions")
    if isinstance(conditions, dict):
        parts += [f"{name} {reason}".strip() for name, reason in conditions.items()]
    left_running = evidence.get("left_running")
    if isinstance(left_running, list) and left_running:
        parts.append(f"its pod removed, since these containers ran on: {written(' '.join(map(str, left_running)))}")
    message = text_in(evidence, "message")
    # The runner's own message is its outcome, which has its own lines.
    if message and Outcome.from_message(message) is None:
        parts.append(f"message: {written(message)}")
    parts += [f"{name} {evidence[key]}" for name, key in _POD_TIMES if evidence.get(key)]
    return ", ".join(parts)


def decision_in_words(decision: dict[str, Any]) -> Sentence:
    """What settle decided on the job, and why."""
    why = decision.get("why") or "no reason is kept"
    match decision.get("state"):
        case None:
            return sentence("nothing to change, since {}", why)
        case JobState.SCHEDULED:
            what = sentence("try again in {}{}", _wait_in(decision), _time_in(decision))
        case JobState.QUEUED:
            what = sentence("queue it again at once")
        case state:
            what = sentence("{}", state)
    used = budgets(*(_count_in(decision, name) for name in ("attempts", "interruptions", "give_backs")))
    return sentence("{}, since {} (used up by then: {})", what, why, used)


def _wait_in(decision: dict[str, Any]) -> str:
    try:
        return duration(timedelta(seconds=float(decision.get("wait_seconds") or 0)))
    except (TypeError, ValueError, OverflowError):
        return "?"


def _time_in(decision: dict[str, Any]) -> Sentence:
    try:
        moment = datetime.fromisoformat(decision["run_at"]) if decision.get("run_at") else None
    except (TypeError, ValueError):
        return sentence(" at ?")
    return Sentence() if moment is None else sentence(" at {}", moment)


def _count_in(decision: dict[str, Any], name: str) -> int | str:
    value = decision.get(name) or 0
    return value if isinstance(value, int) else "?"


def budgets(attempts: int | str, interruptions: int | str, give_backs: int | str) -> str:
    """What a job has used up."""
    parts = [counted(attempts, "attempt"), counted(interruptions, "interruption")]
    return ", ".join([*parts, *([f"{counted(give_backs, 'claim')} given back"] if give_backs else [])])
