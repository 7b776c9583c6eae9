"""A job's story as lines of a terminal."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from cli.screen.words import cell, in_words
from cli.wording.hints import advice_lines, with_commands
from dataset_jobs.model.hints import Advice
from dataset_jobs.store.views import JobView
from services.explain import Explanation
from services.run_story import RunStory
from services.story import Told
from services.story import story as story_


def story(told: Explanation) -> list[str]:
    """The lines of a job's story."""
    it = story_(told)
    return [
        *map(with_its_commands, (*it.about, *it.waits)),
        *(line for run in _with_retries(it.job, it.runs) for line in run),
        "",
        *_to_do(it.advice),
    ]


def with_its_commands(told: Told) -> str:
    """A sentence in one line, with the commands against what it says."""
    return with_commands(in_words(told.text), told.hints)


def _with_retries(job: JobView, runs: Sequence[RunStory]) -> Iterator[list[str]]:
    """The runs, and between them the times when somebody put the job back."""
    waiting = list(job.retried_at)
    for run in runs:
        while waiting and waiting[0] <= run.run.claimed_at:
            yield _put_back(waiting.pop(0))
        yield ["", *_run(run)]
    for moment in waiting:
        yield _put_back(moment)
    if not runs:
        yield ["", "it has not run yet"]


def _put_back(moment: datetime) -> list[str]:
    return ["", f"put back by hand at {cell(moment)}, with fresh budgets"]


def _run(told: RunStory) -> Iterator[str]:
    yield f"run {told.run.epoch}: {in_words(told.sentence)}"
    yield from (f"  {in_words(line)}" for line in told.details)
    if told.problems:
        yield "  problems:"
        yield from (f"    {problem}" for problem in told.problems)
    if told.decided:
        yield f"  decided: {in_words(told.decided)}"
    if told.log:
        yield "  its last log lines:"
        yield from (f"    {line.time} {line.level} {cell(line.msg)}" for line in told.log)


def _to_do(steps: Sequence[Advice]) -> Iterator[str]:
    if not steps:
        yield "nothing is to be done"
        return
    yield "what you can do:"
    for step in steps:
        first, *commands = advice_lines(step)
        yield f"  - {first}"
        yield from commands
