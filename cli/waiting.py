"""`--wait`: waits for jobs that a controller elsewhere runs, and shows their progress as `load` does."""

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.exit_codes import INTERRUPTED, of_waiting
from cli.options.common import duration_option
from cli.screen import output
from cli.screen.progress import Display, open_display
from cli.screen.words import cell
from cli.session import Session
from cli.wording.hints import error_in_words
from cli.wording.obstacles import waits_in_words
from cli.wording.typed import typed
from dataset_jobs.model.durations import format_duration
from dataset_jobs.model.errors import Temporary
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.states import JobState
from dataset_jobs.store.views import JobView
from services.use_cases import UseCases

POLL_SECONDS = 1.0
LOOK_ROUND_SECONDS = 5.0
"""How often it is found out why nothing is running: that asks for much."""

GO_ON = "affirm-worker jobs list --watch"
"""The command that goes on watching."""

Wait = Annotated[
    bool,
    typer.Option("--wait", help="Wait until the jobs are over. A controller must run; this command starts none."),
]
Timeout = Annotated[
    Any,
    typer.Option(
        "--timeout",
        metavar="DURATION",
        parser=duration_option,
        help="With --wait: no longer than this, such as 10m; then the exit code is 75.",
    ),
]


@dataclass(frozen=True, slots=True)
class Waited:
    """How waiting ended. `broken_off` is the reason in words if the jobs are not over; `exit_code` is for that."""

    broken_off: str = ""
    exit_code: int = 0


def check_timeout(timeout: timedelta | None, *, wait: bool) -> None:
    """Raises BadParameter for a --timeout without --wait."""
    if timeout is not None and not wait:
        raise typer.BadParameter("it belongs to --wait", param_hint="--timeout")


def wait_for(it: Session, jobs: Collection[UUID], timeout: timedelta | None) -> Waited:
    """Waits until these jobs are over, and shows how far they are and what they wait for.

    A database that is away is waited for as well. Ctrl-C ends the waiting, and nothing else.

    Raises:
        RunError: what does not pass by itself.
    """
    if not jobs:
        return Waited()
    with open_display(it.settings) as display:
        try:
            if _over(it.client, jobs, display, timeout):
                return Waited()
        except KeyboardInterrupt:
            return Waited("interrupted; the jobs stay in the queue. To go on watching", INTERRUPTED)
    assert timeout is not None
    said = f"not over after {format_duration(timeout)}; the jobs stay in the queue. To go on watching"
    return Waited(said, ExitCode.UNAVAILABLE)


def _over(client: UseCases, jobs: Collection[UUID], display: Display, timeout: timedelta | None) -> bool:
    left = set(jobs)
    until = None if timeout is None else time.monotonic() + timeout.total_seconds()
    look_round = 0.0
    while left:
        try:
            progress = client.jobs.progress(left)
            display.show(progress, len(left))
            if progress.finished >= len(left):
                return True
            if not progress.running and time.monotonic() >= look_round:
                # Who deletes a dataset deletes its jobs.
                there = client.jobs.list(ids=left)
                left = {job.id for job in there}
                display.waits([*_what_for(client, there)])
                look_round = time.monotonic() + LOOK_ROUND_SECONDS
        except Temporary as error:
            display.waits([f"{error_in_words(error)}; it is tried again"])
        now = time.monotonic()
        if until is not None and now >= until:
            return False
        time.sleep(POLL_SECONDS if until is None else min(POLL_SECONDS, until - now))
    return True


def _what_for(client: UseCases, jobs: Sequence[JobView]) -> Iterator[str]:
    waiting = [job for job in jobs if job.state in (JobState.QUEUED, JobState.SCHEDULED)]
    if not waiting:
        return
    # The one that is to run first stands for all.
    first = min(waiting, key=lambda job: job.run_at)
    yield from waits_in_words(client.story(first.id))
    if first.state == JobState.SCHEDULED:
        yield f"{first.filename} waits until {cell(first.run_at)}"


def wait_and_tell(it: Session, jobs: Collection[UUID], timeout: timedelta | None, *, as_json: bool) -> None:
    """Waits for jobs, prints the result of each, and ends the command unless all of them are completed.

    Args:
        it: the command's session.
        jobs: which.
        timeout: no longer than that.
        as_json: print the jobs as `jobs list --json` does.

    Raises:
        Exit: 130 after Ctrl-C, 75 after the time, else as `load`.
    """
    waited = wait_for(it, jobs, timeout)
    found = it.client.jobs.list(ids=jobs)
    if as_json:
        output.print_json(found)
    else:
        for job in reversed(found):
            output.say(*_result(job))
    if waited.broken_off:
        output.said_no(f"{waited.broken_off}: {typed(GO_ON)}")
        raise typer.Exit(waited.exit_code)
    code = of_waiting(job.last_cause for job in found if job.state != JobState.COMPLETED)
    if code:
        raise typer.Exit(code)


def _result(job: JobView) -> Iterator[str]:
    rows = f", {job.rows_done:,} rows" if job.state == JobState.COMPLETED and job.rows_done is not None else ""
    error = f": {job.last_error}" if job.last_error else ""
    yield f"job {job.id} ({job.filename}) is {job.state}{rows}{error}"
    if job.state == JobState.FAILED:
        yield typed(f"    affirm-worker jobs explain {job.id}")
