"""docs/cli.md, from the help texts."""

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from cli import lazy
from cli.main import app
from docs.generate import DOCS

PAGE = DOCS / "cli.md"

WIDTH = 100
"""Columns of the help texts."""


def page() -> str:
    """The help text of every command."""
    parts = ["# The command line\n\nMade from the help texts: `make docs`.\n"]
    parts += [f"\n## {path}\n\n```text\n{text}\n```\n" for path, text in help_texts()]
    return "".join(parts)


def help_texts() -> Iterator[tuple[str, str]]:
    """Every command's name and help text, the whole program's first."""
    yield from _help_texts(typer.main.get_command(app), "affirm-worker", None)


def _help_texts(command: Any, path: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.context_class(
        command, info_name=path.rpartition(" ")[2], parent=parent, terminal_width=WIDTH, **command.context_settings
    )
    yield path, inspect.cleandoc(command.get_help(context)).rstrip()
    for name, child in getattr(command, "commands", {}).items():
        yield from _help_texts(lazy.command(name) if parent is None else child, f"{path} {name}", context)
