"""A controller with the process launcher, to be killed: `python -m tests.chaos.process_controller OWNER`."""

import asyncio
import os
import sys
from functools import partial

from controller.context import Context
from controller.launchers.process.launcher import ProcessLauncher
from controller.loop import Reconciler
from controller.loop_health import LoopHealth
from controller.pools.source import OnePool
from controller.pools.spec import PoolSpec
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from parser_runner.child import run_child
from tests.chaos.controllers import RETRY


async def work(owner: str) -> None:
    """Until it is killed."""
    environment = dict(os.environ)
    wake = asyncio.Event()
    launcher = ProcessLauncher(partial(run_child, environment), ["parser_runner.child"], wake.set)
    async with controller_pool(environment["DATABASE_URL"], 4) as pool:
        context = Context(ControllerStore(pool), launcher, owner, OnePool(PoolSpec("default", retry=RETRY)), 4)
        await Reconciler(context, 0.1, wake, LoopHealth()).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
