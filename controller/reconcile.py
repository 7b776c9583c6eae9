"""The loop that runs the steps: level-triggered, so that a lost wake-up costs time and nothing else."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from controller.pipeline.block import look_for_trouble
from controller.pipeline.claim import claim
from controller.pipeline.context import Context
from controller.pipeline.launch import IN_FLIGHT, launch
from controller.pipeline.observe import Observation, observe, observe_changes
from controller.pipeline.rescue import rescue
from controller.pipeline.retention import EVERY_SECONDS, remove_old_jobs
from controller.pipeline.scale import scale
from controller.pipeline.settle import settle_ended
from controller.policy.pool_spec import PoolSpec
from dataset_jobs.migrations import LATEST
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.local_machine import machine_error
from dataset_jobs.store.controller_views import ClaimedRun, UnreleasedRun

ADOPT_AFTER = timedelta(seconds=10)
"""How long another controller's claims may stay without a launch before any controller launches them."""

RESYNC_SECONDS = 60.0
"""Between two looks at everything, unless it is said otherwise."""

CLAIM_BATCH = 64
"""How many jobs one claim takes at the most: what comes in meanwhile has to wait for them, however urgent it is."""

LAUNCHING_SECONDS = 0.5
"""For how long one tick goes on claiming: what ends meanwhile is to be settled soon."""

SETTLE_BATCH = 64
"""How many runs are looked at together, before they are settled."""

AGAIN_SECONDS = 1.0
"""After a tick that was broken off, or left a launch without an answer, unless the poll interval is shorter."""

