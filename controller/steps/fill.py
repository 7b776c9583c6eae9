"""Claim and launch in turns, until slots, jobs or the time of a tick are used up."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from controller.context import Context
from controller.pools.spec import PoolSpec
from controller.steps.claim import claim
from controller.steps.launch import IN_FLIGHT, Launched, launch
from controller.steps.observe import Observation
from dataset_jobs.model.errors import Faulty
from dataset_jobs.store.controller_views import ClaimedRun, UnreleasedRun

ADOPT_AFTER = timedelta(seconds=10)
"""How long another controller's claims may stay without a launch before any controller launches them."""

CLAIM_BATCH = 64
"""How many jobs one claim takes at most: urgent jobs that come in meanwhile have to wait for them."""

UNANSWERED_LAUNCHES = 4
"""So many unanswered launches stop the claims of their pool; and so many are repeated before all others."""

LAUNCHING_SECONDS = 0.5
"""How long one tick goes on claiming: runs that end meanwhile should be settled soon."""

_log = logging.getLogger(__name__)


class Filling:
    """Fills the free slots of all pools.

    Args:
        tick_again: called if time was up with jobs left, to let the next tick come at once.
    """

    def __init__(self, tick_again: Callable[[], None]) -> None:
        self._tick_again = tick_again
        self._batches: dict[str, int] = {}
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)

    async def fill(self, context: Context, observed: Observation) -> Launched:
        """Repeats launches without an answer, then claims and launches new runs. Returns how the launches went."""
        unlaunched, repeated = await self._repeat(context, observed)
        unanswered = Counter(run.pool for run in unlaunched if not repeated.went_well)
        # Children that could not be started would not be counted.
        if not repeated.went_well and context.concurrency is not None:
            return repeated
        served = context.pools.served
        pools = {name: pool for name, pool in served.items() if unanswered[name] < UNANSWERED_LAUNCHES}
        return Launched.together([repeated, await self._fill(context, pools)])

    async def _repeat(self, context: Context, observed: Observation) -> tuple[Sequence[UnreleasedRun], Launched]:
        """The runs without a recorded launch, and how their launch went."""
        # Any controller may launch a Kubernetes Job that another one claimed, but not another one's child.
        patience = ADOPT_AFTER if context.launcher.outlives_controller else timedelta.max
        unlaunched = observed.unlaunched(context.owner, patience)
        if not unlaunched:
            return unlaunched, Launched()
        holding = await context.store.live_epochs({run.job_id for run in unlaunched})
        # A few, in any order, tell whether there are answers again; each may take as long as a request may.
        due = sorted((run for run in unlaunched if run.key in holding), key=lambda _: context.random())
        launched = await self._launch(context, due[:UNANSWERED_LAUNCHES])
        if launched.went_well:
            launched = await self._launch(context, due[UNANSWERED_LAUNCHES:])
        return unlaunched, launched

    async def _fill(self, context: Context, pools: Mapping[str, PoolSpec]) -> Launched:
        """Claims and launches until slots, jobs or time are used up; of each pool in turn.

        A few first: if the cluster refuses them, few claims have to be given back. If those went well, it claims the
        next ones while it launches the last. Children of this controller are claimed together instead: they are
        counted once they are launched, and nobody refuses them.
        """
        first = 1 if context.concurrency is None else CLAIM_BATCH
        until = time.monotonic() + LAUNCHING_SECONDS
        more = dict(pools)
        launching: dict[str, asyncio.Task[Launched]] = {}
        launches: list[asyncio.Task[Launched]] = []
        async with asyncio.TaskGroup() as group:
            while more and time.monotonic() < until:
                for name, pool in list(more.items()):
                    batch = self._batches.get(name, first)
                    try:
                        claimed = await claim(context, pool, batch)
                    except Faulty as error:  # the others go on
                        _log.error("pool %s: nothing can be claimed: %s", name, error)
                        del more[name]
                        continue
                    last = launching.get(name)
                    launching[name] = group.create_task(self._launch(context, claimed))
                    launches.append(launching[name])
                    if batch < CLAIM_BATCH or context.concurrency is not None:
                        last = launching[name]
                    if (last is not None and not (await last).went_well) or len(claimed) < batch:
                        del more[name]
                    self._batches[name] = min(4 * batch, CLAIM_BATCH)
        failed = {name for name, last in launching.items() if not last.result().went_well}
        more = {name: pool for name, pool in more.items() if name not in failed}
        self._batches = {name: batch for name, batch in self._batches.items() if name in more}
        if more:  # runs that ended meanwhile come first
            self._tick_again()
        return Launched.together([one.result() for one in launches])

    async def _launch(self, context: Context, runs: Sequence[ClaimedRun | UnreleasedRun]) -> Launched:
        return await launch(context, runs, self._in_flight)
