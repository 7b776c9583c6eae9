"""A controller with the process launcher, to be killed: `python -m tests.chaos.process_controller OWNER`."""

import asyncio
import os
import sys
from functools import partial

from controller.launchers.process.launcher import ProcessLauncher
from controller.pools.spec import PoolSpec
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_connection import controller_pool
from parser_runner.child import begin, run_child
from tests.chaos.controllers import RETRY
from tests.kit.controller import controller


async def work(owner: str) -> None:
    """Until it is killed."""
    environment = dict(os.environ)
    wake = asyncio.Event()
    launcher = ProcessLauncher(partial(run_child, environment), ["parser_runner.child"], wake.set, begin)
    async with controller_pool(environment["DATABASE_URL"], 4) as pool:
        pools = PoolSpec("default", retry=RETRY)
        store = ControllerStore(pool)
        reconciler = controller(store, launcher, owner, pools, concurrency=4, poll_seconds=0.1, wake=wake)
        await reconciler.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
