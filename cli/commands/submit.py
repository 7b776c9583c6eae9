"""`affirm-worker submit`."""

import sys
import time
from datetime import timedelta
from typing import Any

import typer

from cli.exit_codes import INTERRUPTED
from cli.given import find_given, known_country
from cli.lazy import single
from cli.options.common import AsJson, RunAt
from cli.options.files import FilesGiven, taking
from cli.screen import output
from cli.screen.table import Column
from cli.session import Session, session
from cli.submitting import open_say, submit_given
from cli.waiting import GO_ON, Timeout, Wait, check_timeout, wait_for
from cli.wording.hints import error_in_words
from cli.wording.obstacles import unserved_in_words
from cli.wording.summary import print_summary, sum_up
from cli.wording.typed import typed
from dataset_jobs.model.outcome import ExitCode, Outcome
from services.jobs import Others
from services.submission import Verdict
from services.submit import FileOptions, SubmittedFile

EPILOG = """
\b
Examples:
  affirm-worker submit yob2023.txt --country US
  affirm-worker submit names/ --country US --recursive --priority 10
  affirm-worker submit https://www.example.org/names/yob2023.txt --country US
  affirm-worker submit s3://bucket/names/ --country US
  cat yob2023.txt | affirm-worker submit - --name yob2023.txt --country US
  affirm-worker submit yob2023.txt --country US --run-at 2026-12-01T03:00
  affirm-worker submit renamed.txt --country US --year 2023
  affirm-worker submit Vornamen.csv --country DE --year 2020 --region DE-NW-05315
  affirm-worker submit corrected.txt --country US --replaces 0f9c5d4e
  affirm-worker submit namesbystate.zip --country US --split
  affirm-worker submit yob2023.txt --country US --wait --timeout 10m
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
@taking(FilesGiven)
def submit(
    given: FilesGiven, run_at: RunAt = None, wait: Wait = False, timeout: Timeout = None, as_json: AsJson = False
) -> None:
    """Stores files and enqueues a job for each.

    A controller then runs them: see `affirm-worker run`. Without one they wait, and a line says so. A file
    that is known already is not loaded twice: a dataset without rows is corrected or retried, a loaded one
    is left alone. A refused file does not stop the others; the exit code is 65 then, or 75 if none of them
    could be fetched now.

    Of a folder, and of an s3:// address that ends with /, it takes the files that lie directly in it. It
    passes over hidden files and those that are no lists, such as README or PDF, and names them.

    A file that covers what another dataset counts for (same country, region, measure, year and sex) is
    refused when it is loaded, unless it --replaces that one. Deleting it undoes that.

    An archive is one dataset, unless its files are of several regions, as those of namesbystate.zip: with
    --split each text file in it is a dataset of its own. So is each region of a list of several, such as
    INSEE's dpt2021.csv. Doing it again changes nothing.

    With --wait it shows the progress until the jobs are over, and sums up as `load` does: the exit code is 0 if
    every file is loaded, 1 if some are not, 75 after the --timeout, 130 after Ctrl-C. The jobs stay in the queue
    then.
    """
    if wait and given.dry_run:
        raise typer.BadParameter("nothing is to be waited for after a dry run", param_hint="--wait")
    check_timeout(timeout, wait=wait)
    hints = given.hints()
    known_country(given.country)  # before a database is started for nothing
    with session() as it:
        found = find_given(given.files, it.settings, recursive=given.recursive, name=given.name)
        replaced = [it.client.datasets.find(one) for one in given.replaces or ()]
        options = FileOptions(
            it.client.country(given.country), hints, replaced, given.priority, it.pool, run_at, given.dry_run
        )  # fmt: skip
        with open_say(it.settings, found.sources, split=given.split) as say:
            submitted = submit_given(it.files, found.sources, options, it.settings, say, split=given.split)
        waiting = any(one.job_id is not None for one in submitted)
        unserved = it.client.unserved(options.pool) if waiting and not given.dry_run else None
        if wait:
            if not as_json:  # refusals are in the summary
                print_submitted([one for one in submitted if one.refusal is None], None, as_json=False)
            raise typer.Exit(wait_and_sum_up(it, submitted, timeout, as_json=as_json))
        print_submitted(submitted, None if given.dry_run else unserved is None, as_json=as_json)
        if unserved is not None:
            output.said_no(unserved_in_words(unserved, options.pool))
    if code := exit_code_of(submitted):
        raise typer.Exit(code)


def print_submitted(submitted: list[SubmittedFile], controller_running: bool | None, *, as_json: bool) -> None:
    """Prints what became of each file.

    Args:
        submitted: the files.
        controller_running: whether a controller claims their jobs; None if nothing was done.
        as_json: for programs.
    """
    if as_json:
        output.print_json([_as_json(one) | {"controller_running": controller_running} for one in submitted])
        return
    done = [[one.path, _result(one), one.dataset_id, one.job_id] for one in submitted if one.refusal is None]
    if done or not submitted:
        output.print_table(RESULTS, done, "nothing submitted")
    for one in submitted:
        if one.refusal is not None:
            output.said_no(error_in_words(one.refusal))


def exit_code_of(submitted: list[SubmittedFile]) -> int:
    """0 if nothing was refused; what all refusals have in common, else 65."""
    codes = {int(Outcome.of_error(one.refusal).exit_code) for one in submitted if one.refusal is not None}
    return ExitCode.REJECTED if len(codes) > 1 else next(iter(codes), 0)


def wait_and_sum_up(it: Session, submitted: list[SubmittedFile], timeout: timedelta | None, *, as_json: bool) -> int:
    """Waits for the files' jobs, and sums up. Returns the exit code."""
    began = time.monotonic()
    waited = wait_for(it, {one.job_id for one in submitted if one.job_id is not None}, timeout)
    # A summary for people that is interrupted says how to run a controller.
    interrupted = as_json and waited.exit_code == INTERRUPTED
    try:
        summary = sum_up(it.client, submitted, time.monotonic() - began, interrupted=interrupted, others=Others())
        print_summary(summary, it.place, as_json)
    finally:  # the database may be away
        if waited.broken_off:
            output.say(f"{waited.broken_off}: {typed(GO_ON)}", to=sys.stderr)
    return waited.exit_code or summary.exit_code


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
