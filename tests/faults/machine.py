"""The local machine as a port: each use of a temporary file or of a helping process is a boundary of its actor.

What goes wrong there are the errors of the operating system itself, below all that the product makes of them. A helper
that is hit while it is at work is killed, as the kernel does that is out of memory.
"""

import errno
import io
import os
from collections.abc import Callable, Sequence
from subprocess import Popen
from typing import IO, Any, BinaryIO, cast

from parser_runner.machine import Machine
from tests.faults.actor import Actor, Boundary

ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.EAGAIN, errno.EFBIG, errno.EROFS, errno.ENOMEM)
"""One after the other, by how many boundaries the actor has met."""

_PORT = "machine"
_WATCHED = ("read", "read1", "readline", "write", "seek")


class MachineAtRisk(Machine):
    """The real machine, as an actor finds it."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def temporary_file(self) -> BinaryIO:
        file = self._meet("make a temporary file", super().temporary_file)
        return cast("BinaryIO", _FileAtRisk(file, self._meet))

    def start(self, command: Sequence[str]) -> "Popen[bytes]":
        started: list[Popen[bytes]] = []

        def do() -> "Popen[bytes]":
            started.append(Machine.start(self, command))
            return started[0]

        try:
            process: Popen[bytes] = self._meet("start a helper", do)
        except BaseException:
            for one in started:
                _kill(one)
            raise
        process.stdout = cast("IO[bytes]", _AnswersAtRisk(process, self._actor))
        return process

    def _meet(self, what: str, do: Callable[[], Any]) -> Any:
        return self._actor.meet(Boundary(_PORT, what), do, self._error)

    def _error(self) -> Exception:
        number = ERRORS[len(self._actor.met) % len(ERRORS)]
        return OSError(number, f"{os.strerror(number)}, a fault of the test")


class _FileAtRisk:
    def __init__(self, file: BinaryIO, meet: Callable[[str, Callable[[], Any]], Any]) -> None:
        self._file = file
        self._meet = meet

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._file, name)
        if name not in _WATCHED:
            return found
        return lambda *args: self._meet(f"{name} of a temporary file", lambda: found(*args))


class _Death(Exception):
    """The helper is to die."""


class _AnswersAtRisk:
    """The end of a helper's pipe: it may be dead before it answers, or break off within its answer."""

    def __init__(self, process: "Popen[bytes]", actor: Actor) -> None:
        assert process.stdout is not None
        self._stdout = process.stdout
        self._process = process
        self._actor = actor

    def readline(self) -> bytes:
        try:
            return self._actor.meet(Boundary(_PORT, "answer of a helper"), self._stdout.readline, _Death)
        except _Death:
            self._process.kill()
            self._process.wait()
            return b""

    def close(self) -> None:
        self._stdout.close()


def _kill(process: "Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if isinstance(pipe, io.IOBase):
            pipe.close()
