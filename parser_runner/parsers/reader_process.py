"""The process that reads a workbook (workbook_reader.py): started, spoken to, and judged when it ends.

A crafted workbook may end it; so may the machine, and that must reject nobody's file. What tells them apart:

| what is seen | whose fault |
| --- | --- |
| it cannot be started | the machine's; the installation's if its program or the library is missing |
| it ends before it has said "ready": it has seen no byte of the file | the machine's |
| it says that an error of the operating system has come, with its number | the machine's |
| it says "damaged" or "encrypted" | the file's |
| a signal that no code of its own sends: SIGKILL from the kernel that is out of memory, SIGTERM, SIGBUS of a library \
that cannot be read from the disk | the machine's |
| MemoryError; SIGABRT, by which native code says the same; SIGSEGV, of a stack that cannot grow | the file's if the \
machine would have given all that our own limit allows; else the machine's |

Whether it would have is tried out: by the reader before it sees the file, since limits (ulimit -v, -d) may be below
ours, and here after it has ended, since memory may have become short meanwhile.
"""

import contextlib
import json
import mmap
import os
import signal
import sys
import weakref
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen
from typing import Any

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, OutOfMemory, RunError, Unavailable
from dataset_jobs.model.local_machine import is_about_the_path, machine_error, machine_errors
from parser_runner.machine import Machine

LIBRARY = "python_calamine"

_READER = Path(__file__).with_name("workbook_reader.py")
_BY_ITS_OWN_CODE = {signal.SIGABRT, signal.SIGSEGV, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP}


class FileAtFault(Exception):
    """The reader cannot read this workbook.

    Args:
        why: "damaged", "encrypted" or "memory".
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class ReaderProcess:
    """A reader that is ready for its workbook. It ends with this object, or when it is closed.

    Args:
        machine: what starts it.
        size: bytes of the workbook, which are sent first.
        memory_bytes: address space that it may use.

    Raises:
        Misconfigured: the program or the library that it needs is not there.
        Unavailable, OutOfMemory: the machine does not start it.
    """

    def __init__(self, machine: Machine, size: int, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._granted: bool | None = None
        """Whether it was given all the memory that it may use; None before it is ready."""
        # Isolated: nothing of the environment or the current folder is imported by it. It is told where the library
        # is, since that may be a folder which only this process looks into (PYTHONPATH, pip install --user).
        command = [sys.executable or "", "-I", str(_READER), str(size), str(memory_bytes), _folder_of_library()]
        with _starting(command[0]):
            self.process = machine.start(command)
        self._end = weakref.finalize(self, _stop, self.process)
        try:
            self._granted = bool(self.receive()["granted"])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the process."""
        self._end()

    def send(self, content: bytes) -> None:
        """Sends it the workbook, or a request."""
        assert self.process.stdin is not None
        # If it has ended, `receive` says why.
        with machine_errors("write to the process that reads workbooks"), contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(content)
            self.process.stdin.flush()

    def receive(self) -> Any:
        """Its next answer.

        Raises:
            FileAtFault: it cannot read this workbook.
            RunError: the machine or the installation is at fault; see the module.
        """
        assert self.process.stdout is not None
        with machine_errors("read from the process that reads workbooks"):
            line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._why_it_ended()
        with machine_errors("read a workbook"):
            answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            self.close()
            raise self._what_it_said(answer)
        return answer

    def _what_it_said(self, answer: dict[str, Any]) -> RunError | FileAtFault:
        match answer["error"]:
            case "no library":
                return _no_library()
            case "machine":
                number = int(answer["errno"])
                return machine_error(OSError(number, os.strerror(number)), "read a workbook")
            case "memory":
                return self._memory_is_used_up()
            case why:
                return FileAtFault(str(why))

    def _why_it_ended(self) -> RunError | FileAtFault:
        code = self.process.wait()
        by = _signal(code)
        if by == signal.SIGKILL:
            return OutOfMemory(
                "local machine: the process that reads workbooks was killed (SIGKILL), as the kernel does when memory "
                "is short"
            )
        if by is not None and by not in _BY_ITS_OWN_CODE:
            return _ended(by.name)
        if self._granted is None or code == 0:
            return _ended(f"exit code {code}" if by is None else by.name)
        return self._memory_is_used_up()

    def _memory_is_used_up(self) -> OutOfMemory | FileAtFault:
        if self._granted and _can_be_had(self._memory_bytes):
            return FileAtFault("memory")
        return OutOfMemory(
            f"local machine: the process that reads workbooks may use {self._memory_bytes >> 20} MiB, but the machine "
            "does not give it so much"
        )


def _signal(code: int) -> signal.Signals | None:
    with contextlib.suppress(ValueError):
        return signal.Signals(-code)
    return None


def _ended(how: str) -> Unavailable:
    return Unavailable(f"local machine: the process that reads workbooks was ended ({how})", Reason.TEMPORARY_IO)


def _can_be_had(size: int) -> bool:
    """Whether the machine gives so much address space now; none of it is used."""
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, MemoryError):
        return False
    return True


def _folder_of_library() -> str:
    with machine_errors(f"look for {LIBRARY}"):
        spec = find_spec(LIBRARY)
    if spec is None or not spec.submodule_search_locations:
        raise _no_library()
    return str(Path(spec.submodule_search_locations[0]).absolute().parent)


def _no_library() -> Misconfigured:
    return Misconfigured(
        f"workbooks cannot be read: {sys.executable} cannot import {LIBRARY}; install the package python-calamine for "
        "this Python, or use a whole image of the runner",
        Reason.CONFIG,
    )


@contextlib.contextmanager
def _starting(program: str) -> Iterator[None]:
    try:
        yield
    except (OSError, MemoryError) as error:
        if isinstance(error, OSError) and is_about_the_path(error):
            message = f"workbooks cannot be read: {program!r}, this Python, cannot be run: {error.strerror}"
            raise Misconfigured(message, Reason.CONFIG) from None
        raise machine_error(error, "start the process that reads workbooks") from None


def _stop(process: "Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
