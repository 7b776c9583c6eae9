"""`affirm-worker help`."""

from difflib import get_close_matches
from typing import Annotated, Any

import typer

from cli import lazy
from cli.lazy import single
from cli.options import complete
from cli.screen import output
from cli.screen.table import terminal_width
from cli.wording.topics import TOPICS, definitions, topic_lines

EPILOG = """
\b
Examples:
  affirm-worker help
  affirm-worker help jobs list
  affirm-worker help causes
"""
WIDEST = 100
commands = single()


@commands.command("help", epilog=EPILOG)
def help_(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COMMAND|TOPIC", help="A command, such as jobs list; or a topic.", show_default=False,
            autocompletion=complete.topics,
        ),
    ] = None,
) -> None:  # fmt: skip
    """Explains a command or a topic.

    The topics are states, causes, exit-codes, formats and settings. Without an argument it lists all commands and
    topics.
    """
    from cli.main import app

    asked, root = words or [], typer.main.get_command(app)
    width = min(terminal_width(), WIDEST)
    if len(asked) == 1 and asked[0] in TOPICS:
        output.say(*topic_lines(asked[0], width))
        return
    output.say_all(_help_of(root, asked))
    if not asked:
        output.say("", "Topics (affirm-worker help TOPIC):")
        output.say(*definitions([(name, line) for name, (line, _) in TOPICS.items()], width))


def _help_of(root: Any, words: list[str]) -> str:
    """The help text of a command, as its --help prints it; raises BadParameter if there is none of that name."""
    context = root.context_class(
        root, info_name="affirm-worker", terminal_width=lazy.help_width(), **root.context_settings
    )
    command = root
    for number, word in enumerate(words):
        there = list(getattr(command, "commands", {}))
        if word not in there:
            raise _unknown(words[: number + 1], there if number else [*there, *TOPICS])
        command = lazy.command(word) if number == 0 else command.commands[word]
        context = command.context_class(command, info_name=word, parent=context, **command.context_settings)
    return str(command.get_help(context))


def _unknown(words: list[str], there: list[str]) -> typer.BadParameter:
    meant = get_close_matches(words[-1], there, n=1)
    before = "".join(f"{word} " for word in words[:-1])
    hint = f"did you mean {before}{meant[0]}?" if meant else f"there are {', '.join(there)}" if there else "it has none"
    return typer.BadParameter(f"there is no command or topic {' '.join(words)!r}; {hint}")
