"""Values that the config file does not hold itself: a command prints them, or another file has them."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

COMMAND_SECONDS: Final = 60.0
"""How long a command may take. Some ask a person for a password."""

_MOST_BYTES = 65_536


class SecretUnknown(Exception):
    """A value cannot be had; the message says why, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class SecretCommand:
    """A command whose only line of output is the value."""

    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"the command {self.arguments[0]}"

    def read(self, seconds: float = COMMAND_SECONDS) -> str:
        """Runs it; raises SecretUnknown.

        A person at a terminal can answer it, and sees its stderr. Otherwise its stderr is dropped: a log would keep it.
        """
        attended = sys.stdin.isatty() and sys.stderr.isatty()
        unseen = None if attended else subprocess.DEVNULL
        try:
            # Alone it is a group of its own, so that its children end with it. At a terminal that would keep it silent.
            with subprocess.Popen(
                self.arguments, stdin=unseen, stdout=subprocess.PIPE, stderr=unseen,
                process_group=None if attended else 0,
            ) as process:  # fmt: skip
                try:
                    said, _ = process.communicate(timeout=seconds)
                except BaseException:
                    if attended:
                        process.kill()
                    else:
                        os.killpg(process.pid, signal.SIGKILL)
                    raise
        except subprocess.TimeoutExpired:
            raise SecretUnknown(f"{self} has not ended after {seconds:g} s") from None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "a NUL in its arguments"
            raise SecretUnknown(f"{self} cannot be run: {why}") from None
        if process.returncode:
            how = f"signal {-process.returncode}" if process.returncode < 0 else f"exit code {process.returncode}"
            raise SecretUnknown(f"{self} has failed with {how}: run it by hand to see why")
        return _only_line(said, f"{self} has printed")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file whose only line is the value."""

    path: Path

    def __str__(self) -> str:
        return f"the file {self.path}"

    def read(self) -> str:
        """Reads it; raises SecretUnknown."""
        try:
            # Not one that somebody has to write into first, such as a pipe.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                content = file.read(_MOST_BYTES + 1) or b""
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "a NUL in its name"
            raise SecretUnknown(f"{self} cannot be read: {why}") from None
        return _only_line(content, f"{self} has")


def secret_of(value: Any, folder: Path) -> SecretCommand | SecretFile | None:
    """The secret that a table of the config file describes; None if it describes none.

    Args:
        value: as TOML has it.
        folder: where a relative path starts.
    """
    match value:
        case {"command": [str(), *_] as words, **more} if not more and all(isinstance(one, str) for one in words):
            return SecretCommand(tuple(words))
        case {"file": str() as name, **more} if name and not more:
            try:
                return SecretFile(folder / Path(name).expanduser())
            except RuntimeError:  # no home folder
                return SecretFile(folder / name)
    return None


def _only_line(content: bytes, who: str) -> str:
    if len(content) > _MOST_BYTES:
        raise SecretUnknown(f"{who} more than {_MOST_BYTES} bytes; expected one line")
    try:
        lines = content.decode().splitlines()
    except UnicodeDecodeError:
        raise SecretUnknown(f"{who} bytes that are not UTF-8") from None
    if len(lines) != 1 or not lines[0].strip():
        count = f"{len(lines)} lines" if len(lines) > 1 else "nothing"
        raise SecretUnknown(f"{who} {count}; expected one line")
    return lines[0].strip()
