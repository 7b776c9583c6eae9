"""`affirm-worker context`: the contexts of the config file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app.settings import Settings
from app.settings.config_edit import add, remove, use
from app.settings.config_file import SHORT_NAMES, ConfigFile, Entry, config_path, read_config
from app.settings.near_misses import nearest
from app.settings.reading import chosen_context, wrong_values
from app.settings.secrets import secret_of
from app.settings.views import shown_entry
from cli.lazy import group
from cli.options import complete
from cli.options import context as context_option
from cli.options.common import AsJson, Yes
from cli.screen import output
from cli.screen.table import Column
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.text import one_line

LIST_EPILOG = """
\b
Examples:
  affirm-worker context list
  affirm-worker context list --json
"""
USE_EPILOG = """
\b
Examples:
  affirm-worker context use prod
  affirm-worker context use --none
"""
SHOW_EPILOG = """
\b
Examples:
  affirm-worker context show
  affirm-worker context show prod --json
"""
ADD_EPILOG = """
\b
Examples:
  affirm-worker context add laptop affirm_worker_home=~/names
  affirm-worker context add prod database_url=postgresql://me@db/names storage_type=s3 storage_s3_bucket=names
  affirm-worker context add prod 'database_url={command = ["pass", "show", "names/prod"]}'
  affirm-worker context add prod 'database_url={file = "~/.names-url"}'
"""
REMOVE_EPILOG = """
\b
Examples:
  affirm-worker context remove laptop --yes
"""
CONTEXTS = [
    Column("context"),
    Column("in use"),
    Column("database", text=True),
    Column("storage", text=True, spare=1),
    Column("problem", below="affirm-worker settings --context NAME"),
]
commands = group("context")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The context.")]
KnownName = Annotated[str, typer.Argument(metavar="NAME", help="The context.", autocompletion=complete.contexts)]


@commands.command("list", epilog=LIST_EPILOG)
def list_(as_json: AsJson = False) -> None:
    """Lists the contexts, and which one is in use.

    They are in ~/.config/affirm-worker/config.toml, or in the file that AFFIRM_WORKER_CONFIG names. No command is
    run for a secret.
    """
    config = read_config()
    used, _ = _in_use(config)
    rows = [_described(config, name, used) for name in config.names] if config else []
    if as_json:
        output.print_json([{"context": one[0], "in_use": one[1] is not None, "database": one[2], "storage": one[3],
                            "error": one[4]} for one in rows])  # fmt: skip
    else:
        path = config.path if config else config_path()[0]
        output.print_table(CONTEXTS, rows, f"there are no contexts in {path}: affirm-worker context add NAME KEY=VALUE")


@commands.command("use", epilog=USE_EPILOG)
def use_(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The context.", autocompletion=complete.contexts)
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Use none: the environment and the defaults alone.")] = False,
) -> None:
    """Makes a context the one that all commands use from now on.

    It changes the line `current` of the config file. --context and AFFIRM_WORKER_CONTEXT name another one for one
    command, or for one terminal.
    """
    if (name is None) != none:
        raise typer.BadParameter("give either a NAME or --none")
    path = use(name)
    output.say("no context is in use now" if name is None else f"context {name} is in use now, as {path} says")


@commands.command("show", epilog=SHOW_EPILOG)
def show(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="The context; without it, the one in use.", autocompletion=complete.contexts
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Shows the settings of a context, without passwords.

    No command is run for a secret: `affirm-worker settings` does that, and shows what the environment changes.
    """
    used = chosen_context(name or context_option.chosen())
    if used is None:
        raise InvalidRequest("no context is in use: name one, or type affirm-worker context list")
    values = {key: shown_entry(key, entry) for key, entry in used.entries.items()}
    by = None if name else str(used.chosen_by)
    if as_json:
        output.print_json({"context": used.name, "chosen_by": by, "file": used.config.path,
                           "line": used.config.line("contexts", used.name), "settings": values})  # fmt: skip
        return
    output.say(f"context {used.name}" + (f", chosen by {by}" if by else ""))
    output.say(f"in {used.config.at('contexts', used.name)}")
    output.say(*(f"  {key:<25} {value}" for key, value in values.items()))


