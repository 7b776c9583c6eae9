"""A controller that dies by SIGKILL at a chosen point: `python -m tests.integration.crashing_controller …`.

Points: before-launch (claimed, not launched), after-launch (launched, not recorded), after-record (both, and then
nobody settles it). The launcher is wrapped; nothing of the product is changed.
"""

import argparse
import asyncio
import os
import signal
from collections.abc import Collection
from datetime import timedelta
from functools import partial

from controller.launchers.interface import Launch, Launcher, ObservedRun
from controller.launchers.process.launcher import ProcessLauncher
from controller.pools.spec import KEEP
from dataset_jobs.model.keys import RunKey
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from parser_runner.child import begin, run_child
from tests.kit.controller import controller


class Dying:
    """Passes everything on to a launcher, and dies at the point."""

    def __init__(self, launcher: Launcher, point: str) -> None:
        self.name = launcher.name
        self.outlives_controller = launcher.outlives_controller
        self._launcher = launcher
        self._point = point
        self._launched = False

    async def launch(self, launch: Launch) -> str:
        if self._point == "before-launch":
            _die()
        name = await self._launcher.launch(launch)
        if self._point == "after-launch":
            _die()
        self._launched = True
        return name

    async def list_all(self) -> list[ObservedRun]:
        return await self._launcher.list_all()

    def take_changed(self) -> set[RunKey]:
        if self._launched and self._point == "after-record":
            _die()
        return self._launcher.take_changed()

    async def get_cached(self, keys: Collection[RunKey]) -> list[ObservedRun]:
        return await self._launcher.get_cached(keys)

    async def get(self, key: RunKey) -> ObservedRun | None:
        return await self._launcher.get(key)

    async def get_many(self, keys: Collection[RunKey]) -> dict[RunKey, ObservedRun]:
        return await self._launcher.get_many(keys)

    async def stop(self, key: RunKey, now: bool = False) -> None:
        await self._launcher.stop(key, now)

    async def release(self, key: RunKey, keep: timedelta = KEEP) -> None:
        await self._launcher.release(key, keep)

    async def close(self) -> None:
        await self._launcher.close()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def crash(conninfo: str, launcher: Launcher, point: str) -> None:
    """Runs a controller until it has died."""
    async with controller_pool(conninfo, 2) as pool:
        dying = Dying(launcher, point)
        reconciler = controller(ControllerStore(pool), dying, f"crashing-{os.getpid()}", poll_seconds=0.1)
        await reconciler.run(asyncio.Event())


def main() -> None:
    """Reads the arguments; the runner's settings come from the environment."""
    parser = argparse.ArgumentParser()
    parser.add_argument("point", choices=["before-launch", "after-launch", "after-record"])
    arguments = parser.parse_args()
    environment = dict(os.environ)
    launcher = ProcessLauncher(partial(run_child, environment), [], lambda: None, begin)
    asyncio.run(crash(environment["DATABASE_URL"], launcher, arguments.point))


if __name__ == "__main__":
    main()
