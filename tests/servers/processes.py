"""Processes of this machine by their arguments: pods of a local cluster are among them."""

import os
import signal
from pathlib import Path


def pids_of(*words: str) -> list[int]:
    """The processes that were started with these words, one after the other, among their arguments.

    Args:
        words: whole arguments; the first one may also be the file name of a path.
    """
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(_matches(arguments[start:], words) for start in range(len(arguments))):
            found.append(int(folder.name))
    return found


def environment_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with; empty if it is gone."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(variable.split("=", 1) for variable in variables if "=" in variable)


def send_signal(pid: int, number: signal.Signals) -> bool:
    """Sends a signal; False if the process is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _matches(arguments: list[str], words: tuple[str, ...]) -> bool:
    if len(arguments) < len(words):
        return False
    return Path(arguments[0]).name == words[0] and tuple(arguments[1 : len(words)]) == words[1:]
