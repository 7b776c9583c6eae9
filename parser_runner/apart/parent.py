"""The process that starts a process for each file. It is clean: it never held a credential, and reads no file.

A fork from it takes milliseconds, and a new interpreter a hundred. It gets the parser's end of a connection, forks, and
answers how the process ended. When the runner closes its end, or is gone, it ends all that is left.
"""

import gc
import os
import select
import signal
import socket
import struct
import tempfile
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import NoReturn

from dataset_jobs.model.errors import RunError
from parser_runner.apart.confine import confine, end_with_parent
from parser_runner.apart.parser_process import parse_for

ENDED = struct.Struct("=qd")
"""Its answer: the wait status of a process, and the seconds of processor that it took.

If no process could start, the status is a number of the system's errors, negative."""

_STANDARD_STREAMS = 3


def serve(control: socket.socket, writable: str) -> NoReturn:
    """Starts a process for each connection that comes over `control`, one after the other.

    Args:
        control: to the runner; every other open file is closed.
        writable: the folder for temporary files.
    """
    for number in (signal.SIGINT, signal.SIGHUP):  # of the whole process group: the runner decides
        signal.signal(number, signal.SIG_IGN)
    _keep_only(control.fileno())
    tempfile.tempdir = writable
    in_force = confine(writable)
    control.send(", ".join(in_force).encode() or b"-")
    # A process that reads one file ends before it has made much garbage.
    gc.disable()
    gc.freeze()
    wakes, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    while True:
        _, files, _, _ = socket.recv_fds(control, 1, 1)
        if not files:
            os._exit(0)
        try:
            process = os.fork()
        except OSError as error:
            os.close(files[0])
            control.send(ENDED.pack(-(error.errno or 1), 0.0))
            continue
        if process == 0:
            _parse(files[0], in_force)
        os.close(files[0])
        status, seconds = _wait(process, control, wakes, in_force)
        control.send(ENDED.pack(status, seconds))


def _keep_only(number: int) -> None:
    """Closes all files but one, and the standard streams: what this process prints could drive a terminal."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(_STANDARD_STREAMS):
        os.dup2(nothing, stream)
    os.closerange(_STANDARD_STREAMS, number)
    os.closerange(number + 1, os.sysconf("SC_OPEN_MAX"))


def _parse(connection: int, in_force: list[str]) -> NoReturn:
    """What the new process does."""
    end_with_parent()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    os.dup2(connection, _STANDARD_STREAMS)
    os.closerange(_STANDARD_STREAMS + 1, os.sysconf("SC_OPEN_MAX"))
    try:
        parse_for(Connection(_STANDARD_STREAMS), in_force)
    except (RunError, OSError, MemoryError):
        os._exit(1)
    # Without the interpreter's shutdown: nothing is left to be written.
    os._exit(0)


def _wait(process: int, control: socket.socket, wakes: int, in_force: list[str]) -> tuple[int, float]:
    """Waits until a process has ended, and ends everything that it has left."""
    found: tuple[int, float] | None = None
    is_over = runner_is_gone = False
    while not is_over:
        ready, _, _ = select.select([control.fileno(), wakes], [], [])
        if wakes in ready:
            with suppress(BlockingIOError):
                os.read(wakes, 4096)
            found = _ended(process)
            is_over = found is not None
        elif control.fileno() in ready:  # the runner is gone, or wants the next one although this one does not end
            runner_is_gone = not control.recv(1, socket.MSG_PEEK)
            is_over = True
    with suppress(ProcessLookupError, PermissionError):
        if "namespaces" in in_force:
            os.kill(-1, signal.SIGKILL)
        else:
            os.killpg(process, signal.SIGKILL)
    if runner_is_gone:
        os._exit(0)
    return found or _ended(process, 0) or (0, 0.0)


def _ended(process: int, options: int = os.WNOHANG) -> tuple[int, float] | None:
    """Takes leave of all processes that have ended; the status and the seconds of `process`, if it is among them."""
    found = None
    with suppress(ChildProcessError):
        while found is None or options:
            ended, status, used = os.wait4(-1, options)
            if ended == process:
                found = status, used.ru_utime + used.ru_stime
            if ended == 0:
                break
    return found
