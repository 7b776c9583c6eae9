"""`affirm-worker jobs logs`."""

import sys
from typing import Annotated

import typer

from cli.options import complete
from cli.options.common import AsJson
from cli.screen import output
from cli.screen.words import cell, in_words
from cli.session import session
from cli.wording.story import with_its_commands
from dataset_jobs.model.causes import cause_in_words
from dataset_jobs.model.states import JobState
from services.run_logs import Event, LogEntry, LogReader
from services.run_story import decision_in_words
from services.story import stands

EPILOG = """
\b
Examples:
  affirm-worker jobs logs
  affirm-worker jobs logs 5a7c910f
  affirm-worker jobs logs 5a7c910f --follow
  affirm-worker jobs logs 5a7c910f --run 2 --json
"""


def logs(
    job_id: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="The job; the first digits of its id are enough.",
            show_default=False,
            autocompletion=complete.jobs,
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines as they come, until the job is over.")
    ] = False,
    run: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only this run.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prints what the runs of a job say: while they are at work, and after, when their pods are gone.

    All of it comes from the database: the last 100 lines of each run, at most 16 KiB, kept as long as the job. Lines
    of a run at work come with its heartbeats: after 1, 2, 4 and 8 seconds, then every 15. A killed run has those of its
    last heartbeat. Lines that begin with -- are not the runner's own, but what the database knows of the run. Without
    ID: the job whose run began last, or the newest one. With --follow, --json prints an object a line.
    """
    with session() as it:
        jobs = it.client.jobs
        reader = LogReader(jobs, jobs.latest() if job_id is None else jobs.find(job_id), run)
        job, _ = jobs.get(reader.job_id)
        if job_id is None:
            output.say(f"job {job.id} is the last one: {job.filename} ({job.country})", to=sys.stderr)
        if follow:
            if job.state in (JobState.QUEUED, JobState.SCHEDULED):
                output.say(f"job {job.id}: {with_its_commands(stands(job, it.client.now()))}", to=sys.stderr)
            for entries in reader.follow():
                for entry in entries:
                    _print(entry, as_json)
            return
        job, entries = reader.read()
    if as_json:
        output.print_json(entries)
        return
    for entry in entries:
        _print(entry, as_json)
    if not entries:
        output.say(f"job {job.id} has not run yet")


def _print(entry: LogEntry, as_json: bool) -> None:
    if as_json:
        output.print_json(entry, indent=None)
    else:
        # Said where: so that it is written at once, also into a pipe.
        output.say(f"{cell(entry.at)}  run {entry.run}  {_in_words(entry)}", to=sys.stdout)


def _in_words(entry: LogEntry) -> str:
    match entry.event:
        case Event.SAID:
            # A usual line needs no level.
            return cell(entry.message) if entry.level == "INFO" else f"{entry.level}: {cell(entry.message)}"
        case Event.BEGAN:
            return f"-- begins, with the {entry.message} launcher"
        case Event.LOST:
            return f"-- {entry.lines:,} earlier lines are not kept"
        case Event.PROGRESS:
            return f"-- has read {entry.bytes_done:,} bytes, {_rows(entry)}"
        case Event.COMMITTED:
            return f"-- committed {_rows(entry)}"
        case Event.ENDED:
            cause = cause_in_words(entry.cause, entry.reason)
            error = f": {cell(entry.message)}" if entry.message else ""
            decided = f"; {in_words(decision_in_words(entry.decision))}" if entry.decision is not None else ""
            return f"-- ended: {cause}{error}{decided}"


def _rows(entry: LogEntry) -> str:
    return "1 row" if entry.rows_done == 1 else f"{entry.rows_done:,} rows"
