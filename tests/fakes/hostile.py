"""A package whose parser does what a file would that has taken over the parser. Each attempt is a file's first line.

What an attempt got is the name of its only row; what refused it, too.
"""

import contextlib
import ctypes
import errno
import os
import resource
import signal
import socket
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parser_runner.parsers import Parsed, Row, Source

TITLE = "Hostile Office, "


def file(attempt: str, given: str = "") -> bytes:
    """A file that makes the attempt."""
    return f"{TITLE}{attempt}\n{given}\n".encode()


def _variables(_: str) -> str:
    return " ".join(os.environ)


def _read(path: str) -> str:
    return repr(Path(path).read_bytes()[:100])


def _list(path: str) -> str:
    return " ".join(one.name for one in Path(path).iterdir())


def _write(path: str) -> str:
    Path(path).write_text("hostile")
    return "written"


def _temporary(_: str) -> str:
    with tempfile.TemporaryFile() as opened:
        opened.write(b"x")
    return "written"


def _open_files(_: str) -> str:
    found = []
    for number in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        with contextlib.suppress(OSError):
            os.fstat(number)
            found.append(str(number))
    return " ".join(found)


def _connect(port: str) -> str:
    socket.create_connection(("127.0.0.1", int(port)), 5).close()
    return "connected"


def _send(port: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        return f"sent {one.sendto(b'x', ('127.0.0.1', int(port)))}"


def _connect_locally(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
    return "connected"


def _kill(pid: str) -> str:
    os.kill(int(pid), 0)
    return "reached"


def _trace(pid: str) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, int(pid), 0, 0):  # PTRACE_ATTACH
        raise OSError(ctypes.get_errno(), "ptrace")
    return "attached"


def _fork(wanted: str) -> str:
    for done in range(int(wanted)):
        try:
            if os.fork() == 0:
                os.setsid()
                time.sleep(600)
        except OSError:
            return f"{done} forked"
    return f"{wanted} forked"


def _eat(_: str) -> str:
    hoard = []
    while True:
        hoard.append(bytearray(64 * 1024 * 1024))


def _loop(_: str) -> str:
    while True:
        pass


def _wait(_: str) -> str:
    time.sleep(600)
    return "waited"


def _end(_: str) -> str:
    os._exit(0)


def _stay(_: str) -> str:
    """Does not end when it is asked to."""
    os._exit = lambda _: time.sleep(600)  # type: ignore[assignment,return-value]
    return "stays"


def _break_down(_: str) -> str:
    ctypes.string_at(0)
    return "alive"


def _killed(_: str) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
    return "alive"


def _say(what: str) -> str:
    """Past its own code: into the connection to the runner, which is the only other open file."""
    message = bytes.fromhex(what)
    os.write(3, len(message).to_bytes(4, "big") + message)
    return "said"


def _say_often(what: str) -> str:
    for _ in range(2000):
        _say(what)
    return "said"


def _call(number: str) -> str:
    """A system call, with a first argument for which the kernel itself has another answer than EPERM."""
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.syscall(int(number), 1, 0, 0, 0, 0, 0)
    return f"refused: {errno.errorcode.get(ctypes.get_errno(), '')}" if done < 0 else "called"


def _privileges(_: str) -> str:
    """Whether it may get new ones, and its capabilities: effective, permitted, inheritable."""
    libc = ctypes.CDLL(None, use_errno=True)
    has = ctypes.create_string_buffer(24)
    libc.capget(struct.pack("=Ii", 0x20080522, 0), has)
    return f"{libc.prctl(39, 0, 0, 0, 0)} {has.raw.hex()}"


def _limits(_: str) -> str:
    kinds = ("AS", "FSIZE", "CPU", "NOFILE", "CORE", "NPROC")
    return " ".join(str(resource.getrlimit(getattr(resource, f"RLIMIT_{kind}"))[0]) for kind in kinds)


def _print(_: str) -> str:
    for stream in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.write(stream, b"hostile")
    return "printed"


def _escape(_: str) -> str:
    return "\x1b[31mAnna"


def _say_too_much(_: str) -> str:
    os.write(3, (1 << 30).to_bytes(4, "big") + b"x" * 1000)
    return "said"


ATTEMPTS: dict[str, Callable[[str], str]] = {
    "variables": _variables, "read": _read, "list": _list, "write": _write, "temporary": _temporary,
    "open files": _open_files, "connect": _connect, "send": _send, "connect locally": _connect_locally,
    "kill": _kill, "trace": _trace, "fork": _fork, "eat": _eat, "loop": _loop, "wait": _wait, "end": _end,
    "stay": _stay,
    "say often": _say_often, "call": _call, "privileges": _privileges, "limits": _limits, "print": _print,
    "escape": _escape, "break down": _break_down, "killed": _killed, "say": _say, "say too much": _say_too_much,
}  # fmt: skip


class Hostile:
    """Makes the attempt of the file."""

    name = "jp-hostile"
    description = f"an attempt below the title {TITLE}"

    def recognise(self, source: Source) -> Any:
        return source.head().startswith(TITLE.encode()) or None

    def parse(self, source: Source, match: bool) -> Parsed:
        return Parsed(self.name, "births", None, self._rows(source))  # type: ignore[arg-type]

    def _rows(self, source: Source) -> list[Row]:
        lines = dict(source.lines())
        try:
            got = ATTEMPTS[lines[1].removeprefix(TITLE)](lines.get(2, ""))
        except OSError as error:
            got = f"refused: {type(error).__name__}"
        return [Row(2020, "F", got, 1, 1)]


PARSERS = [Hostile()]
