"""`affirm-worker jobs cancel`, `jobs set`, `jobs retry` and `jobs purge`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli.options import complete
from cli.options.common import AsJson, JobId, RunAt, Yes, duration_option
from cli.screen import output
from cli.screen.words import cell
from cli.session import session
from cli.waiting import Timeout, Wait, check_timeout, wait_and_tell
from cli.wording.hints import error_in_words
from cli.wording.obstacles import unserved_in_words
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.states import FINISHED, JobState
from services.jobs import Cancel, Retried

CANCEL_EPILOG = """
\b
Examples:
  affirm-worker jobs cancel 5a7c910f
"""
SET_EPILOG = """
\b
Examples:
  affirm-worker jobs set 5a7c910f --priority 100
  affirm-worker jobs set 5a7c910f --run-at 0s
"""
RETRY_EPILOG = """
\b
Examples:
  affirm-worker jobs retry 5a7c910f
  affirm-worker jobs retry 5a7c910f --wait
  affirm-worker jobs retry --failed --dry-run
  affirm-worker jobs retry --failed --cause unavailable --priority -10 --yes
"""
PURGE_EPILOG = """
\b
Examples:
  affirm-worker jobs purge --older-than 30d --dry-run
  affirm-worker jobs purge --older-than 12h --state completed --yes
"""

NewPriority = Annotated[
    int | None, typer.Option("--priority", min=-32768, max=32767, help="From now on; without it, it stays.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def cancel(
    job_id: JobId,
    as_json: AsJson = False,
) -> None:
    """Cancels a job; a run that is at work commits nothing after.

    A job that waits is cancelled at once. Of one that runs, the controller stops the process or pod, and the job is
    cancelled when that is gone. The dataset stays as it was: pending, or completed with its old rows. Refused if
    the job has completed or failed already.
    """
    with session() as it:
        job = it.client.jobs.find(job_id)
        result = it.client.jobs.cancel(job)
    if as_json:
        output.print_json({"job_id": job, "result": result})
    elif result is Cancel.CANCELLED:
        output.say(f"job {job} is cancelled")
    else:
        output.say(f"job {job} is being cancelled: its run commits nothing more, and is being stopped")


def set_waiting(
    job_id: JobId,
    priority: NewPriority = None,
    run_at: RunAt = None,
    as_json: AsJson = False,
) -> None:
    """Changes a job that waits: its priority, or when it may run.

    --run-at 0s lets a scheduled job, or one that waits for a retry, run at once. Refused if it is running or over.
    """
    if priority is None and run_at is None:
        raise typer.BadParameter("give a --priority, a --run-at, or both")
    with session() as it:
        job = it.client.jobs.reschedule(it.client.jobs.find(job_id), priority=priority, run_at=run_at)
    if as_json:
        output.print_json(job)
    else:
        when = f" until {cell(job.run_at)}" if job.state == JobState.SCHEDULED else ""
        output.say(f"job {job.id} is {job.state}{when}, with priority {job.priority}")


def retry(
    job_ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...", help="Jobs; the first digits of an id are enough.", autocompletion=complete.jobs
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All that have failed.")] = False,
    cause: Annotated[
        Cause | None,
        typer.Option(
            metavar="CAUSE", help="With --failed: only those that failed of this: see `affirm-worker help causes`."
        ),
    ] = None,
    priority: NewPriority = None,
    wait: Wait = False,
    timeout: Timeout = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Retries failed or cancelled jobs, with fresh budgets.

    Their runs stay as history. Refused if the dataset has another job that is not finished, or was loaded by
    another job since. --failed takes the latest job of each dataset only, never a cancelled one. It asks first;
    without a terminal it needs --yes. With --wait the exit code is 0 if all are loaded, else 1; --json then prints
    the jobs when they are over.
    """
    if failed == bool(job_ids) or (cause is not None and not failed):
        raise typer.BadParameter("give either ids of jobs, or --failed and perhaps its --cause")
    if wait and dry_run:
        raise typer.BadParameter("nothing is to be waited for after a dry run", param_hint="--wait")
    check_timeout(timeout, wait=wait)
    with session() as it:
        ids = it.client.jobs.failed(cause) if failed else [it.client.jobs.find(given) for given in job_ids or ()]
        if failed and ids and not dry_run:
            output.agree(f"Retry {_jobs(len(ids))}?", yes=yes)
        results = it.client.jobs.retry_all(ids, dry_run=dry_run, priority=priority)
        if not (as_json and wait):
            _tell_retried(results, dry_run=dry_run, as_json=as_json)
        queued = any(not one.refusal for one in results) and not (dry_run or wait)
        if queued and (unserved := it.client.unserved()) is not None:
            output.said_no(unserved_in_words(unserved))
        if wait:
            for one in results if as_json else ():
                if one.refusal:
                    output.said_no(error_in_words(one.refusal))
            wait_and_tell(it, [one.job_id for one in results if not one.refusal], timeout, as_json=as_json)
    if any(one.refusal for one in results):
        raise typer.Exit(ExitCode.REJECTED)


def _tell_retried(results: Sequence[Retried], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        result = "would be queued" if dry_run else "queued"
        output.print_json([{"job_id": one.job_id, "dataset_id": one.dataset_id, "file": one.filename,
                            "result": "refused" if one.refusal else result,
                            "error": error_in_words(one.refusal) if one.refusal else None}
                           for one in results])  # fmt: skip
    else:
        for one in results:
            if one.refusal:
                output.said_no(error_in_words(one.refusal))
            else:
                output.say(f"job {one.job_id} ({one.filename}) {'would be' if dry_run else 'is'} queued again")
        if not results:
            output.say("there is no job to retry")


def purge(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="DURATION", help="Finished so long ago, such as 30d or 12h.")
    ],
    state: Annotated[
        list[JobState] | None, typer.Option(help="Only those: completed, failed or cancelled; may be repeated.")
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Removes old finished jobs with their runs; never a dataset or a row.

    Controllers do the same by themselves after WORKER_RETENTION. Asks first; without a terminal it needs --yes.
    """
    age = duration_option(older_than, "--older-than")
    states = tuple(state or FINISHED)
    if unfinished := [one for one in states if not one.finished]:
        raise typer.BadParameter(f"jobs that are {unfinished[0]} are never removed", param_hint="--state")
    with session() as it:
        count = sum(it.client.jobs.purgeable(age, states).values())
        if not dry_run:
            if count:
                output.agree(f"Remove {_jobs(count)} with their runs?", yes=yes)
            count = sum(it.client.jobs.purge(age, states))
    if as_json:
        output.print_json({"removed": 0 if dry_run else count, "would_remove": count if dry_run else None})
    else:
        output.say(f"{_jobs(count)} would be removed" if dry_run else f"removed {_jobs(count)}")


def _jobs(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"
