"""`affirm-worker doctor`."""

import logging
import textwrap
from contextlib import ExitStack
from importlib.metadata import version
from typing import Annotated, Any

import typer

from cli.checks import Patient
from cli.lazy import single
from cli.options import complete
from cli.options.common import AsJson
from cli.screen import output
from cli.screen.table import terminal_width
from cli.wording.hints import command
from cli.wording.obstacles import in_the_way
from services.checks.checkup import Checked, check_up
from services.checks.findings import Finding, Fix, Verdict
from services.to_json import to_json

EPILOG = """
The checks: settings, database, schema, rights (of the role in DATABASE_URL), logins (of controllers, runners and the
owner), runner (the login in RUNNER_DATABASE_URL), storage, cluster, parsers, descriptions (of lists that datasets came
with), space (on disks), machine (its memory), controllers, queue.
The exit code is 1 if anything is wrong; warnings leave it at 0.

\b
Examples:
  affirm-worker doctor
  affirm-worker doctor storage space
  affirm-worker doctor --cluster
  affirm-worker doctor --json
"""
_VERDICT, _NAME = 9, 13
"""Columns of the first two words."""

_MOST_COLUMNS = 120
commands = single()


@commands.command(epilog=EPILOG)
def doctor(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CHECK]...", help="Only these checks; all without any.", autocompletion=complete.checks
        ),
    ] = None,
    cluster: Annotated[
        bool,
        typer.Option(
            "--cluster", help="Look at the cluster of KUBECONFIG or of this pod; RUNNER_CONFIG asks for it as well."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Checks whether everything works, and says what puts it right.

    Each check is ok, a warning, wrong, or skipped because something that it needs is wrong. The command that puts
    it right stands on a line of its own. Nothing is changed: no migration is applied and no job is started. Storage
    gets a small file, which is removed at once. A check that has no answer within 10 seconds is given up.
    """
    with ExitStack() as opened:
        # What is worth saying is a finding.
        logging.disable(logging.ERROR)
        opened.callback(logging.disable, logging.NOTSET)
        patient = Patient(cluster or "cluster" in (names or ()), opened)
        checked: list[Checked] = []
        for one in check_up(patient.checks(), names or ()):
            if not one.findings and one.name == "cluster":
                continue  # nothing asks for it
            checked.append(one)
            if not as_json:
                output.say_states(*_lines(one, min(terminal_width(), _MOST_COLUMNS)))
        is_wrong = any(one.verdict is Verdict.WRONG for one in checked)
        if as_json:
            found = {"ok": not is_wrong, "checks": [_as_data(one) for one in checked]}
            output.print_json({"version": version("affirm-worker"), **found})
        else:
            output.say("", _summary(checked))
    if is_wrong:
        raise typer.Exit(1)


def _as_data(one: Checked) -> dict[str, Any]:
    """A check with its sentences and lines as people see them."""
    findings = [
        {
            **to_json(finding),
            "says": _says(finding),
            "fixes": [{**to_json(fix), "line": _typed(fix)} for fix in finding.fixes],
        }
        for finding in one.findings
    ]
    return {"name": one.name, "verdict": one.verdict, "findings": findings}


def _lines(one: Checked, width: int) -> list[str]:
    lines = []
    indent = " " * (_VERDICT + _NAME)
    for finding in one.findings:
        start = f"{finding.verdict:<{_VERDICT}}{one.name:<{_NAME}}"
        lines += textwrap.wrap(
            _says(finding), width, initial_indent=start, subsequent_indent=indent, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
        for fix in finding.fixes:
            if fix.by:
                lines += textwrap.wrap(f"{fix.by}:", width, initial_indent=indent, subsequent_indent=indent)
            # Whole, however long: it is there to be copied.
            lines.append(f"{indent}  {_typed(fix)}")
    return lines


def _says(finding: Finding) -> str:
    return in_the_way(finding.obstacle) if finding.obstacle is not None else finding.says


def _typed(fix: Fix) -> str:
    return command(fix.hint) if fix.hint is not None else fix.sql or fix.shell


def _summary(checked: list[Checked]) -> str:
    """How many of the lines above begin with each verdict: some checks find several things."""
    found = [finding.verdict for one in checked for finding in one.findings]
    counts = [(verdict, found.count(verdict)) for verdict in Verdict]
    return ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
