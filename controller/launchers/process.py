"""Runs as child processes of the controller, on one machine.

A child exits when the pipe to the controller closes, whatever ended the controller.
"""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from controller.launchers import KEEP, Launch, Phase, Seen
from controller.launchers.children import Child, RunnerEntry
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.local_machine import machine_errors
from dataset_jobs.model.settlement import Evidence

RUNS_OF_A_CHILD = 100
"""How many runs one process is used for at the most."""

IDLE_SECONDS = 10.0
"""For how long a process waits for another run."""


@dataclass(slots=True)
class _Run:
    child: Child
    message_path: Path
    stopped: bool = False
    """We have told it to end."""
    completed: bool = False
    """Its child has said so, and may be another run's by now, or gone."""


class ProcessLauncher:
    """Launches runs as child processes.

    Args:
        entry: what each child calls for a run.
        preload: modules that the warm parent imports once.
        wake: called in the event loop whenever a run has ended.
    """

    name = "process"

    def __init__(self, entry: RunnerEntry, preload: list[str], wake: Callable[[], None]) -> None:
        self._entry = entry
        self._wake = wake
        self._runs: dict[RunKey, _Run] = {}
        self._running: dict[Child, _Run] = {}
        self._waiting: dict[Child, asyncio.TimerHandle] = {}
        self._orphans: set[Child] = set()
        """Those that have outlived the warm parent that they were forked from."""
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["controller.launchers.children", *preload])
        with machine_errors("make a folder for the messages of runners"):
            self._messages = tempfile.TemporaryDirectory(prefix="affirm-worker-", ignore_cleanup_errors=True)

    async def launch(self, launch: Launch) -> str:
        run = self._runs.get(launch.key)
        if run is None:
            message_path = Path(self._messages.name, f"{launch.key.job_id.hex}-{launch.key.epoch}")
            # Cleaners of temporary folders remove it after some days. A run goes well without: it has the database too.
            with contextlib.suppress(OSError):
                message_path.parent.mkdir(mode=0o700, exist_ok=True)
            child = self._start(launch.key, message_path)
            run = _Run(child, message_path)
            self._runs[launch.key] = self._running[child] = run
        return f"pid-{run.child.pid}"

    async def seen(self) -> list[Seen]:
        return [self._see(key, run) for key, run in self._runs.items()]

    def changed(self) -> set[RunKey]:
        return set(self._runs)

    async def known(self, keys: Collection[RunKey]) -> list[Seen]:
        return [seen for seen in await self.seen() if seen.key in keys]

    async def find(self, key: RunKey) -> Seen | None:
        run = self._runs.get(key)
        return None if run is None else self._see(key, run)

    async def find_all(self, keys: Collection[RunKey]) -> dict[RunKey, Seen]:
        return {seen.key: seen for seen in await self.known(keys)}

    async def stop(self, key: RunKey, now: bool = False) -> None:
        run = self._runs.get(key)
        if run is not None and run.stopped and not now:
            return  # once is enough: a second SIGTERM might meet the child while it tidies up
        if run is not None and self._exit_code(run) is None:
            run.stopped = True
            run.child.signal(signal.SIGKILL if now else signal.SIGTERM)

    async def forget(self, key: RunKey, keep: timedelta = KEEP) -> None:
        run = self._runs.get(key)
        if run is not None and self._exit_code(run) is not None:
            del self._runs[key]
            with contextlib.suppress(OSError):
                run.message_path.unlink(missing_ok=True)
            if not run.completed:
                del self._running[run.child]
                self._let_go(run.child)

    async def close(self) -> None:
        for child in [*self._running, *self._waiting]:
            child.signal(signal.SIGKILL)
        self._messages.cleanup()

    def _start(self, key: RunKey, message_path: Path) -> Child:
        """Has the run done by a child that waits for one, else by a new one."""
        while self._waiting:
            child, timer = self._waiting.popitem()
            timer.cancel()
            if child.run(key, message_path):
                return child
            self._dismiss(child)
        child = Child(self._context, self._entry)
        loop = asyncio.get_running_loop()
        assert child.pipe is not None
        loop.add_reader(child.pipe, self._readable, child)
        loop.add_reader(child.sentinel, self._ended, child)
        child.run(key, message_path)  # if it has ended already, it has ended as this run
        return child

    def _readable(self, child: Child) -> None:
        if self._hear(child):
            return
        if child in self._orphans:  # nobody else says that it has ended
            self._ended(child)
        else:
            self._dismiss(child)  # it is ending

    def _hear(self, child: Child) -> bool:
        """Whether it has said that its run completed: then it is free for another."""
        if not child.has_completed():
            return False
        run = self._running.pop(child)
        run.completed = True
        # A signal for the run that is over may still be on its way.
        if run.stopped or child.runs >= RUNS_OF_A_CHILD:
            self._dismiss(child)
        else:
            timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._dismiss, child)
            self._waiting[child] = timer
        self._wake()
        return True

    def _dismiss(self, child: Child) -> None:
        """No more is expected of it."""
        if timer := self._waiting.pop(child, None):
            timer.cancel()
        if child.pipe is not None:
            asyncio.get_running_loop().remove_reader(child.pipe)
            child.dismiss()

    def _ended(self, child: Child) -> None:
        if child.exit_code() is None:
            asyncio.get_running_loop().remove_reader(child.sentinel)
            self._orphans.add(child)
            return
        self._orphans.discard(child)
        self._let_go(child)
        self._wake()

    def _let_go(self, child: Child) -> None:
        """The process is gone. Its exit code is kept until the run that it had is forgotten."""
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

    def _see(self, key: RunKey, run: _Run) -> Seen:
        code = self._exit_code(run)
        name = f"pid-{run.child.pid}"
        if code is None:
            return Seen(key, name, Phase.RUNNING, Evidence(container_started=True))
        # An error of the machine is to be repeated: without its message a run would be taken for crashed.
        with machine_errors("read the message of a runner"):
            try:
                message = run.message_path.read_text(encoding="utf-8")
            except FileNotFoundError:
                message = ""
        evidence = Evidence(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            seen_as="Stopped" if run.stopped else None,
            message=message,
            container_started=True,
            node=os.uname().nodename,
        )
        return Seen(key, name, Phase.ENDED, evidence)
