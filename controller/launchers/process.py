"""Runs as child processes of the controller, on one machine.

They are forked from a warm parent that has the runner's imports loaded (a forkserver), which is eight times as fast
as a fresh interpreter. A child exits when the pipe to the controller closes, whatever ended the controller.
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
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from controller.launchers import KEEP, Launch, Phase, Seen
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import Evidence

RunnerEntry = Callable[[str, int, str], None]
"""The runner's entry point: job id, epoch, and the path for its termination message. Importable by name."""


@dataclass(slots=True)
class _Child:
    process: ForkServerProcess
    message_path: Path
    stopped: bool = False
    """We have told it to end."""


class ProcessLauncher:
    """Launches runs as child processes.

    Args:
        entry: what each child calls; it ends by exiting.
        preload: modules that the warm parent imports once.
        wake: called in the event loop whenever a child has ended.
    """

    name = "process"

    def __init__(self, entry: RunnerEntry, preload: list[str], wake: Callable[[], None]) -> None:
        self._entry = entry
        self._wake = wake
        self._children: dict[RunKey, _Child] = {}
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(preload)
        self._messages = tempfile.TemporaryDirectory(prefix="affirm-worker-")

    async def launch(self, launch: Launch) -> str:
        child = self._children.get(launch.key)
        if child is None:
            child = self._start(launch)
            self._children[launch.key] = child
            asyncio.get_running_loop().add_reader(child.process.sentinel, self._ended, child.process.sentinel)
        return f"pid-{child.process.pid}"

    async def seen(self) -> list[Seen]:
        return [self._see(key, child) for key, child in self._children.items()]

    def changed(self) -> set[RunKey]:
        return set(self._children)

    async def known(self, keys: Collection[RunKey]) -> list[Seen]:
        return [seen for seen in await self.seen() if seen.key in keys]

    async def find(self, key: RunKey) -> Seen | None:
        child = self._children.get(key)
        return None if child is None else self._see(key, child)

    async def find_all(self, keys: Collection[RunKey]) -> dict[RunKey, Seen]:
        return {seen.key: seen for seen in await self.known(keys)}

    async def stop(self, key: RunKey, now: bool = False) -> None:
        child = self._children.get(key)
        if child is not None and child.stopped and not now:
            return  # once is enough: a second SIGTERM might meet the child while it tidies up
        if child is not None and child.process.exitcode is None and child.process.pid is not None:
            child.stopped = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.process.pid, signal.SIGKILL if now else signal.SIGTERM)

    async def forget(self, key: RunKey, keep: timedelta = KEEP) -> None:
        child = self._children.get(key)
        if child is not None and child.process.exitcode is not None:
            del self._children[key]
            child.process.close()
            child.message_path.unlink(missing_ok=True)

    async def close(self) -> None:
        for key in list(self._children):
            await self.stop(key, now=True)
        self._messages.cleanup()

    def _start(self, launch: Launch) -> _Child:
        message_path = Path(self._messages.name, f"{launch.key.job_id.hex}-{launch.key.epoch}")
        process = self._context.Process(
            target=self._entry,
            args=(str(launch.key.job_id), launch.key.epoch, str(message_path)),
            name=f"parser-runner {launch.key}",
            daemon=False,
        )
        try:
            process.start()
        except OSError as error:
            raise Unavailable(f"cannot start a process: {error.strerror}", Reason.TEMPORARY_IO) from None
        return _Child(process, message_path)

    def _ended(self, sentinel: int) -> None:
        asyncio.get_running_loop().remove_reader(sentinel)
        self._wake()

    def _see(self, key: RunKey, child: _Child) -> Seen:
        code = child.process.exitcode
        name = f"pid-{child.process.pid}"
        if code is None:
            return Seen(key, name, Phase.RUNNING, Evidence(container_started=True))
        try:
            message = child.message_path.read_text(encoding="utf-8")
        except OSError:
            message = ""
        evidence = Evidence(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            seen_as="Stopped" if child.stopped else None,
            message=message,
            container_started=True,
            node=os.uname().nodename,
        )
        return Seen(key, name, Phase.ENDED, evidence)
