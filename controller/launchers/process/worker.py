"""A child process that runs one run after another, as long as each of them completes.

It is forked from a warm parent (a forkserver). Starting it takes several times the processor time of a small run, most
of it for pages that it shares with its parent until it uses them; so a child whose run went well is kept for the next.
It ends with any other run, as a pod does: what is left in a process by an error is nobody's.
"""

import contextlib
import errno
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext
from pathlib import Path

from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.local_machine import machine_error
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.threads import start_thread

RunnerEntry = Callable[[str, int, str], None]
"""The runner's entry point: job id, epoch, and the path for its termination message. Importable by name.

It returns where the run completed and the process is fit for another; else it exits with the run's exit code."""


_READY, _COMPLETED, _CANNOT_BEGIN = b"ready", b"completed", b"cannot begin: "

_PARENT_DIED = 255
"""What multiprocessing gives for the exit code of a child whose warm parent has gone before it."""


def serve(pickled_entry: bytes, pipe: Connection) -> None:
    """What the child does: until a run does not complete, the controller wants no more of it, or is gone.

    Args:
        pickled_entry: the `RunnerEntry`; unpickled here, so that the child can say why it cannot import it.
        pipe: to the controller.
    """
    try:
        entry: RunnerEntry = pickle.loads(pickled_entry)
        start_thread(threading.Thread(target=_exit_with_parent, name="parent", daemon=True))
    except Unavailable:
        os._exit(ExitCode.UNAVAILABLE)
    except Exception as error:
        pipe.send_bytes(_CANNOT_BEGIN + f"{type(error).__name__}: {error}".encode(errors="replace")[:500])
        os._exit(ExitCode.CONFIGURATION)
    pipe.send_bytes(_READY)
    while True:
        try:
            job_id, epoch, message_path = pipe.recv()
        except EOFError:
            os._exit(0)
        entry(job_id, epoch, message_path)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        pipe.send_bytes(_COMPLETED)


def _limit(error: OSError | MemoryError) -> str:
    """Which limit may be too low, in brackets; mostly nothing."""
    match error.errno if isinstance(error, OSError) else 0:
        case None:  # multiprocessing's own: the path of a socket below TMPDIR is too long
            return f" ({error}: in {tempfile.gettempdir()}, see TMPDIR)"
        case errno.EAGAIN:
            return " (the limit of processes, ulimit -u, may be too low)"
        case errno.EMFILE:
            return " (the limit of open files, ulimit -n, is too low)"
    return ""


def _exit_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(ExitCode.SHUT_DOWN)


class Child:
    """The controller's end of it.

    Args:
        context: that it is forked by.
        entry: what it calls for every run.

    Raises:
        Unavailable, OutOfMemory: no process can be started.
    """

    def __init__(self, context: ForkServerContext, entry: RunnerEntry) -> None:
        with contextlib.ExitStack() as at_failure:
            pickled_entry = pickle.dumps(entry)
            try:
                self._pipe, theirs = context.Pipe()
                at_failure.callback(self._pipe.close)
                with theirs:
                    self._process = context.Process(target=serve, args=(pickled_entry, theirs), name="parser-runner")
                    self._process.start()
            except EOFError:
                raise Unavailable("cannot start a process: the warm parent has died", Reason.TEMPORARY_IO) from None
            except (OSError, MemoryError) as error:
                raise machine_error(error, f"start a process{_limit(error)}") from None
            at_failure.pop_all()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.runs = 0
        """How many runs it has been handed."""
        self.is_ready = False
        """It has begun; until then it imports what it needs."""
        self.cannot_begin = ""
        """Why it cannot, in its own words."""
        self.has_hung_up = False
        """It has ended, or is about to."""
        self.pipe: int | None = self._pipe.fileno()
        """Readable when it has something to say, or has ended; None after it was dismissed."""
        self.sentinel: int = self._process.sentinel
        """Readable when it has ended."""

    def run(self, key: RunKey, message_path: Path) -> bool:
        """Hands it its next run; False if it has ended."""
        try:
            self._pipe.send((str(key.job_id), key.epoch, str(message_path)))
        except OSError:
            return False
        self.runs += 1
        return True

    def has_completed(self) -> bool:
        """Whether its run has completed since it was asked last, and it waits for another."""
        try:
            while self._pipe.poll():
                said = self._pipe.recv_bytes()
                if said == _COMPLETED:
                    return True
                self.is_ready = self.is_ready or said == _READY
                if said.startswith(_CANNOT_BEGIN):
                    self.cannot_begin = said.removeprefix(_CANNOT_BEGIN).decode(errors="replace")
        except (EOFError, OSError):
            self.has_hung_up = True
        return False

    def exit_code(self) -> int | None:
        """How it has ended, a signal as its negative number; None while it lives.

        The warm parent says so. Where that one has died (a fork that fails for want of processes ends it), the child
        lives on, and its own end of the pipe says when it is gone; how it ended is not known then.
        """
        code = self._process.exitcode
        if code == _PARENT_DIED and self.pipe is not None and not self._pipe.poll():
            return None
        return code

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal, if it lives."""
        if self.exit_code() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def dismiss(self) -> None:
        """It ends as soon as it asks for another run."""
        self.pipe = None
        self._pipe.close()

    def close(self) -> None:
        """It has ended and was dismissed, and nothing is to be asked of it any more."""
        self._process.close()
