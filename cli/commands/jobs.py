"""`affirm-worker jobs`."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from cli.commands import explain, job_changes, logs
from cli.lazy import group
from cli.options import complete
from cli.options.common import AsJson, JobId, ShownColumns, Wide
from cli.screen import output
from cli.screen.listing import (
    Causes,
    Length,
    OfCountry,
    OfFile,
    OfPool,
    Since,
    Sort,
    States,
    Utc,
    filters,
    order,
)
from cli.screen.showing_lists import REMOVED, Table, Wanted, show_list
from cli.screen.table import Column, chosen
from cli.screen.watching import Watch
from cli.screen.words import cell, in_words
from cli.session import session
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.states import JobState
from dataset_jobs.store.views import JobView, RunView
from services.filters import JOB_SORTS, JobFilter

LIST_EPILOG = """
\b
Examples:
  affirm-worker jobs list
  affirm-worker jobs list --state failed --cause rejected --since 3d
  affirm-worker jobs list --country US --file "yob19*.txt" --sort -rows
  affirm-worker jobs list --state running --state queued --watch
  affirm-worker jobs list --dataset 0f9c5d4e --limit 0 --json
"""
SHOW_EPILOG = """
\b
Examples:
  affirm-worker jobs show 5a7c910f
  affirm-worker jobs show 5a7c910f-6f0b-4c0e-9a4e-2d1f3b5a7c91 --json
"""
JOBS = [
    Column("job"),
    Column("country", spare=1),
    Column("file", text=True, keeps_end=True),
    Column("type", spare=6),
    Column("state"),
    Column("attempts", right=True, spare=5),
    Column("rows", right=True, spare=2),
    Column("runs at", spare=3),
    Column("submitted", spare=7),
    Column("finished", spare=3),
    Column("cause", spare=4),
    Column("pool", spare=8),
    Column("priority", right=True, spare=8),
    Column("error", below="affirm-worker jobs explain ID"),
]
commands = group("jobs")


@commands.command("list", epilog=LIST_EPILOG)
def list_jobs(
    state: States = None,
    cause: Causes = None,
    country: OfCountry = None,
    file: OfFile = None,
    pool: OfPool = None,
    since: Since = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="ID", help="Only jobs of this dataset.", autocompletion=complete.datasets)
    ] = None,
    sort: Sort = None,
    limit: Length = None,
    wide: Wide = False,
    columns: ShownColumns = None,
    watch: Watch = False,
    utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Lists jobs, the newest first. Filters can be combined.

    With --watch and without a terminal, or with --json, a line is printed for each job that is new, has changed or
    has left the list. Ctrl-C ends it with exit code 130.
    """
    by = order(sort, JOB_SORTS)
    with session() as it:
        dataset_id = None if dataset is None else it.client.datasets.find(dataset)
        with filters():
            selection = it.client.jobs.select(
                JobFilter(state or (), cause or (), country, file, pool, since, dataset_id)
            )
        show_list(
            selection,
            Table(JOBS, _row, "there are no such jobs", lambda job: replace(job, state=REMOVED)),
            Wanted(by, limit, chosen(columns, wide), watch=watch, as_json=as_json),
        )


def _row(job: JobView) -> list[Any]:
    return [
        job.id, job.country, job.filename, job.type.removesuffix("_dataset"), job.state, job.attempts, job.rows_done,
        job.run_at if job.state == JobState.SCHEDULED else None, job.created_at, job.finished_at,
        job.last_cause, job.pool if job.pool != "default" else None, job.priority or None, _error_now(job),
    ]  # fmt: skip


def _error_now(job: JobView) -> str | None:
    """Why the job is not done; nothing while a run is at work, whatever ended the run before it."""
    return None if job.state == JobState.RUNNING else job.last_error


@commands.command("show", epilog=SHOW_EPILOG)
def show_job(
    job_id: JobId,
    utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Shows a job with all its runs: when, where, and what became of them."""
    with session() as it:
        job, runs = it.client.jobs.get(it.client.jobs.find(job_id))
        waiting = it.client.waiting([job]).get(job.id)
    if as_json:
        output.print_json({"job": job, "waiting": waiting, "runs": runs})
        return
    waits = [] if waiting is None else [("waits", in_words(waiting.text))]
    for name, value in (*_job_lines(job), *waits):
        output.say(f"{name:<14}{value}")
    for run in runs:
        output.say("")
        for name, value in _run_lines(run):
            output.say(f"{name:<14}{value}")
    if not runs:
        output.say("", "it has not run yet")


def _job_lines(job: JobView) -> list[tuple[str, Any]]:
    lines = [
        ("job", str(job.id)),
        ("dataset", f"{job.dataset_id} ({job.filename}, {job.country}, {job.size:,} bytes)"),
        ("type", job.type),
        ("state", job.state + (", a cancel is asked for" if job.cancel_requested_at else "")),
        ("pool", f"{job.pool}, priority {job.priority}"),
        ("attempts", f"{job.attempts}, and {job.interruptions} interruptions"),
        ("created", cell(job.created_at)),
    ]
    if job.state == JobState.SCHEDULED:
        lines.append(("runs again" if job.attempts or job.interruptions else "runs at", cell(job.run_at)))
    if job.finished_at is not None:
        lines.append(("finished", cell(job.finished_at)))
    if job.last_error:
        name = "last error" if job.state == JobState.RUNNING else "error"
        lines.append((name, f"{job.last_cause}: {job.last_error}"))
    return lines


def _run_lines(run: RunView) -> list[tuple[str, Any]]:
    where = " on ".join(filter(None, [run.pod_name or run.launch_name, run.node]))
    times = [("claimed", run.claimed_at), ("started", run.started_at), ("ended", run.ended_at)]
    lines = [
        (f"run {run.epoch}", f"{run.launcher}{f', {where}' if where else ''}"),
        ("  times", ", ".join(f"{name} {cell(time)}" for name, time in times if time is not None)),
        ("  progress", f"{run.bytes_done:,} bytes, {run.rows_done:,} rows"),
    ]
    if run.cause:
        lines.append(("  cause", f"{run.cause}: {run.reason}" if run.reason else run.cause))
    if run.error:
        lines.append(("  error", cell(run.error)))
    outcome = Outcome.from_dict(run.outcome)
    if outcome is not None and len(outcome.problems) > 1:
        lines += [("  problems" if number == 0 else "", problem) for number, problem in enumerate(outcome.problems)]
    return lines


commands.command("explain", epilog=explain.EPILOG)(explain.explain)
commands.command("logs", epilog=logs.EPILOG)(logs.logs)
commands.command("cancel", epilog=job_changes.CANCEL_EPILOG)(job_changes.cancel)
commands.command("set", epilog=job_changes.SET_EPILOG)(job_changes.set_waiting)
commands.command("retry", epilog=job_changes.RETRY_EPILOG)(job_changes.retry)
commands.command("purge", epilog=job_changes.PURGE_EPILOG)(job_changes.purge)