WAKE_SPACING_SECONDS = 0.01
"""Between two ticks: wake-ups that come together are answered by one."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """What the health probe asks of the loop.

    Args:
        last_round: when the last tick ended, however it ended; by the monotonic clock.
        last_settle: when a run was settled that the launcher had seen ending.
        last_error: of the last tick; empty where it went through.
    """

    last_round: float = field(default_factory=time.monotonic)
    last_settle: float = field(default_factory=time.monotonic)
    last_error: str = "not started"

    def went_round(self, error: str) -> None:
        """A tick has ended, with this error or none."""
        self.last_error = error
        self.last_round = time.monotonic()

    def seconds_since_round(self) -> float:
        """Since the last tick ended."""
        return time.monotonic() - self.last_round


class Reconciler:
    """Runs the steps until it is told to stop.

    Args:
        context: what the steps work with.
        poll_seconds: between two ticks where nothing wakes it.
        resync_seconds: between two looks at everything; the ticks between them look at what has changed.
        progress: what the health probe asks of the loop.
        wake: set, in the event loop, to make the next tick come at once.
    """

    def __init__(
        self,
        context: Context,
        poll_seconds: float,
        wake: asyncio.Event,
        progress: Progress,
        resync_seconds: float = RESYNC_SECONDS,
    ) -> None:
        self.context = context
        self.progress = progress
        self._poll_seconds = poll_seconds
        self._resync_seconds = resync_seconds
        self._next_resync = 0.0
        self._batches: dict[str, int] = {}
        self._wake = wake
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)
        self._claiming = True
        self._again = False
        self._next_removal = time.monotonic()

    def stop_claiming(self) -> None:
        """From now on nothing is claimed or launched; what runs is settled as it ends."""
        self._claiming = False

    async def run(self, stop: asyncio.Event, until_idle: bool = False) -> None:
        """Ticks until `stop` is set, or until nothing is queued, due or running in its pools."""
        while not stop.is_set():
            went_through = await self.tick_safely(resync=time.monotonic() >= self._next_resync)
            if until_idle and went_through and await self._idle():
                return
            await self._sleep()

    async def _idle(self) -> bool:
        try:
            return (await self.context.store.count_jobs(self.context.pools.served)).idle
        except RunError:
            return False

    async def tick_safely(self, resync: bool = True) -> bool:
        """One tick; an error of ours is logged and left to the next one. True where it went through."""
        self._wake.clear()
        self._again = False
        error = ""
        began = time.monotonic()
        try:
            await self.tick(resync)
        except* RunError as errors:
            error = self._broken_off(_first_of(errors))
        except* (OSError, MemoryError) as errors:
            first = _first_of(errors)
            assert isinstance(first, (OSError, MemoryError))
            error = self._broken_off(machine_error(first, "do this tick"))
        self.progress.went_round(error)
        self.context.metrics.tick(time.monotonic() - began, not error)
        return not error

    def _broken_off(self, error: BaseException) -> str:
        _log.warning("tick broken off, to be repeated: %s", error)
        self._again = True
        self._next_resync = 0.0  # what had changed may not have been seen to
        return str(error)

    async def tick(self, resync: bool = True) -> Observation:
        """The six steps, once; and every minute a batch of old jobs is removed.

        Args:
            resync: look at everything, not only at what is known to have changed.
        """
        await self.context.store.check_schema(LATEST)
        await self.context.pools.refresh()
        if resync:
            self._next_resync = time.monotonic() + self._resync_seconds
        observed = await (observe if resync else observe_changes)(self.context)
        await self._settle(observed)
        await rescue(self.context, observed)
        await look_for_trouble(self.context, observed)
        if self._claiming:
            leads = await self._claim_and_launch(observed)
            await self.context.pools.report(leads)
            if self.context.schedules is not None:
                await self.context.schedules.look()
        if time.monotonic() >= self._next_removal:
            self._next_removal = time.monotonic() + EVERY_SECONDS
            await remove_old_jobs(self.context)
        return observed

    async def _settle(self, observed: Observation) -> None:
        ended = observed.ended()
        for first in range(0, len(ended), SETTLE_BATCH):
            batch = ended[first : first + SETTLE_BATCH]
            await settle_ended(self.context, batch, told=observed.looked_for is not None)
            self.progress.last_settle = time.monotonic()

    async def _claim_and_launch(self, observed: Observation) -> set[str]:
        """The pools that this controller decides for."""
        # Another controller's children are its own; its Kubernetes Jobs are anybody's.
        patience = timedelta.max if self.context.launcher.name == "process" else ADOPT_AFTER
        unlaunched = observed.unlaunched(self.context.owner, patience)
        went_well = True
        if unlaunched:  # and not settled since
            holding = await self.context.store.live_epochs({run.job_id for run in unlaunched})
            went_well = await self._launch([run for run in unlaunched if run.key in holding])
        pools = self.context.pools.served
        leads = set()
        for name, pool in pools.items():
            scaled = await scale(self.context, pool)
            if scaled is not None and scaled.leads:
                leads.add(name)
        # Children that could not be started would not be counted.
        if went_well or self.context.concurrency is None:
            await self._fill(pools)
        return leads

    async def _fill(self, pools: Mapping[str, PoolSpec]) -> None:
        """Claims and launches until slots or jobs are used up, or time is; of each pool in turn.

        A few first: where the cluster refuses them, few claims have to be given back. When those went well, the next
        are claimed while the last are being launched; but not where the runs that were launched are counted, as
        children of this controller are: nobody refuses those, and they are claimed together.
        """
        first = 1 if self.context.concurrency is None else CLAIM_BATCH
        until = time.monotonic() + LAUNCHING_SECONDS
        more = dict(pools)
        launching: dict[str, asyncio.Task[bool]] = {}
        async with asyncio.TaskGroup() as group:
            while more and time.monotonic() < until:
                for name, pool in list(more.items()):
                    batch = self._batches.get(name, first)
                    claimed = await claim(self.context, pool, batch)
                    last = launching.get(name)
                    launching[name] = group.create_task(self._launch(claimed))
                    if batch < CLAIM_BATCH or self.context.concurrency is not None:
                        last = launching[name]
                    if (last is not None and not await last) or len(claimed) < batch:
                        del more[name]
                    self._batches[name] = min(4 * batch, CLAIM_BATCH)
        more = {name: pool for name, pool in more.items() if name not in launching or launching[name].result()}
        self._batches = {name: batch for name, batch in self._batches.items() if name in more}
        if more:  # what has ended meanwhile comes first
            self._wake.set()

    async def _launch(self, runs: Sequence[ClaimedRun | UnreleasedRun]) -> bool:
        went_well = await launch(self.context, runs, self._in_flight)
        self._again = self._again or not went_well
        return went_well

    async def _sleep(self) -> None:
        """Until something wakes the loop, the poll interval is over, or a scheduled job is due."""
        seconds = min(self._poll_seconds, AGAIN_SECONDS) if self._again else self._poll_seconds
        with contextlib.suppress(RunError):
            due = await self.context.store.seconds_until_due(self.context.pools.served)
            if due:  # what is overdue waits for a slot, and the end of a run wakes us
                seconds = min(seconds, due + WAKE_SPACING_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
            await asyncio.sleep(WAKE_SPACING_SECONDS - self.progress.seconds_since_round())


def _first_of(errors: BaseException) -> BaseException:
    while isinstance(errors, BaseExceptionGroup):
        errors = errors.exceptions[0]
    return errors


async def drain(reconciler: Reconciler, grace_seconds: float, hurry: asyncio.Event) -> None:
    """Ends a controller whose runs are its children: lets them finish, then interrupts them and gives their jobs back.

    Args:
        reconciler: it claims nothing from now on.
        grace_seconds: how long children may go on.
        hurry: set by a second signal; ends the waiting.
    """
    reconciler.stop_claiming()
    launcher = reconciler.context.launcher
    for seconds, stop_now in ((grace_seconds, None), (5.0, False), (2.0, True)):
        if stop_now is not None:
            for seen in await launcher.seen():
                await launcher.stop(seen.key, now=stop_now)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not hurry.is_set():
            await reconciler.tick_safely()
            if not await launcher.seen():
                return
            await asyncio.sleep(0.05)