@commands.command("add", epilog=ADD_EPILOG)
def add_(
    name: Name,
    pairs: Annotated[list[str], typer.Argument(metavar="KEY=VALUE", help="Settings, by their names in small letters.")],
) -> None:
    """Adds a context to the config file, which is made if it is missing.

    A password is better not in it, nor in your shell's history: a command or another file can have it.
    """
    values = dict(map(_pair, pairs))
    texts = {SHORT_NAMES.get(key, key): value for key, value in values.items() if isinstance(value, str)}
    wrong = wrong_values(texts)
    if wrong:
        raise Misconfigured("; ".join(wrong))
    output.say(f"added context {name} to {add(name, values)}; to use it: affirm-worker context use {name}")


@commands.command("remove", epilog=REMOVE_EPILOG)
def remove_(name: KnownName, yes: Yes = False) -> None:
    """Removes a context from the config file; no database and no file is touched.

    Asks first; without a terminal it needs --yes.
    """
    output.agree(f"Remove context {name}?", yes=yes)
    output.say(f"removed context {name} from {remove(name)}")


def _in_use(config: ConfigFile | None) -> tuple[str | None, str | None]:
    """The name of the context in use, and who has chosen it."""
    try:
        used = chosen_context(context_option.chosen())
    except Misconfigured:  # the list shows what is there
        return (config.current if config else None), None
    return (used.name, str(used.chosen_by)) if used else (None, None)


def _described(config: ConfigFile, name: str, used: str | None) -> list[Any]:
    mark = "yes" if name == used else None
    try:
        entries = config.context(name)
    except Misconfigured as error:
        return [name, mark, None, None, str(error)]
    if api := _shown(entries, "affirm_worker_api"):
        return [name, mark, f"API {api}", None, None]
    home = _shown(entries, "affirm_worker_home")
    embedded = f"embedded, {home}/postgres" if home else "embedded"
    return [name, mark, _shown(entries, "database_url") or embedded, _storage(entries, home), None]


def _storage(entries: Mapping[str, Entry], home: str | None) -> str | None:
    if _shown(entries, "storage_type") != "s3":
        return _shown(entries, "storage_path") or (f"{home}/storage" if home else None)
    return "s3://" + "/".join(
        filter(None, [_shown(entries, "storage_s3_bucket"), _shown(entries, "storage_s3_prefix")])
    )


def _shown(entries: Mapping[str, Entry], name: str) -> str | None:
    return shown_entry(name, entries[name]) if name in entries else None


def _pair(given: str) -> tuple[str, Any]:
    """A setting and its value: a text, or what TOML in braces says."""
    key, equals, value = given.partition("=")
    key = key.strip().lower()
    if not equals or not value:
        raise typer.BadParameter(f"expected KEY=VALUE, found {one_line(key)!r}", param_hint="KEY=VALUE")
    if SHORT_NAMES.get(key, key) not in Settings.model_fields:
        near = nearest(key, Settings.model_fields)
        hint = f"did you mean {near}?" if near else "affirm-worker settings lists all"
        raise typer.BadParameter(f"{one_line(key)} is not a setting; {hint}", param_hint="KEY=VALUE")
    if not value.startswith("{"):
        if one_line(value) != value:
            raise typer.BadParameter(f"{key}: control characters, or not UTF-8", param_hint="KEY=VALUE")
        return key, value
    try:
        table = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        table = None
    if secret_of(table, Path()):
        return key, table
    raise typer.BadParameter(
        f'{key}: expected {{command = ["program", "argument"]}} or {{file = "path"}}', param_hint="KEY=VALUE"
    )
