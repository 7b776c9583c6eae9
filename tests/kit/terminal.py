"""A command on a terminal of its own."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def on_a_terminal(command: Sequence[str], env: Mapping[str, str], cwd: Path, columns: int = 80) -> tuple[int, str]:
    """Runs a command to its end. Returns its exit code, and all that the terminal got."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command, env={**env, "TERM": "xterm"}, cwd=cwd, stdin=its, stdout=its, stderr=its, start_new_session=True
    )
    os.close(its)
    said = bytearray()
    with suppress(OSError):  # EIO: nobody has it open any more
        while more := os.read(ours, 1 << 16):
            said += more
    os.close(ours)
    return process.wait(60), said.decode().replace("\r\n", "\n")
