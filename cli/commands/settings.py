"""`affirm-worker settings`."""

import sys
from typing import Annotated, Any

import typer

from app.settings import Settings, read
from app.settings.near_misses import nearest
from app.settings.reading import Source
from app.settings.views import SettingView, setting_views
from cli.begin import warn
from cli.lazy import single
from cli.options import context as context_option
from cli.options.common import AsJson, ShownColumns, Wide
from cli.screen import output
from cli.screen.table import Column, chosen
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.text import one_line
from services.to_json import to_json

EPILOG = """
\b
Examples:
  affirm-worker settings
  affirm-worker settings database_url storage_type
  affirm-worker settings --context prod --json
"""
SETTINGS = [
    Column("setting"),
    Column("value", text=True),
    Column("from", text=True),
    Column("purpose", text=True, spare=1),
]
commands = single()


@commands.command(epilog=EPILOG)
def settings(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Only these, with their docs.")] = None,
    wide: Wide = False,
    columns: ShownColumns = None,
    as_json: AsJson = False,
) -> None:
    """Shows every setting with its value and its origin.

    Environment variables win over the context in use (see `affirm-worker context`), and that over the defaults.
    Passwords are hidden. All wrong values are listed at once; the exit code is 78 then.
    """
    wanted = {_known(name) for name in names or ()}
    reading = read(context_option.chosen())
    warn(reading)
    found = [one for one in setting_views(reading) if one.name in wanted or not wanted]
    if as_json:
        output.print_json([_as_json(one) for one in found])
    elif wanted:
        for number, one in enumerate(found):
            output.say(*([""] if number else []), *_docs(one))
    else:
        output.print_table(
            SETTINGS, [[one.name, _value(one), _origin(one), one.purpose] for one in found], "", chosen(columns, wide)
        )
        if reading.context is not None:
            output.say("", f"context {reading.context.name} is in {reading.context.config.path}", to=sys.stderr)
    for problem in reading.problems.values():
        output.said_no(problem)
    if reading.problems:
        raise typer.Exit(ExitCode.CONFIGURATION)


def _known(name: str) -> str:
    variable = name.upper()
    if variable.lower() not in Settings.model_fields:
        near = nearest(name, Settings.model_fields)
        hint = f"did you mean {near.upper()}?" if near else "affirm-worker settings lists all"
        raise typer.BadParameter(f"{one_line(name)} is not a setting; {hint}", param_hint="NAME")
    return variable


def _value(one: SettingView) -> str | None:
    if one.error:
        return "wrong, see below"
    if one.value is None and one.source is Source.DEFAULT:
        return one.default.replace("`", "") or None
    return one.value


def _origin(one: SettingView) -> str:
    if one.source is not Source.CONTEXT:
        return str(one.source)
    line = f", line {one.line}" if one.line else ""
    secret = f", {one.from_secret}" if one.from_secret else ""
    return f"context {one.context}{line}{secret}"


def _docs(one: SettingView) -> list[str]:
    pairs = [
        ("value", _value(one)),
        ("from", _origin(one) + (f" of {one.file}" if one.file else "")),
        ("default", one.default.replace("`", "")),
        ("allowed", one.allowed),
        ("purpose", one.purpose.replace("`", "")),
    ]
    return [one.name, *(f"  {name:<9}{value}" for name, value in pairs if value)]


def _as_json(one: SettingView) -> dict[str, Any]:
    document: dict[str, Any] = to_json(one)
    return document
