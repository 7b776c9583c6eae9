"""`affirm-worker submit`."""

from typing import Annotated

import typer

from cli import output
from cli.hints import error_in_words
from cli.lazy import single
from cli.options import AsJson, Country, Files, Priority, Replaces, RunAt, Sex, Year
from cli.session import session
from cli.submissions import Submitter
from dataset_jobs.model.outcome import ExitCode

EPILOG = """
\b
Examples:
  affirm-worker submit yob2023.txt --country US
  affirm-worker submit names/*.txt --country US --priority 10
  affirm-worker submit yob2023.txt --country US --run-at 2026-12-01T03:00
  affirm-worker submit renamed.txt --country US --year 2023
  affirm-worker submit corrected.txt --country US --replaces 0f9c5d4e
  affirm-worker submit yob2023.txt --country US --dry-run --json
"""
commands = single()


@commands.command(epilog=EPILOG)
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
    if replaces and len(files) > 1:
        raise typer.BadParameter("goes with one file at a time", param_hint="--replaces")
    with session() as it:
        replaced = [it.store.dataset_id(given) for given in replaces or ()]
        submitter = Submitter(it.store, it.settings, country, year, sex, priority, dry_run, replaced, run_at)
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
                output.said_no(error_in_words(one.refusal))
    if any(one.refusal is not None for one in submitted):
        raise typer.Exit(ExitCode.REJECTED)
