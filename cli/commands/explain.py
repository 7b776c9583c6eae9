"""`affirm-worker jobs explain`."""

import dataclasses
from typing import Annotated

import typer

from cli import output
from cli.options import AsJson
from cli.session import session
from cli.story import advice_of, said, story, to_do
from cli.why_it_waits import why_it_waits
from dataset_jobs.model.states import JobState

EPILOG = """
\b
Examples:
  affirm-worker jobs explain 5a7c910f
  affirm-worker jobs explain 5a7c910f-6f0b-4c0e-9a4e-2d1f3b5a7c91 --json
"""


def explain(
    job_id: Annotated[str, typer.Argument(metavar="ID", help="The job; the first digits of its id are enough.")],
    as_json: AsJson = False,
) -> None:
    """Tells a job's story: every run, why it ended, what was decided, and what to do.

    All of it comes from the database, also long after the pods are gone.
    """
    with session() as it:
        job, runs = it.store.job(it.store.job_id(job_id))
        now = it.store.now()
        waits = why_it_waits(job, runs, it.store.status(), now)
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
