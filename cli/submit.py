"""`affirm-worker submit` and `affirm-worker reprocess`."""

from typing import Annotated, Any

import typer

from cli.options import AsJson, Country, Files, Priority, Replaces, RunAt, Sex, Year
from dataset_jobs.model.outcome import ExitCode

SUBMIT_EPILOG = """
\b
Examples:
  affirm-worker submit yob2023.txt --country US
  affirm-worker submit names/*.txt --country US --priority 10
  affirm-worker submit yob2023.txt --country US --run-at 2026-12-01T03:00
  affirm-worker submit renamed.txt --country US --year 2023
  affirm-worker submit corrected.txt --country US --replaces 0f9c5d4e
  affirm-worker submit yob2023.txt --country US --dry-run --json
"""
REPROCESS_EPILOG = """
\b
Examples:
  affirm-worker reprocess 0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91
  affirm-worker reprocess 0f9c5d4e --priority -5 --run-at 12h --json
"""
DatasetId = Annotated[
    str, typer.Argument(metavar="DATASET_ID", help="The dataset; the first digits of its id are enough.")
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(epilog=SUBMIT_EPILOG)(submit)
    app.command(epilog=REPROCESS_EPILOG)(reprocess)


def submit(
    files: Files,
    country: Country,
    year: Year = None,
    sex: Sex = None,
    replaces: Replaces = None,
    priority: Priority = 0,
    run_at: RunAt = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stores files and enqueues a job for each.

    A controller then runs them: see `affirm-worker run`. A file that is known already is not loaded
    twice: what is not loaded yet is corrected or tried again, what is loaded is left alone. Files that
    are refused do not keep the others back; the exit code is 65 then.

    A file that covers what another dataset counts for (same country, region, measure, year and sex) is
    refused when it is loaded, unless it --replaces that one. Deleting it undoes that.
    """
    from cli import output
    from cli.database import open_database
    from cli.logs import set_up_logs
    from cli.settings import read_settings
    from cli.submissions import Submitter
    from dataset_jobs.store.for_clients import ClientStore

    if replaces and len(files) > 1:
        raise typer.BadParameter("goes with one file at a time", param_hint="--replaces")
    settings = read_settings()
    set_up_logs(settings)
    with open_database(settings) as database, ClientStore(database.conninfo) as store:
        replaced = [store.dataset_id(given) for given in replaces or ()]
        submitter = Submitter(store, settings, country, year, sex, priority, dry_run, replaced, run_at)
        submitted = [submitter.submit(path) for path in files]
    if as_json:
        output.print_json([one.as_json() for one in submitted])
    else:
        output.print_table(
            ["file", "result", "dataset", "job"],
            [[one.path, one.result, one.dataset_id, one.job_id] for one in submitted if one.refusal is None],
            "nothing submitted",
        )
        for one in submitted:
            if one.refusal is not None:
                output.said_no(str(one.refusal))
    if any(one.refusal is not None for one in submitted):
        raise typer.Exit(ExitCode.REJECTED)


def reprocess(dataset_id: DatasetId, priority: Priority = 0, run_at: RunAt = None, as_json: AsJson = False) -> None:
    """Enqueues a job that loads a dataset again.

    It reads the stored file. The rows there are stay readable until the new ones are committed, and stay
    if the job fails.
    """
    from cli import output
    from cli.database import open_database
    from cli.logs import set_up_logs
    from cli.settings import read_settings
    from dataset_jobs.store.for_clients import ClientStore

    settings = read_settings()
    set_up_logs(settings)
    with open_database(settings) as database, ClientStore(database.conninfo) as store:
        dataset = store.dataset_id(dataset_id)
        job, kind = store.reprocess(dataset, priority=priority, pool=settings.pool, run_at=run_at)
    result: dict[str, Any] = {"dataset_id": dataset, "job_id": job, "type": kind}
    if as_json:
        output.print_json(result)
    else:
        output.say(f"job {job} ({kind}) for dataset {dataset} is {'queued' if run_at is None else 'scheduled'}")
