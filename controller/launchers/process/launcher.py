"""Runs as child processes of the controller, on one machine.

A child exits when the pipe to the controller closes, no matter how the controller ended.
"""

import asyncio
import contextlib
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from controller.launchers.interface import Launch, LaunchRefused, ObservedRun, Phase
from controller.launchers.process.clean_environment import keep_children_clean
from controller.launchers.process.worker import Begin, Child, RunnerEntry
from controller.pools.spec import KEEP
from dataset_jobs.host import host_name, temporary_folder
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Misconfigured, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.settlement import Evidence, SeenAs
from dataset_jobs.model.trouble import Repeated

RUNS_OF_A_CHILD = 100
"""The most runs of one process."""

IDLE_SECONDS = 10.0
"""How long a process waits for another run."""

REFUSED_AFTER_SECONDS = 5.0
"""If no process starts for so long, the launch is refused: the claim is given back and the pool blocked."""


@dataclass(slots=True)
class _Run:
    child: Child
    message_path: Path
    stopped: bool = False
    """We asked it to end."""
    timer: asyncio.TimerHandle | None = None
    """Of its deadline."""
    timed_out: bool = False
    """We ended it at its deadline."""
    completed: bool = False
    """Its child said so, and may run another run by now, or be gone."""


class ProcessLauncher:
    """Launches runs as child processes.

    Args:
        entry: what each child calls for a run.
        preload: modules that the warm parent imports once.
        wake: called in the event loop whenever a run has ended.
        begin: what each child calls first; it is given a folder for temporary files.
        deadline: how long a run may take; None for any time.

    Raises:
        Misconfigured: no temporary folder can be written, or none that takes sockets.
    """

    name = "process"
    outlives_controller = False

    def __init__(
        self,
        entry: RunnerEntry,
        preload: list[str],
        wake: Callable[[], None],
        begin: Begin | None = None,
        deadline: timedelta | None = None,
    ) -> None:
        self._entry = entry
        self._wake = wake
        self._begin = begin
        self._deadline = deadline
        self._runs: dict[RunKey, _Run] = {}
        self._running: dict[Child, _Run] = {}
        self._waiting: dict[Child, asyncio.TimerHandle] = {}
        self._parentless: set[Child] = set()
        """Children that have outlived their warm parent."""
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["controller.launchers.process.worker", *preload])
        keep_children_clean()
        self._starts = Repeated()
        _leave_closed_folder()
        self._messages = _folder()
        self._parsing = tempfile.TemporaryDirectory(prefix="affirm-parsing-", ignore_cleanup_errors=True)
        _make_parsing(self._parsing.name)

    async def launch(self, launch: Launch) -> str:
        run = self._runs.get(launch.key)
        if run is None:
            message_path = Path(self._messages.name, f"{launch.key.job_id.hex}-{launch.key.epoch}")
            # Cleaners of temporary folders remove it after some days. A run can do without it: it has the database.
            with contextlib.suppress(OSError):
                message_path.parent.mkdir(mode=0o700, exist_ok=True)
            child = self._start(launch.key, message_path, launch.secret)
            run = _Run(child, message_path)
            if self._deadline is not None:
                seconds = self._deadline.total_seconds()
                run.timer = asyncio.get_running_loop().call_later(seconds, self._time_out, run)
            self._runs[launch.key] = self._running[child] = run
        return f"pid-{run.child.pid}"

    async def list_all(self) -> list[ObservedRun]:
        return [self._see(key, run) for key, run in self._runs.items()]

    def take_changed(self) -> set[RunKey]:
        return set(self._runs)

    async def get_cached(self, keys: Collection[RunKey]) -> list[ObservedRun]:
        return [seen for seen in await self.list_all() if seen.key in keys]

    async def get(self, key: RunKey) -> ObservedRun | None:
        run = self._runs.get(key)
        return None if run is None else self._see(key, run)

    async def get_many(self, keys: Collection[RunKey]) -> dict[RunKey, ObservedRun]:
        return {seen.key: seen for seen in await self.get_cached(keys)}

    async def stop(self, key: RunKey, now: bool = False) -> None:
        run = self._runs.get(key)
        if run is not None and run.stopped and not now:
            return  # a second SIGTERM might hit the child while it tidies up
        if run is not None and self._exit_code(run) is None:
            run.stopped = True
            run.child.signal(signal.SIGKILL if now else signal.SIGTERM)

    async def release(self, key: RunKey, keep: timedelta = KEEP) -> None:
        run = self._runs.get(key)
        if run is not None and self._exit_code(run) is not None:
            del self._runs[key]
            if run.timer is not None:
                run.timer.cancel()
            with contextlib.suppress(OSError):
                run.message_path.unlink(missing_ok=True)
            if not run.completed:
                del self._running[run.child]
                self._let_go(run.child)

    async def close(self) -> None:
        for child in [*self._running, *self._waiting]:
            child.signal(signal.SIGKILL)
        self._messages.cleanup()
        self._parsing.cleanup()

    def _time_out(self, run: _Run) -> None:
        if self._exit_code(run) is None:
            run.timed_out = True
            run.child.signal(signal.SIGKILL)

    def _start(self, key: RunKey, message_path: Path, secret: str) -> Child:
        """Gives the run to a waiting child, or to a new one.

        Raises:
            Unavailable: no process can start now.
            LaunchRefused: none could start for a while.
        """
        while self._waiting:
            child, timer = self._waiting.popitem()
            timer.cancel()
            if child.run(key, message_path, secret):
                return child
            self._dismiss(child)
        child = self._new_child()
        loop = asyncio.get_running_loop()
        assert child.pipe is not None
        loop.add_reader(child.pipe, self._readable, child)
        loop.add_reader(child.sentinel, self._ended, child)
        child.run(key, message_path, secret)  # if it has ended already, it ended as this run
        return child

    def _new_child(self) -> Child:
        try:
            with machine_errors("make a temporary folder"):
                _make_parsing(self._parsing.name)
            child = Child(self._context, self._entry, self._begin, self._parsing.name)
        except Unavailable as error:
            now = time.monotonic()
            self._starts.failed(error, now)
            trouble = self._starts.trouble
            assert trouble is not None
            if now - trouble.since < REFUSED_AFTER_SECONDS:
                raise
            raise LaunchRefused(f"{error}, for {now - trouble.since:.0f} s by now", Reason.CONFIG) from None
        self._starts.passed()
        return child

    def _readable(self, child: Child) -> None:
        if self._hear(child) or not child.has_hung_up:
            return
        if child in self._parentless:  # nobody else reports its end
            self._ended(child)
        else:
            self._dismiss(child)  # it is ending

    def _hear(self, child: Child) -> bool:
        """Reads its pipe; True if its run completed, which makes it free for another."""
        if not child.has_completed():
            return False
        run = self._running.pop(child)
        run.completed = True
        # A signal for the completed run may still be on its way.
        if run.stopped or child.runs >= RUNS_OF_A_CHILD:
            self._dismiss(child)
        else:
            timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._dismiss, child)
            self._waiting[child] = timer
        self._wake()
        return True

    def _dismiss(self, child: Child) -> None:
        """Expects nothing more of it."""
        if timer := self._waiting.pop(child, None):
            timer.cancel()
        if child.pipe is not None:
            asyncio.get_running_loop().remove_reader(child.pipe)
            child.dismiss()

    def _ended(self, child: Child) -> None:
        if child.exit_code() is None:
            asyncio.get_running_loop().remove_reader(child.sentinel)
            self._parentless.add(child)
            return
        self._parentless.discard(child)
        self._let_go(child)
        self._wake()

    def _let_go(self, child: Child) -> None:
        """Cleans up after a process that is gone. Its exit code stays until its run is released."""
        self._hear(child)
        self._dismiss(child)
        asyncio.get_running_loop().remove_reader(child.sentinel)
        if child not in self._running:
            child.close()

    def _exit_code(self, run: _Run) -> int | None:
        code = None if run.completed else run.child.exit_code()
        if code is not None:
            self._hear(run.child)  # it may have completed before it died
        return 0 if run.completed else code

    def _see(self, key: RunKey, run: _Run) -> ObservedRun:
        code = self._exit_code(run)
        name = f"pid-{run.child.pid}"
        if code is None:
            return ObservedRun(key, name, Phase.RUNNING, Evidence(container_started=True))
        # After an error of the machine, try again: without its message the run would count as crashed.
        with machine_errors("read the message of a runner"):
            try:
                message = run.message_path.read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                message = ""
        never_began = code > 0 and code != ExitCode.UNAVAILABLE and not run.stopped and not run.child.is_ready
        if never_began:
            why = run.child.cannot_begin or f"exit code {code} while it imported its modules; its stderr says more"
            message = f"the runner's process cannot begin: {why}"
        evidence = Evidence(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            seen_as=_seen_as(run, never_began),
            message=message,
            container_started=not never_began,
            node=host_name(),
        )
        return ObservedRun(key, name, Phase.ENDED, evidence)


