"""The story of a job in words, for every surface: where it stands, what it waits for, its runs, what a person can do.

No command is named: advice carries actions, which the command line shows as commands, an API as links.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from dataset_jobs.model.hints import Action, Advice, Hint
from dataset_jobs.model.sentences import Sentence, duration, sentence
from dataset_jobs.model.states import JobState, state_of
from dataset_jobs.model.times import ENDLESS
from dataset_jobs.store.views import JobView
from services.actions import Offer, offer
from services.explain import ExplainedRun, Explanation
from services.obstacle_words import holds_up
from services.run_story import RunStory, budgets, run_story
from services.waiting import Because, Waiting


class Happened(StrEnum):
    """Kinds of moments in a job's life."""

    SUBMITTED = "submitted"
    CLAIMED = "claimed"
    LAUNCHED = "launched"
    STARTED = "started"
    COMMITTED = "committed"
    ENDED = "ended"
    RETRIED = "retried"
    """Somebody has put it back into the queue."""
    CANCEL_REQUESTED = "cancel_requested"
    FINISHED = "finished"
    NEXT_TRY = "next_try"
    """This one is still to come."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to a job, or will.

    Args:
        at: by the database's clock.
        run: the epoch of the run that it happened to; None if it happened to the job.
    """

    at: datetime
    what: Happened
    text: Sentence
    run: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and the actions against what it says."""

    text: Sentence
    hints: tuple[Hint, ...] = ()
    not_in_json: ClassVar = ("hints",)


@dataclass(frozen=True, slots=True)
class Story:
    """A job's story.

    Args:
        sentence: where it stands.
        about: what it is to do, under which name, since when, what it has used up.
        waiting: what it waits for most of all; None if it does not wait.
        waits: the obstacles beside its own row, and what is done against them; nothing if it is finished.
        advice: what a person can do.
        actions: all that is possible on it now, the most useful one first.
        timeline: all that happened, the first first.
        runs: the first one first.
        now: the time of the story, by the database's clock.
    """

    job: JobView
    sentence: Sentence
    about: tuple[Told, ...]
    waiting: Waiting | None
    waits: tuple[Told, ...]
    advice: tuple[Advice, ...]
    actions: tuple[Offer, ...]
    timeline: tuple[Moment, ...]
    runs: tuple[RunStory, ...]
    now: datetime

    @property
    def next_try(self) -> datetime | None:
        """When it may run next; None if it is running or finished."""
        return self.job.run_at if self.job.state in (JobState.QUEUED, JobState.SCHEDULED) else None


def story(told: Explanation) -> Story:
    """The story of a job that is explained."""
    runs = tuple(run_story(run, told.now) for run in told.runs)
    return Story(
        told.job,
        stands(told.job, told.now).text,
        tuple(_about(told)),
        told.waiting,
        tuple(
            Told(holds_up(one, told.job.pool, told.now, orphaned=told.run_is_orphaned), one.hints) for one in told.waits
        ),
        told.to_do,
        tuple(map(offer, told.possible)),
        tuple(sorted(_timeline(told.job, runs, told.now), key=lambda moment: moment.at)),
        runs,
        told.now,
    )


def _read_as(runs: Sequence[ExplainedRun]) -> str:
    """The name that the file had at the last run; empty if that does not say."""
    return runs[-1].outcome.filename if runs and runs[-1].outcome is not None else ""


def _about(told: Explanation) -> Iterator[Told]:
    job, now, read_as = told.job, told.now, _read_as(told.runs)
    kind = "load" if job.type == "parse_dataset" else "load again"
    name = read_as or job.filename
    yield Told(
        sentence(
            f"job {{}} is to {kind} {{}} ({{}}, {job.size:,} bytes), dataset {{}}",
            job.id, name, job.country, job.dataset_id,
        )
    )  # fmt: skip
    if name != job.filename:
        yield Told(
            sentence("the same bytes were given again as {}, which is the name of the dataset now", job.filename)
        )
    yield Told(sentence("created {} in pool {}", job.created_at, job.pool))
    yield stands(job, now)
    yield from _in_the_queue(told.waiting)
    yield Told(sentence("used up: {}", budgets(job.attempts, job.interruptions, job.give_backs)))
    if job.blocked_since is not None:
        yield Told(sentence("none of its runs could start since {}: {}", job.blocked_since, job.last_error))


def _in_the_queue(waiting: Waiting | None) -> Iterator[Told]:
    """Its place, and what limits its pool: the obstacles do not say that."""
    if waiting is None:
        return
    if waiting.because in (Because.POOL_STARTING, Because.POOL_LIMITED):
        yield Told(waiting.text)
    elif waiting.place is not None and (waiting.place.ahead or not waiting.place.exact):
        yield Told(sentence("in the queue: {}", waiting.place))


def stands(job: JobView, now: datetime) -> Told:
    """A job's state, and when it is tried next."""
    match state_of(job.state):
        case None:
            return Told(sentence("it is {}, whatever that is: a newer version has written it", job.state))
        case JobState.SCHEDULED if job.run_at >= ENDLESS:
            never = sentence("it is scheduled for no time that comes; bring it forward to run it now")
            return Told(never, (Hint(Action.RUN_JOB_NOW, job.id),))
        case JobState.SCHEDULED:
            wait = job.run_at - now
            when = f"in {duration(wait)}" if wait > timedelta(0) else "as soon as there is a free slot"
            return Told(sentence("it is scheduled: the next try is at {}, {}", job.run_at, when))
        case JobState.QUEUED:
            return Told(sentence("it is queued since {}: the next try is as soon as there is a free slot", job.run_at))
        case JobState.RUNNING if job.cancel_requested_at is not None:
            return Told(sentence("it is being cancelled, since {}", job.cancel_requested_at))
        case JobState.RUNNING:
            return Told(sentence("it is running"))
        case JobState.FAILED:
            return Told(sentence("it failed at {}: {}", job.finished_at, job.last_error))
        case state:
            return Told(sentence("it was {} at {}", state, job.finished_at))


