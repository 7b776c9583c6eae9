"""Makes docs/cli.md and docs/settings.md: `python -m cli.document cli > docs/cli.md`, likewise `settings`.

Tests compare the two files with what this makes.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from pydantic.fields import FieldInfo

from app.settings import Settings, allowed
from cli import lazy
from cli.main import app
from dataset_jobs.model.durations import format_duration

WIDTH = 100
"""Columns of the help texts."""


def cli_page() -> str:
    """docs/cli.md: the help text of every command."""
    parts = ["# The command line\n\nMade from the help texts: `make docs`.\n"]
    parts += [f"\n## {path}\n\n```text\n{text}\n```\n" for path, text in help_texts()]
    return "".join(parts)


def help_texts() -> Iterator[tuple[str, str]]:
    """Every command's name and help text, the whole program's first."""
    yield from _help_texts(typer.main.get_command(app), "affirm-worker", None)


def settings_page() -> str:
    """docs/settings.md: the table of settings."""
    rows = [
        "| variable | default | allowed | what it is for |",
        "| --- | --- | --- | --- |",
        *(f"| `{name.upper()}` | {_default(field)} | {allowed(field)} | {field.description} |" for name, field in
          Settings.model_fields.items()),
    ]  # fmt: skip
    return f"# Settings\n\n{SETTINGS_INTRODUCTION}\n\n" + "\n".join(rows) + "\n"


SETTINGS_INTRODUCTION = """\
Environment variables; an empty one is as good as none. They are checked when a command starts, and a wrong one is
refused by its name, its value and what is allowed (exit code 78). A password is never shown. Durations are numbers
with units: `500ms`, `5s`, `1m30s`, `2h`, `7d`.

S3 credentials, region and profile are what boto3 finds: an IAM role, or the `AWS_*` variables.

This page is made from the code: `make docs`."""


def _help_texts(command: Any, path: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(
        command, info_name=path.rpartition(" ")[2], parent=parent, terminal_width=WIDTH, **command.context_settings
    )
    yield path, inspect.cleandoc(command.get_help(context)).rstrip()
    for name, child in getattr(command, "commands", {}).items():
        yield from _help_texts(lazy.command(name) if parent is None else child, f"{path} {name}", context)


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    assert isinstance(extra, dict)
    if extra["shown"] is not None:
        return str(extra["shown"])
    value = field.default
    if isinstance(value, timedelta):
        return format_duration(value)
    return "" if value is None else str(value)


PAGES: dict[str, Callable[[], str]] = {"cli": cli_page, "settings": settings_page}
"""What can be made."""

FOLDER = Path(__file__).parent.parent / "docs"
"""Where the pages are, in a clone."""


if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
