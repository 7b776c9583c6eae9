"""Starts the process that reads a workbook (workbook_reader.py), talks to it, and decides why it ended.

A crafted workbook may end it. So may the machine, and that must not reject the file. How to tell them apart:

| observation | at fault |
| --- | --- |
| it does not start | the machine; the installation if its program or the library is missing |
| it ends before it says "ready", so before it sees a byte of the file | the machine |
| it reports an error of the operating system, with its number | the machine |
| it says "damaged" or "encrypted" | the file |
| a signal that its own code never sends: SIGKILL of a kernel without memory, SIGTERM, SIGBUS of a library that \
the disk does not deliver | the machine |
| MemoryError; SIGABRT, which native code raises for the same; SIGSEGV of a stack that cannot grow | the file if the \
machine would have given all the memory of our own limit; otherwise the machine |

Two trials show whether the machine would have given it: the reader tries before it sees the file, since other limits
(ulimit -v, -d) may be lower, and this module tries after the end, since memory may have become short meanwhile.
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
    """A reader, ready for its workbook. Its process ends when this object is closed or collected.

    Args:
        machine: starts the process.
        size: bytes of the workbook, which are sent first.
        memory_bytes: the limit of its address space.

    Raises:
        Misconfigured: the program or the library is missing.
        Unavailable, OutOfMemory: the machine does not start it.
    """

    def __init__(self, machine: Machine, size: int, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._granted: bool | None = None
        """Whether the machine gave it all of `memory_bytes`; None before it is ready."""
        # Isolated: it imports nothing from the environment or the current folder. It gets the library's folder, since
        # maybe only this process searches that one (PYTHONPATH, pip install --user).
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
        """Sends the workbook, or a request."""
        assert self.process.stdin is not None
        # If the process ended, `receive` says why.
        with machine_errors("write to the process that reads workbooks"), contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(content)
            self.process.stdin.flush()

    def receive(self) -> Any:
        """The next answer.

        Raises:
            FileAtFault: the reader cannot read this workbook.
            RunError: the machine or the installation is at fault; see the module's docstring.
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
    """Whether the machine grants `size` bytes of address space now; it uses none of them."""
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
