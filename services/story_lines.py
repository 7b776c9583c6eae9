"""A job's story as lines, in one order and layout for every surface; each writes the parts in its own way."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dataset_jobs.model.hints import Advice
from dataset_jobs.model.sentences import Sentence
from dataset_jobs.store.views import JobView
from services.run_story import RunStory
from services.story import Story, Told


@dataclass(frozen=True, slots=True)
class Writing:
    """How a surface writes.

    Args:
        sentence: a sentence.
        told: a sentence in one line, with the actions against what it says.
        advice: a line, and each action on a line of its own.
        value: a time, or a text that somebody else has written.
    """

    sentence: Callable[[Sentence], str]
    told: Callable[[Told], str]
    advice: Callable[[Advice], Sequence[str]]
    value: Callable[[Any], str]


def story_lines(it: Story, how: Writing) -> list[str]:
    """The lines of a job's story."""
    return [
        *map(how.told, (*it.about, *it.waits)),
        *(line for run in _with_retries(it.job, it.runs, how) for line in run),
        "",
        *_to_do(it.advice, how),
    ]


def _with_retries(job: JobView, runs: Sequence[RunStory], how: Writing) -> Iterator[list[str]]:
    """The runs, and between them the times when somebody put the job back."""
    waiting = list(job.retried_at)
    for run in runs:
        while waiting and waiting[0] <= run.run.claimed_at:
            yield _put_back(waiting.pop(0), how)
        yield ["", *_run(run, how)]
    for moment in waiting:
        yield _put_back(moment, how)
    if not runs:
        yield ["", "it has not run yet"]


def _put_back(moment: datetime, how: Writing) -> list[str]:
    return ["", f"put back by hand at {how.value(moment)}, with fresh budgets"]


def _run(told: RunStory, how: Writing) -> Iterator[str]:
    yield f"run {told.run.epoch}: {how.sentence(told.sentence)}"
    yield from (f"  {how.sentence(line)}" for line in told.details)
    if told.problems:
        yield "  problems:"
        yield from (f"    {problem}" for problem in told.problems)
    if told.decided:
        yield f"  decided: {how.sentence(told.decided)}"
    if told.log:
        yield "  its last log lines:"
        yield from (f"    {line.time} {line.level} {how.value(line.msg)}" for line in told.log)


def _to_do(steps: Sequence[Advice], how: Writing) -> Iterator[str]:
    if not steps:
        yield "nothing is to be done"
        return
    yield "what you can do:"
    for step in steps:
        first, *actions = how.advice(step)
        yield f"  - {first}"
        yield from actions