def _timeline(job: JobView, runs: Sequence[RunStory], now: datetime) -> Iterator[Moment]:
    yield Moment(job.created_at, Happened.SUBMITTED, sentence("submitted"))
    for told in runs:
        run = told.run
        where = " on ".join(filter(None, [run.pod_name or run.launch_name, run.node]))
        steps = [
            (run.claimed_at, Happened.CLAIMED, sentence("run {} claimed by {}", run.epoch, run.owner)),
            (run.launched_at, Happened.LAUNCHED, sentence("run {} launched{}", run.epoch, _as(where))),
            (run.started_at, Happened.STARTED, sentence("run {} at work", run.epoch)),
            (run.committed_at, Happened.COMMITTED, sentence(f"run {{}} committed {run.rows_done:,} rows", run.epoch)),
            (run.ended_at, Happened.ENDED, sentence("run {}: {}", run.epoch, told.sentence)),
        ]
        yield from (Moment(at, what, text, run.epoch) for at, what, text in steps if at is not None)
    for at in job.retried_at:
        yield Moment(at, Happened.RETRIED, sentence("put back by hand, with fresh budgets"))
    if job.cancel_requested_at is not None:
        yield Moment(job.cancel_requested_at, Happened.CANCEL_REQUESTED, sentence("cancel asked for"))
    if job.finished_at is not None:
        yield Moment(job.finished_at, Happened.FINISHED, sentence("{}", job.state))
    elif job.state == JobState.SCHEDULED and now < job.run_at < ENDLESS:
        yield Moment(job.run_at, Happened.NEXT_TRY, sentence("the next try"))


def _as(where: str) -> Sentence:
    return sentence(" as {}", where) if where else Sentence()
