"""Sentences on a terminal: they break between words, and a command to type has a line of its own."""

import re
from collections.abc import Iterator

from cli.screen.table import width_of

_COMMAND = r"(?:[A-Z_]+=\S+ )*(?:\S*/)?(?:affirm-worker|kubectl) \S"
_ENDS_WITH_COMMANDS = re.compile(rf"(?<!Usage)(?<=\w|\)|'|\"): (?={_COMMAND})")
_OR = re.compile(rf" or (?={_COMMAND})")
_ONLY_A_COMMAND = re.compile(rf" *{_COMMAND}")
_NAME_AND_VALUE = re.compile(r" *\S+(?: \S+)* {2,}(?=\S)|[ ]*(?:- )?")
LEAST = 20
"""Text is not squeezed into fewer columns than this."""


def fitted(line: str, width: int) -> Iterator[str]:
    """A line as the lines of a terminal.

    Ids, paths and commands are never broken: what is longer than the terminal is left to it. What follows a name and
    two spaces stays in its column.

    Args:
        line: without control characters.
        width: of the terminal.
    """
    if _ONLY_A_COMMAND.match(line):
        yield line
        return
    text, *rest = _ENDS_WITH_COMMANDS.split(line, maxsplit=1)
    yield from _wrapped(text + ":" if rest else text, width)
    for commands in rest:
        indent = " " * (_hang(line) + 2)
        parts = _OR.split(commands)
        for number, command in enumerate(parts):
            last = number == len(parts) - 1
            yield indent + (command.removesuffix(".") if last else command)
            if not last:
                yield indent[2:] + "or"


def _wrapped(text: str, width: int) -> Iterator[str]:
    if width_of(text) <= width:
        yield text
        return
    hang = _hang(text)
    hang = hang if width - hang >= LEAST else 2
    words = text.split(" ")
    line, used = "", 0
    for number, word in enumerate(words):
        size = width_of(word)
        if number and line.strip() and used + 1 + size > width:
            yield line.rstrip()
            line, used = " " * hang + word, hang + size
        else:
            line += (" " if number else "") + word
            used += size + bool(number)
    yield line.rstrip()


def _hang(line: str) -> int:
    found = _NAME_AND_VALUE.match(line)
    return 0 if found is None else width_of(found[0])
