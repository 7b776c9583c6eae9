"""`--context`, which every command has, and the program itself: it may stand before or after the command."""

from typing import Annotated, Any

import typer

from cli.options import complete

_given: str | None = None
_direct = False


def chosen() -> str | None:
    """The context that was given on the command line."""
    return _given


def before_the_command(name: str | None) -> None:
    """Takes the context that stands before the command, if there is one."""
    global _given  # noqa: PLW0603 - a process is one command
    _given = name


def is_direct() -> bool:
    """Whether the database is to be asked, though the settings name an API."""
    return _direct


def take_direct(wanted: bool) -> None:
    """Takes --direct, before or after the command."""
    global _direct  # noqa: PLW0603 - a process is one command
    _direct = _direct or wanted


def begin_anew() -> None:
    """Forgets the options of a command before."""
    global _given, _direct
    _given, _direct = None, False


def _after_the_command(name: str | None) -> None:
    if name is not None:
        before_the_command(name)


_DIRECT_HELP = "Ask the database, though the settings name an API."
Direct = Annotated[bool, typer.Option("--direct", help=_DIRECT_HELP)]
_HELP = "Use the settings of this context: see affirm-worker context."
Context = Annotated[str | None, typer.Option("--context", metavar="NAME", help=_HELP, autocompletion=complete.contexts)]


def add_to(command: Any) -> Any:
    """The command, with the option added to it, or to each command of a group."""
    children = getattr(command, "commands", None)
    if children is None:
        command.params.extend(_options())
    for child in (children or {}).values():
        add_to(child)
    return command


def _options() -> list[Any]:
    """As typer makes it."""

    def has_it(
        context: Annotated[
            str | None,
            typer.Option(
                "--context", metavar="NAME", help=_HELP, callback=_after_the_command, expose_value=False,
                autocompletion=complete.contexts,
            ),
        ] = None,
        direct: Annotated[
            bool, typer.Option("--direct", help=_DIRECT_HELP, callback=take_direct, expose_value=False, hidden=True)
        ] = False,
    ) -> None:  # fmt: skip
        pass

    alone = typer.Typer(rich_markup_mode=None, add_completion=False)
    alone.command()(has_it)
    return typer.main.get_command(alone).params[:2]
