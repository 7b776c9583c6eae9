"""`affirm-worker upload`."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.commands.submit import print_submitted, wait_and_sum_up
from cli.given import find_given, known_country
from cli.lazy import single
from cli.options.common import AsJson, RunAt
from cli.options.files import FilesGiven, taking
from cli.screen import output
from cli.screen.sending import open_sending
from cli.session import Session, session
from cli.submitting import open_say, submit_given
from cli.waiting import Timeout, Wait, check_timeout
from cli.wording.hints import error_in_words
from cli.wording.obstacles import unserved_in_words
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, RunError, Temporary
from dataset_jobs.model.outcome import ExitCode, Outcome
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.sentences import counted
from remote.files import RemoteFiles
from remote.uploads import Checked
from services.sources.source import Source
from services.submission import Verdict
from services.submit import FileOptions, SubmittedFile

EPILOG = """
\b
Examples:
  affirm-worker upload yob2023.txt --country US
  affirm-worker upload names/ --country US --recursive --batch "May 2026"
  affirm-worker upload yob*.txt --country US --check
  affirm-worker upload yob2023.txt --country US --wait --timeout 10m
"""
commands = single()


@commands.command(epilog=EPILOG)
@taking(FilesGiven)
def upload(
    given: FilesGiven,
    run_at: RunAt = None,
    batch: Annotated[
        str | None, typer.Option(metavar="NAME", help="A name of your own, by which lists of the API find the files.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only have the API check the files; nothing is kept.")] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Sends files to the API; what is there already is not sent.

    That is the API of AFFIRM_WORKER_API. Three files are sent at a time. It takes the same files as `submit`,
    which does the same if an API is set. Doing it again sends what could not be sent. The exit code is 65
    if any file was refused, and 75 if any could not be sent.

    With --wait it waits until the jobs are over, and sums up; see `affirm-worker submit`.
    """
    check_timeout(timeout, wait=wait)
    if check and (wait or given.split):
        raise typer.BadParameter("it goes without --wait and --split", param_hint="--check")
    if given.dry_run:
        raise typer.BadParameter("--check has the API check the files", param_hint="--dry-run")
    hints = given.hints()
    known_country(given.country)
    with session() as it:
        files = it.files
        if not isinstance(files, RemoteFiles):
            raise Misconfigured(
                "upload needs an API: set AFFIRM_WORKER_API and AFFIRM_WORKER_KEY; submit takes files to a database",
                Reason.CONFIG,
            )
        found = find_given(given.files, it.settings, recursive=given.recursive, name=given.name)
        replaced = [it.client.datasets.find(one) for one in given.replaces or ()]
        options = FileOptions(
            it.client.country(given.country), hints, replaced, given.priority, it.pool, run_at, batch=batch
        )
        if check:
            raise typer.Exit(_check(files, found.sources, options, as_json=as_json))
        submitted = _send(it, files, found.sources, options, split=given.split)
        unserved = None if wait else it.client.unserved(options.pool) if any(one.job_id for one in submitted) else None
        if wait:
            if not as_json:  # refusals are in the summary
                print_submitted([one for one in submitted if one.refusal is None], None, as_json=False)
            raise typer.Exit(wait_and_sum_up(it, submitted, timeout, as_json=as_json) or _exit_code(submitted))
        print_submitted(submitted, unserved is None, as_json=as_json)
        if not as_json:
            output.say(_summary(submitted), to=sys.stderr)
        if unserved is not None:
            output.said_no(unserved_in_words(unserved, options.pool or None))
    if code := _exit_code(submitted):
        raise typer.Exit(code)


def _send(
    it: Session, files: RemoteFiles, sources: Sequence[Source], options: FileOptions, *, split: bool
) -> list[SubmittedFile]:
    with ExitStack() as opened:
        say = opened.enter_context(open_say(it.settings, sources, split=split))
        shown = opened.enter_context(open_sending())
        return submit_given(files.watched(shown), sources, options, it.settings, say, split=split)


