"""What the runs of a job say, from the database alone: while they are at work, and after."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.keys import RUN_LEASE
from dataset_jobs.model.outcome import LogLine
from dataset_jobs.model.requests import NotFound
from dataset_jobs.model.run_log import RunLog
from dataset_jobs.model.states import state_of
from dataset_jobs.store.views import JobView, RunView
from services.explain import outcome_of

POLL_SECONDS = 1.0
"""Between two looks at the database. What a runner says comes with its heartbeats, at most 15 seconds later."""


class Read(Protocol):
    """Reads a job with its runs."""

    def get(self, job_id: UUID) -> tuple[JobView, Sequence[RunView]]:
        """See `services.jobs.Jobs`."""


class Event(StrEnum):
    """What an entry tells. Only SAID is the runner's own; the database knows the others of the run."""

    BEGAN = "began"
    LOST = "lost"
    """Older lines were not kept."""
    SAID = "said"
    PROGRESS = "progress"
    COMMITTED = "committed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of a job's log.

    Args:
        run: its number.
        at: when.
        level, message: of a runner's line; the message of an end is its error, that of a beginning the launcher.
        lines: how many were lost.
        bytes_done, rows_done: of the progress, or of the commit.
        cause, reason, decision: of an end.
    """

    run: int
    at: datetime
    event: Event
    level: str | None = None
    message: str | None = None
    lines: int | None = None
    bytes_done: int | None = None
    rows_done: int | None = None
    cause: str | None = None
    reason: str | None = None
    decision: dict[str, Any] | None = None


@dataclass(slots=True)
class LogReader:
    """Reads the log of a job; each `read` gives what is new since the one before.

    Args:
        jobs: where the job is.
        job_id: which one.
        run: only that run; None for all.
    """

    jobs: Read
    job_id: UUID
    run: int | None = None
    _lines: dict[int, int] = field(default_factory=dict)
    _told: set[tuple[int, Event]] = field(default_factory=set)
    _progress: tuple[int, int, int] = (0, 0, 0)

    def read(self) -> tuple[JobView, list[LogEntry]]:
        """The job as it is now, and the new entries in the order in which they came.

        Raises:
            NotFound: there is no such job, or no such run.
        """
        job, runs = self.jobs.get(self.job_id)
        if self.run is not None and runs and self.run not in {run.epoch for run in runs}:
            there = "run 1" if len(runs) == 1 else f"runs {runs[0].epoch} to {runs[-1].epoch}"
            raise NotFound(f"job {job.id} has no run {self.run}; it has {there}")
        asked = [run for run in runs if self.run in (None, run.epoch)]
        return job, [entry for run in asked for entry in self._new(run)]

    def follow(self, sleep: Callable[[float], None] = time.sleep) -> Iterator[list[LogEntry]]:
        """The new entries of each look, until the job is over, or the one run that was asked for.

        Args:
            sleep: called with POLL_SECONDS between two looks.
        """
        while True:
            job, entries = self.read()
            yield entries
            state = state_of(job.state)
            ended = self.run is not None and {(self.run, Event.ENDED), (self.run, Event.COMMITTED)} & self._told
            if state is None or state.finished or ended:
                return
            sleep(POLL_SECONDS)

    def _new(self, run: RunView) -> Iterator[LogEntry]:
        number = run.epoch
        if self._first(number, Event.BEGAN):
            yield LogEntry(number, run.claimed_at, Event.BEGAN, message=run.launcher)
        log = _log_of(run)
        yield from self._said(run, log)
        over = run.ended_at is not None or run.committed_at is not None
        progress = (number, run.bytes_done, run.rows_done)
        if not over and any(progress[1:]) and progress != self._progress:
            self._progress = progress
            beat = run.lease_until - RUN_LEASE
            yield LogEntry(number, beat, Event.PROGRESS, bytes_done=run.bytes_done, rows_done=run.rows_done)
        if run.committed_at is not None and self._first(number, Event.COMMITTED):
            yield LogEntry(
                number, run.committed_at, Event.COMMITTED, bytes_done=run.bytes_done, rows_done=run.rows_done
            )
        if run.ended_at is not None and run.cause != Cause.COMPLETED and self._first(number, Event.ENDED):
            # The runner has said its own error already.
            said = any(run.error and run.error in line.msg for line in log.lines)
            yield LogEntry(
                number, run.ended_at, Event.ENDED, message=None if said else run.error, cause=run.cause,
                reason=run.reason, decision=run.decision,
            )  # fmt: skip

    def _said(self, run: RunView, log: RunLog) -> Iterator[LogEntry]:
        """The runner's lines; they count from 0 for each run."""
        known = self._lines.get(run.epoch, 0)
        lines = log.lines[max(0, known - log.dropped) :]
        if log.dropped > known and lines:
            yield LogEntry(run.epoch, _time_of(lines[0], run), Event.LOST, lines=log.dropped - known)
        for line in lines:
            yield LogEntry(run.epoch, _time_of(line, run), Event.SAID, line.level, line.msg)
        self._lines[run.epoch] = max(known, log.dropped + len(log.lines))

    def _first(self, run: int, event: Event) -> bool:
        new = (run, event) not in self._told
        self._told.add((run, event))
        return new


def _log_of(run: RunView) -> RunLog:
    """The log in the run's row. If the database was away at the end, the termination message has the last lines."""
    log, outcome = RunLog.from_dict(run.log), outcome_of(run)
    kept: Sequence[LogLine] = log.lines
    last = kept[-1].time if kept else ""
    more = tuple(line for line in (outcome.log if outcome else ()) if line.time > last)
    return RunLog(log.dropped, (*kept, *more))


def _time_of(line: LogLine, run: RunView) -> datetime:
    try:
        moment = datetime.fromisoformat(line.time)
    except ValueError:
        return run.claimed_at
    return moment if moment.tzinfo is not None else run.claimed_at