def _seen_as(run: _Run, never_began: bool) -> SeenAs | None:
    if run.timed_out:
        return SeenAs.DEADLINE_EXCEEDED
    if run.stopped:
        return SeenAs.STOPPED
    return SeenAs.CONFIG if never_began else None


def _make_parsing(folder: str) -> None:
    """The folder for the temporary files of parsers. Those have no names, so that none finds another one's."""
    Path(folder).mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:  # parsers may be another user then
        Path(folder).chmod(0o1733)


def _leave_closed_folder() -> None:
    """Leaves the current folder if it is gone or forbidden: every child enters it first, and could not start."""
    try:
        open_to_us = os.access(Path.cwd(), os.X_OK)
    except FileNotFoundError:
        open_to_us = False
    if not open_to_us:
        os.chdir("/")


def _folder() -> "tempfile.TemporaryDirectory[str]":
    """A temporary folder. Checks that it takes a socket: the warm parent needs one before any run can start."""
    above = temporary_folder()
    try:
        folder = tempfile.TemporaryDirectory(prefix="affirm-worker-", ignore_cleanup_errors=True)
        with tempfile.TemporaryDirectory(prefix="pymp-") as trial, socket.socket(socket.AF_UNIX) as probe:
            probe.bind(f"{trial}/listener-12345678")
    except OSError as error:
        raise Misconfigured(
            f"the temporary folder {above} takes no socket for child processes: {error.strerror or error}; set TMPDIR"
            " to a folder with room and a short path",
            Reason.CONFIG,
        ) from None
    return folder