def _check(files: RemoteFiles, sources: Sequence[Source], options: FileOptions, *, as_json: bool) -> int:
    """Has files checked, and tells of each; the exit code."""
    checked: list[tuple[str, Checked]] = []
    with ExitStack() as kept:
        local: list[tuple[str, Path]] = []
        for source in sources:
            try:
                local.append((source.shown, kept.enter_context(source.fetch(lambda _: None)).path))
            except (InvalidRequest, Temporary) as refusal:
                checked.append((source.shown, Checked(Path(source.shown), refusal=refusal)))
        answers = files.check([path for _, path in local], options)
        checked += [(shown, one) for (shown, _), one in zip(local, answers, strict=True)]
    if as_json:
        output.print_json([_as_json(shown, one) for shown, one in checked])
    else:
        for shown, one in checked:
            if one.refusal is not None:
                output.said_no(error_in_words(one.refusal))
            elif one.report is not None:
                output.say(*_lines(shown, one.report))
    codes = [int(ExitCode.REJECTED) for _, one in checked if one.report is not None and not one.report["ok"]]
    return _worst([*codes, *(_code_of(one.refusal) for _, one in checked if one.refusal is not None)])


def _as_json(shown: str, one: Checked) -> dict[str, Any]:
    error = None if one.refusal is None else error_in_words(one.refusal)
    return {"file": shown, "ok": bool(one.report and one.report["ok"]), "report": one.report, "error": error}


def _lines(shown: str, report: Mapping[str, Any]) -> list[str]:
    years, rows = report.get("years") or [], report.get("rows") or 0
    span = f", {years[0]}" + (f" to {years[-1]}" if len(years) > 1 else "") if years else ""
    if report["ok"]:
        known = f"; it is dataset {report['dataset_id']} already" if report.get("dataset_id") else ""
        return [f"{shown}: ok, {report.get('parser')}, {counted(rows, 'row')}{span}{known}"]
    problems = [_problem(one) for one in report.get("problems") or ()]
    overlaps = [f"dataset {one['dataset_id']} ({one['filename']}) counts for the same" for one in report["overlaps"]]
    return [f"{shown}: not ok", *(f"  {line}" for line in (*problems, *overlaps))]


def _problem(one: Mapping[str, Any]) -> str:
    places = [f"{name} {one[name]}" for name in ("member", "sheet", "cell", "line", "column") if one.get(name)]
    return ": ".join(filter(None, [", ".join(places), str(one["reason"])]))


def _exit_code(submitted: Sequence[SubmittedFile]) -> int:
    return _worst(_code_of(one.refusal) for one in submitted if one.refusal is not None)


def _code_of(refusal: RunError) -> int:
    return int(Outcome.of_error(refusal).exit_code)


def _worst(codes: Iterable[int]) -> int:
    """75 if a later try may help, else 65 or what all have in common."""
    different = {*codes}
    if ExitCode.UNAVAILABLE in different:
        return int(ExitCode.UNAVAILABLE)
    return int(ExitCode.REJECTED) if len(different) > 1 else next(iter(different), 0)


def _summary(submitted: Sequence[SubmittedFile]) -> str:
    """How many were sent, were there, were refused, could not be sent."""
    there = sum(one.done is not None and one.done.verdict is Verdict.UNCHANGED for one in submitted)
    sent = sum(one.done is not None for one in submitted) - there
    away = sum(isinstance(one.refusal, Temporary) for one in submitted)
    refused = sum(one.refusal is not None for one in submitted) - away
    parts = [f"{sent:,} sent", f"{there:,} there already"]
    parts += [f"{refused:,} refused"] if refused else []
    parts += [f"{away:,} not sent: doing it again sends them"] if away else []
    return f"{counted(len(submitted), 'file')}: {', '.join(parts)}"
