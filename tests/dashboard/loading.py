"""Jobs that a real controller has run, in a thread: Playwright has an event loop in the thread of the tests."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.integration.world import World

BAD = "Mary,F,10\nAnna;F;9\n"
"""Its second line is no line of such a list."""

PAST = (
    "insert into pool_minutes (pool, minute, depth, oldest_wait_seconds, running, pending, desired, maximum, finished,"
    " failed, busy) select 'default', date_trunc('minute', now()) - n * interval '1 minute', n, n * 10, 2, 0, 3, 4, 5,"
    " 1, 60 from generate_series(1, 30) n"
)
"""Half an hour of a pool."""


def run_all(world: World, **how: Any) -> None:
    """Runs a controller until nothing is left to do; see `World.run_until_idle`."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, world.run_until_idle(**how)).result()


def at_work(world: World, rows: int) -> str:
    """A job whose run has said ten seconds after its start that it has read half of its file, and so many rows."""
    job_id = world.submit_small().job_id
    world.query("update jobs set state = 'running', lease_epoch = 1 where id = %s", job_id)
    world.query(
        "insert into runs (job_id, epoch, pool, launcher, owner, claimed_at, started_at, runner_uid, lease_until,"
        " bytes_done, rows_done) values (%s, 1, 'default', 'process', 'x', now() - interval '20 s',"
        " now() - interval '10 s', 'uid', now() + interval '1 minute', 6, %s)",
        job_id, rows,
    )  # fmt: skip
    return str(job_id)
