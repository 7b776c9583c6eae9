"""A command of this program as it works when it is typed here: all that is printed to be copied is made by `typed`."""

import os
import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path

from cli.options import context as context_option

_PROGRAM = "affirm-worker "


def typed(line: str) -> str:
    """A command of this program, for the same database: with the context or the home that was given, and found.

    Another line is as it was.
    """
    command = line.lstrip()
    if not command.startswith(_PROGRAM):
        return line
    return f"{line[: len(line) - len(command)]}{_program()} {command.removeprefix(_PROGRAM)}"


def same_database() -> str:
    """What must hold besides, in words: a URL may have a password, so it is not repeated; empty if nothing must."""
    return ", with the same DATABASE_URL" if os.environ.get("DATABASE_URL") else ""


def _program() -> str:
    """The program from here, by its bare name if that is on the PATH, and what chooses the database."""
    program = Path("affirm-worker")
    if not shutil.which(program):
        program = Path(sys.executable).parent / program
        with suppress(FileNotFoundError, ValueError):  # the current folder is gone, or another one
            program = program.relative_to(Path.cwd())
    shown = shlex.quote(str(program))
    if used := context_option.chosen():
        return f"{shown} --context {shlex.quote(used)}"
    home = os.environ.get("AFFIRM_WORKER_HOME")
    if not home:
        return shown
    with suppress(RuntimeError, OSError):
        home = str(Path(home).expanduser().absolute())
    return f"AFFIRM_WORKER_HOME={shlex.quote(home)} {shown}"
