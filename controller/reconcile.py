"""The loop that runs the steps: level-triggered, so that a lost wake-up costs time and nothing else."""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta

from controller.pipeline.block import look_for_trouble
from controller.pipeline.claim import claim
from controller.pipeline.context import Context
from controller.pipeline.launch import launch
from controller.pipeline.observe import Observation, observe
from controller.pipeline.rescue import rescue
from controller.pipeline.retention import EVERY_SECONDS, remove_old_jobs
from controller.pipeline.settle import settle_ended
from dataset_jobs.migrations import LATEST
from dataset_jobs.model.errors import RunError

ADOPT_AFTER = timedelta(seconds=10)
"""How long another controller's claims may stay without a launch before any controller launches them."""

CLAIM_BATCH = 500
"""How many jobs one claim takes at the most."""

WAKE_SPACING_SECONDS = 0.02
"""Wake-ups that come together are answered by one tick."""

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
        progress: what the health probe asks of the loop.
        wake: set, in the event loop, to make the next tick come at once.
    """

    def __init__(self, context: Context, poll_seconds: float, wake: asyncio.Event, progress: Progress) -> None:
        self.context = context
        self.progress = progress
        self._poll_seconds = poll_seconds
        self._wake = wake
        self._claiming = True
        self._next_removal = time.monotonic()

    def stop_claiming(self) -> None:
        """From now on nothing is claimed or launched; what runs is settled as it ends."""
        self._claiming = False

    async def run(self, stop: asyncio.Event, until_idle: bool = False) -> None:
        """Ticks until `stop` is set, or until nothing is queued, due or running in the pool."""
        while not stop.is_set():
            went_through = await self.tick_safely()
            if until_idle and went_through and await self._idle():
                return
            await self._sleep()

    async def _idle(self) -> bool:
        try:
            return (await self.context.store.count_jobs(self.context.pool)).idle
        except RunError:
            return False

    async def tick_safely(self) -> bool:
        """One tick; an error of ours is logged and left to the next one. True where it went through."""
        self._wake.clear()
        error = ""
        try:
            await self.tick()
        except* RunError as errors:
            error = str(errors.exceptions[0])
            _log.warning("tick broken off, to be repeated: %s", error)
        self.progress.went_round(error)
        return not error

    async def tick(self) -> Observation:
        """The five steps, once; and every minute a batch of old jobs is removed."""
        await self.context.store.check_schema(LATEST)
        observed = await observe(self.context)
        for run, seen in observed.ended():
            await settle_ended(self.context, run, seen)
            self.progress.last_settle = time.monotonic()
        await rescue(self.context, observed)
        await look_for_trouble(self.context, observed)
        if self._claiming:
            await self._claim_and_launch(observed)
            if self.context.schedules is not None:
                await self.context.schedules.look()
        if time.monotonic() >= self._next_removal:
            self._next_removal = time.monotonic() + EVERY_SECONDS
            await remove_old_jobs(self.context)
        return observed

    async def _claim_and_launch(self, observed: Observation) -> None:
        # Another controller's children are its own; its Kubernetes Jobs are anybody's.
        patience = timedelta.max if self.context.launcher.name == "process" else ADOPT_AFTER
        unlaunched = observed.unlaunched(self.context.owner, patience)
        if unlaunched:  # and not settled since
            holding = await self.context.store.live_epochs({run.job_id for run in unlaunched})
            await launch(self.context, [run for run in unlaunched if run.key in holding])
        # A few first: where the cluster refuses them, few claims have to be given back.
        batch = 1
        while batch:
            claimed = await claim(self.context, batch)
            went_well = await launch(self.context, claimed)
            batch = min(4 * batch, CLAIM_BATCH) if went_well and len(claimed) == batch else 0

    async def _sleep(self) -> None:
        """Until something wakes the loop, the poll interval is over, or a scheduled job is due."""
        seconds = self._poll_seconds
        with contextlib.suppress(RunError):
            due = await self.context.store.seconds_until_due(self.context.pool)
            if due:  # what is overdue waits for a slot, and the end of a run wakes us
                seconds = min(seconds, due + WAKE_SPACING_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
            await asyncio.sleep(WAKE_SPACING_SECONDS)


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
