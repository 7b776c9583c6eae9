"""A child process that executes one run after another, as long as each of them completes.

It is forked from a warm parent (a forkserver). Starting it takes several times the processor time of a small run, most
of it for pages that it shares with its parent until it uses them. So a child is kept for the next run if its run
completed. Otherwise it ends, as a pod does: an error may leave anything behind in a process.
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

RunnerEntry = Callable[[str, int, str, str], None]
"""The runner's entry point: job id, epoch, path for its termination message, secret of the run. Importable by name.

It returns if the run completed and the process is fit for another; otherwise it exits with the run's exit code."""

Begin = Callable[[str], None]
"""Called once in each child, with a folder for temporary files, before the child is told any credential. Importable by
name."""

_READY, _COMPLETED, _CANNOT_BEGIN = b"ready", b"completed", b"cannot begin: "

_PARENT_DIED = 255
"""The exit code that multiprocessing reports for a child whose warm parent died first."""


def serve(pickled_begin: bytes, folder: str, pipe: Connection) -> None:
    """The child's main loop. It ends when a run does not complete, or the controller closes the pipe or is gone.

    The `RunnerEntry`, which may hold credentials, comes over the pipe.

    Args:
        pickled_begin: the `Begin` or None; unpickled here, so that the child can say why it cannot import it.
        folder: for temporary files.
        pipe: to the controller.
    """
    try:
        begin: Begin | None = pickle.loads(pickled_begin)
        if begin is not None:
            begin(folder)
        entry: RunnerEntry = pickle.loads(pipe.recv_bytes())
        start_thread(threading.Thread(target=_exit_with_parent, name="parent", daemon=True))
    except (Unavailable, OSError, MemoryError):
        os._exit(ExitCode.UNAVAILABLE)
    except EOFError:
        os._exit(0)
    except Exception as error:
        pipe.send_bytes(_CANNOT_BEGIN + f"{type(error).__name__}: {error}".encode(errors="replace")[:500])
        os._exit(ExitCode.CONFIGURATION)
    pipe.send_bytes(_READY)
    while True:
        try:
            job_id, epoch, message_path, secret = pipe.recv()
        except EOFError:
            os._exit(0)
        entry(job_id, epoch, message_path, secret)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        pipe.send_bytes(_COMPLETED)


def _limit(error: OSError | MemoryError) -> str:
    """The limit that may be too low, in brackets; usually empty."""
    match error.errno if isinstance(error, OSError) else 0:
        case None:  # from multiprocessing: the path of a socket below TMPDIR is too long
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
    """The controller's end of a child process.

    Args:
        context: forks it.
        entry: the child calls this for every run.
        begin: the child calls this before it is told the entry.
        folder: what `begin` is called with.

    Raises:
        Unavailable, OutOfMemory: no process can start.
    """

    def __init__(
        self, context: ForkServerContext, entry: RunnerEntry, begin: Begin | None = None, folder: str = ""
    ) -> None:
        with contextlib.ExitStack() as at_failure:
            pickled_begin, pickled_entry = pickle.dumps(begin), pickle.dumps(entry)
            try:
                self._pipe, theirs = context.Pipe()
                at_failure.callback(self._pipe.close)
                with theirs:
                    arguments = (pickled_begin, folder, theirs)
                    self._process = context.Process(target=serve, args=arguments, name="parser-runner")
                    self._process.start()
                with contextlib.suppress(BrokenPipeError):  # its exit code says why it has ended
                    self._pipe.send_bytes(pickled_entry)
            except EOFError:
                raise Unavailable("cannot start a process: the warm parent has died", Reason.TEMPORARY_IO) from None
            except (OSError, MemoryError) as error:
                raise machine_error(error, f"start a process{_limit(error)}") from None
            at_failure.pop_all()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.runs = 0
        """How many runs it was given."""
        self.is_ready = False
        """It has begun: its imports are done."""
        self.cannot_begin = ""
        """Why it cannot begin, in its own words."""
        self.has_hung_up = False
        """It has ended, or will in a moment."""
        self.pipe: int | None = self._pipe.fileno()
        """Readable when it has sent something, or has ended; None after `dismiss`."""
        self.sentinel: int = self._process.sentinel
        """Readable when it has ended."""

    def run(self, key: RunKey, message_path: Path, secret: str) -> bool:
        """Gives it its next run; False if it has ended."""
        try:
            self._pipe.send((str(key.job_id), key.epoch, str(message_path), secret))
        except OSError:
            return False
        self.runs += 1
        return True

    def has_completed(self) -> bool:
        """Whether its run has completed since the last call, and it waits for another."""
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
        """How it ended, a signal as its negative number; None while it lives.

        The warm parent reports it. If that has died (a fork that fails for lack of processes ends it), the child lives
        on. Then the pipe shows when it is gone, and nothing shows how it ended.
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
        """Lets it end as soon as it asks for another run."""
        self.pipe = None
        self._pipe.close()

    def close(self) -> None:
        """Frees its resources, after it has ended and was dismissed."""
        self._process.close()
