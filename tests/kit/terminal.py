"""A command on a terminal of a given size, and what it writes there."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Terminal:
    """A terminal, and the command on it.

    Args:
        process: the command; its signals are those of a user.
        stream: the terminal's other end.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", stream: int) -> None:
        self.process = process
        self._stream = stream
        self.written = ""
        """All that was written so far."""

    def until(self, text: str, seconds: float = 100) -> str:
        """All that was written since the last call, when this is in it; raises TimeoutError."""
        until = time.monotonic() + seconds
        while text not in self.written:
            if not self._read(until):
                raise TimeoutError(f"{text!r} is not in {self.written!r}")
        written, self.written = self.written, ""
        return written

    def type(self, text: str) -> None:
        """What a user types."""
        os.write(self._stream, text.encode())

    def end(self, seconds: float = 100) -> int:
        """Reads until the command has ended; its exit code. Raises TimeoutError."""
        until = time.monotonic() + seconds
        while self._read(until):
            pass
        return self.process.wait(max(1, until - time.monotonic()))

    def hang_up(self) -> None:
        """Closes the terminal, as a window is closed: the command gets SIGHUP, and can write nowhere."""
        if self._stream >= 0:
            os.close(self._stream)
        self._stream = -1

    def resize(self, columns: int, lines: int = 40) -> None:
        """Another size."""
        fcntl.ioctl(self._stream, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def more(self, until: float) -> bool:
        """Reads what comes next into `written`; false if nothing does, until then (by `time.monotonic`) or ever."""
        return self._read(until)

    def modes(self) -> list[Any]:
        """How the terminal is set: whether it shows what is typed, and waits for whole lines."""
        return termios.tcgetattr(self._stream)

    def _read(self, until: float) -> bool:
        """Reads what comes next; false if nothing does, until then or ever."""
        ready, _, _ = select.select([self._stream], [], [], max(0, until - time.monotonic()))
        try:
            more = os.read(self._stream, 1 << 16) if ready else b""
        except OSError:  # nobody has it open any more
            return False
        self.written += more.decode(errors="replace").replace("\r\n", "\n")
        return bool(more)


@contextmanager
def on_terminal(
    *arguments: str | Path,
    env: Mapping[str, str],
    columns: int = 80,
    lines: int = 40,
    command: Sequence[str] | None = None,
) -> Iterator[Terminal]:
    """`affirm-worker` on a terminal of its own.

    Args:
        env: its whole environment, besides TERM.
        columns, lines: the terminal's size.
        command: another command that ends in it.
    """
    with _started(
        command or [sys.executable, "-m", "cli", *map(str, arguments)], env, ROOT, columns, lines
    ) as terminal:
        yield terminal


def run_on_terminal(command: Sequence[str], env: Mapping[str, str], cwd: Path, columns: int = 80) -> tuple[int, str]:
    """Runs a command to its end. Returns its exit code, and all that the terminal got."""
    with _started(command, env, cwd, columns, 40) as terminal:
        return terminal.end(60), terminal.written


@contextmanager
def _started(command: Sequence[str], env: Mapping[str, str], cwd: Path, columns: int, lines: int) -> Iterator[Terminal]:
    stream, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = subprocess.Popen(
        # Whoever runs the tests may ignore signals, as nohup does; a command on a terminal does not.
        ["env", "--default-signal=HUP,INT", "setsid", "--ctty", *command], cwd=cwd, env={"TERM": "xterm", **env},
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    terminal = Terminal(process, stream)
    try:
        yield terminal
    finally:
        process.kill()
        process.wait()
        terminal.hang_up()


def plain(written: str) -> str:
    """What was written without the terminal's commands."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
