"""Commands that are imported when they are called: `affirm-worker --help` imports none of them."""

import shutil
import textwrap
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from cli.options import context as context_option
from cli.screen.prose import fitted

SHORT_HELPS = {
    "load": "Loads files, all in one, and sums up the results.",
    "submit": "Stores files and enqueues a job for each.",
    "upload": "Sends files to the API; what is there already is not sent.",
    "reprocess": "Enqueues a job that loads a dataset again.",
    "status": "Shows pools, queues, slots, controllers, and what goes wrong.",
    "watch": "Shows how the installation is, all the time, with keys to act.",
    "doctor": "Checks whether everything works, and says what puts it right.",
    "run": "Runs a controller, until it is stopped or idle.",
    "serve": "Serves the HTTP API and its pages, alone or with a controller.",
    "parse": "Prints the rows of a file as CSV, or a report of it.",
    "migrate": "Brings the database to the schema of this version.",
    "psql": "Opens psql on the database.",
    "db": "Keep the embedded Postgres up, for notebooks and other tools.",
    "jobs": "Look at jobs and their runs; change jobs.",
    "datasets": "Look at datasets, and delete them.",
    "pools": "Look at pools; pause them, resume them, probe blocked ones, set their limits.",
    "schedules": "Submit what is new in a folder of storage or at an address, again and again.",
    "parsers": "The formats that can be read.",
    "keys": "Keys of the HTTP API: make, list and revoke them.",
    "openapi": "Prints the OpenAPI document of the HTTP API.",
    "settings": "Shows every setting with its value and its origin.",
    "context": "Named settings in a config file: databases, storages.",
    "completion": "Prints the script by which a shell completes words.",
    "help": "Explains a command or a topic.",
}
"""The commands, in the order of the help text, and its line about each. `cli/commands` has a module of each name."""


def help_width() -> int | None:
    """The columns of help texts on a narrow terminal; None on any other: there click finds them itself."""
    columns = shutil.get_terminal_size((80, 24)).columns
    return max(columns, 20) if columns < _CLICKS_LEAST else None


_CLICKS_LEAST = 52
"""Without being told, click takes no fewer, and the terminal breaks the words."""


def single() -> typer.Typer:
    """What a module registers its one command with, as `commands`."""
    return typer.Typer(rich_markup_mode=None, add_completion=False)


def group(name: str) -> typer.Typer:
    """What the module of a group registers its commands with, as `commands`."""
    made = typer.Typer(
        name=name,
        cls=WholeHelp,
        help=SHORT_HELPS[name],
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=False,
    )
    made.callback()(_nothing)  # a group, even if it has one command
    return made


def command(name: str) -> Any:
    """The command or group of this name, which is imported now."""
    return context_option.add_to(typer.main.get_command(import_module(f"cli.commands.{name}").commands))


def add_to(app: typer.Typer) -> None:
    """Adds every command by its name and short help."""
    for name, short_help in SHORT_HELPS.items():
        app.command(name, help=short_help)(_nothing)


# A name such as affirm-worker or --run-at, and an id, is one word: no help text breaks it.
textwrap.TextWrapper.wordsep_re = textwrap.TextWrapper.wordsep_simple_re

_Context: Any = TyperGroup.context_class


class _Formatter(_Context.formatter_class):  # type: ignore[misc]
    """Fits the lines of tables too, which click leaves as they are; never a command."""

    def getvalue(self) -> str:
        """The help text."""
        lines = super().getvalue().split("\n")
        return "\n".join(
            part
            for line in lines
            for part in (
                fitted(line, self.width) if len(line) > self.width and "affirm-worker " not in line else [line]
            )
        )


_Context.formatter_class = _Formatter


class WholeHelp(TyperGroup):
    """Says the first sentence about each command, whole, on as many lines as it takes."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of commands in the help text."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, one.get_short_help_str(_SENTENCE)) for name, one in found if one is not None and not one.hidden]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


_SENTENCE = 1000
"""Characters that a sentence may have."""


class LazyGroup(WholeHelp):
    """Knows its commands by name and short help, and imports the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the arguments name."""
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and name and command(name), rest


def _nothing() -> None:
    pass
