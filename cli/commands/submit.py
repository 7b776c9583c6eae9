"""`affirm-worker submit`."""

from typing import Annotated, Any

import typer

from app.file_storage import storage_config
from cli import output
from cli.described import with_description
from cli.hints import error_in_words
from cli.lazy import single
from cli.options import (
    AsJson,
    Columns,
    Country,
    DescriptionFile,
    Files,
    Format,
    Measure,
    Priority,
    Region,
    Replaces,
    RunAt,
    Sex,
    Year,
    check_replaces,
)
from cli.progress import open_display
from cli.session import session
from cli.split import Split, submit_split
from cli.table import Column
from dataset_jobs.model.file_hints import FileHints
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.storage import open_storage
from services.submission import Verdict
from services.submit import FileOptions, SubmittedFile

EPILOG = """
\b
Examples:
  affirm-worker submit yob2023.txt --country US
  affirm-worker submit names/*.txt --country US --priority 10
  affirm-worker submit yob2023.txt --country US --run-at 2026-12-01T03:00
  affirm-worker submit renamed.txt --country US --year 2023
  affirm-worker submit Vornamen.csv --country DE --year 2020 --region DE-NW-05315
  affirm-worker submit corrected.txt --country US --replaces 0f9c5d4e
  affirm-worker submit namesbystate.zip --country US --split
  affirm-worker submit yob2023.txt --country US --dry-run --json
"""
RESULTS = [
    Column("file", text=True, keeps_end=True),
    Column("result"),
    Column("dataset"),
    Column("job"),
]
commands = single()


@commands.command(epilog=EPILOG)
def submit(
    files: Files,
    country: Country,
    year: Year = None,
    sex: Sex = None,
    format_: Format = None,
    region: Region = None,
    columns: Columns = None,
    description: DescriptionFile = None,
    measure: Measure = None,
    split: Split = False,
    replaces: Replaces = None,
    priority: Priority = 0,
    run_at: RunAt = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Stores files and enqueues a job for each.

    A controller then runs them: see `affirm-worker run`. A file that is known already is not loaded
    twice: a dataset without rows is corrected or retried, a loaded one is left alone. A refused file does
    not stop the others; the exit code is 65 then.

    A file that covers what another dataset counts for (same country, region, measure, year and sex) is
    refused when it is loaded, unless it --replaces that one. Deleting it undoes that.

    An archive is one dataset, unless its files are of several regions, as those of namesbystate.zip: with
    --split each text file in it is a dataset of its own. So is each region of a list of several, such as
    INSEE's dpt2021.csv. Doing it again changes nothing.
    """
    check_replaces(replaces, files, split=split)
    hints = with_description(
        FileHints(year=year, sex=sex, format=format_, region=region), columns, description, measure
    )
    with session() as it:
        replaced = [it.client.datasets.find(given) for given in replaces or ()]
        options = FileOptions(it.client.country(country), hints, replaced, priority, it.settings.pool, run_at, dry_run)
        storage = open_storage(storage_config(it.settings))
        if split:
            with open_display(it.settings) as display:
                submitted = submit_split(it.client, storage, files, options, it.settings.limits, display.say)
        else:
            submitted = it.client.submit_files(storage, files, options)
    if as_json:
        output.print_json([_as_json(one) for one in submitted])
    else:
        output.print_table(
            RESULTS,
            [[one.path, _result(one), one.dataset_id, one.job_id] for one in submitted if one.refusal is None],
            "nothing submitted",
        )
        for one in submitted:
            if one.refusal is not None:
                output.said_no(error_in_words(one.refusal))
    if any(one.refusal is not None for one in submitted):
        raise typer.Exit(ExitCode.REJECTED)


def _result(one: SubmittedFile) -> str:
    """The result for a file, in a word or two."""
    if one.done is None:
        return "refused"
    if one.done.verdict is Verdict.RESTORED:
        return "stored again"
    return "already loaded" if one.loaded and one.job_id is None else str(one.done.verdict)


def _as_json(one: SubmittedFile) -> dict[str, Any]:
    return {
        "file": one.path,
        "result": one.done.verdict if one.done else "refused",
        "dataset_id": one.dataset_id,
        "job_id": one.job_id,
        "loaded": one.loaded,
        "error": None if one.refusal is None else error_in_words(one.refusal),
    }
