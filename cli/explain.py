"""`affirm-worker jobs explain`."""

import dataclasses
from typing import Annotated

import typer

from cli.options import AsJson

EPILOG = """
\b
Examples:
  affirm-worker jobs explain 5a7c910f
  affirm-worker jobs explain 5a7c910f-6f0b-4c0e-9a4e-2d1f3b5a7c91 --json
"""


def add_to(jobs: typer.Typer) -> None:
    """Adds the command to those about jobs."""
    jobs.command("explain", epilog=EPILOG)(explain)


def explain(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job; the first digits of its id are enough.")],
    as_json: AsJson = False,
) -> None:
    """Tells a job's story: every run, why it ended, what was decided, and what to do.

    All of it comes from the database, also long after the pods are gone.
    """
    from cli import output
    from cli.database import open_database
    from cli.logs import set_up_logs
    from cli.settings import read_settings
    from cli.story import advice_of, said, story, to_do
    from cli.why_it_waits import why_it_waits
    from dataset_jobs.model.states import JobState
    from dataset_jobs.store.for_clients import ClientStore

    settings = read_settings()
    set_up_logs(settings)
    with open_database(settings) as database, ClientStore(database.conninfo) as store:
        job, runs = store.job(store.job_id(job_id))
        now = store.now()
        waits = why_it_waits(job, runs, store.status(), now)
    if not as_json:
        output.say(*story(job, runs, now, waits))
        return
    told = [
        {field.name: getattr(run, field.name) for field in dataclasses.fields(run)}
        | {"log": outcome.log if (outcome := said(run)) else (), "advice": advice_of(job, run)}
        for run in runs
    ]
    next_try = job.run_at if job.state in (JobState.QUEUED, JobState.SCHEDULED) else None
    output.print_json({"job": job, "next_try": next_try, "waits": waits, "runs": told, "to_do": to_do(job, runs)})
