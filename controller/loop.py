"""The loop that runs the steps. It is level-triggered: a lost wake-up costs time and nothing else."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from controller.background.retention import RETENTION_SECONDS, remove_old_jobs
from controller.background.schedules import Schedules
from controller.background.unreachable import Unreachable
from controller.background.waiting import never
from controller.context import Context
from controller.loop_health import LoopHealth
from controller.steps.breaker import look_for_trouble
from controller.steps.fill import Filling
from controller.steps.launch import Launched
from controller.steps.observe import Observation, observe, observe_changes
from controller.steps.rescue import give_up_unlaunched, rescue
from controller.steps.scale import scale
from controller.steps.settle import settle_ended
from dataset_jobs.migrations import LATEST
from dataset_jobs.model.errors import Faulty, RunError, Unavailable
from dataset_jobs.model.local_machine import machine_error

Met = TypeVar("Met", bound=BaseException)

Step = Callable[[Observation], Awaitable[None]]

RESYNC_SECONDS = 60.0
"""Between two looks at everything."""

SETTLE_BATCH = 64
"""How many runs are asked for together before they are settled."""

RETRY_SECONDS = 1.0
"""Pause after a tick that was broken off, or left a launch unanswered; at most the poll interval. Doubles each time."""

WAKE_SPACING_SECONDS = 0.01
"""Between two ticks, so that one tick answers wake-ups that come together."""

_log = logging.getLogger(__name__)


class Reconciler:
    """Runs the steps until somebody stops it.

    Args:
        context: what the steps work with.
        poll_seconds: between two ticks if nothing wakes it.
        resync_seconds: between two looks at everything; the ticks between them look at changes only.
        health: kept up to date, for the health probe.
        wake: set, in the event loop, to make the next tick come at once.
        schedules: the recurring submissions; None if this controller does none.
    """

    def __init__(
        self,
        context: Context,
        poll_seconds: float,
        wake: asyncio.Event,
        health: LoopHealth,
        resync_seconds: float = RESYNC_SECONDS,
        schedules: Schedules | None = None,
    ) -> None:
        self.context = context
        self.health = health
        self.schedules = schedules
        self._poll_seconds = poll_seconds
        self._resync_seconds = resync_seconds
        self._next_resync = 0.0
        self._wake = wake
        self._filling = Filling(wake.set)
        self._unreachable = Unreachable()
        self._claiming = True
        self._launched = Launched()
        self._leads: set[str] = set()
        """The pools that this controller decides for."""
        self._next_removal = time.monotonic()

    def stop_claiming(self) -> None:
        """Claims and launches nothing from now on; runs are still settled as they end."""
        self._claiming = False

    async def run(self, stop: asyncio.Event, until_idle: bool = False) -> None:
        """Ticks until `stop` is set, or until nothing is queued, due or running in its pools.

        Raises:
            Permanent: `until_idle`, and ticks fail again and again, or runs never start, and only a person can fix it.
        """
        while not stop.is_set():
            error = await self._tick(resync=time.monotonic() >= self._next_resync)
            trouble = self.health.ticks.trouble
            if until_idle and error is not None and trouble is not None and trouble.is_never:
                raise error
            if until_idle and error is None:
                if await self._idle():
                    return
                await self._refuse_what_never_starts()
            await self._sleep()

    async def _idle(self) -> bool:
        try:
            return (await self.context.store.count_jobs(self.context.pools.served)).idle
        except RunError:
            return False

    async def _refuse_what_never_starts(self) -> None:
        with contextlib.suppress(Unavailable):
            error = await never(self.context)
            if error is not None:
                raise error

    async def tick_safely(self, resync: bool = True) -> bool:
        """One tick; logs an error of ours and leaves it to the next tick. True if it went through."""
        return await self._tick(resync) is None

    async def _tick(self, resync: bool) -> RunError | None:
        self._wake.clear()
        self._launched = Launched()
        error: RunError | None = None
        began = time.monotonic()
        try:
            await self.tick(resync)
        except* RunError as errors:
            error = _first_of(errors)
        except* (OSError, MemoryError) as errors:
            error = machine_error(_first_of(errors), "do this tick")
        if error is None:
            await self._unreachable.went_through(self.context)
        else:
            self._next_resync = 0.0  # some changes may still need attention
            await self._unreachable.failed(self.context, error)
        before = self.health.ticks.trouble
        say = self.health.went_round(error)
        now = time.monotonic()
        if say and (trouble := self.health.ticks.trouble):
            _log.warning("tick broken off, to be repeated: %s", trouble.describe(now))
        elif say and before:
            _log.info("ticks go through again, after %.0f s", now - before.since)
        if error is None:
            self._launches_went(now)
        self.context.metrics.tick(now - began, error is None)
        return error

    def _launches_went(self, now: float) -> None:
        launches = self.health.launches
        if self._launched.unanswered is None:
            launches.passed()
        elif launches.failed(self._launched.unanswered, now) and launches.trouble:
            _log.warning("launches are not answered, to be repeated: %s", launches.trouble.describe(now))

    async def tick(self, resync: bool = True) -> Observation:
        """Observes, and takes the steps that follow; then does what is due beside them.

        Args:
            resync: look at everything, not only at known changes.
        """
        await self.context.store.check_schema(LATEST)
        await self.context.pools.refresh()
        if resync:
            self._next_resync = time.monotonic() + self._resync_seconds
        observed = await (observe if resync else observe_changes)(self.context)
        for step in self.steps().values():
            await step(observed)
        if self._claiming:
            await self.context.pools.report(self._leads)
            if self.schedules is not None:
                await self.schedules.look()
        if time.monotonic() >= self._next_removal:
            self._next_removal = time.monotonic() + RETENTION_SECONDS
            await remove_old_jobs(self.context)
        return observed

    def steps(self) -> dict[str, Step]:
        """The steps that follow observe, by name and in order."""
        steps: dict[str, Step] = {
            "settle": self._settle,
            "rescue": partial(rescue, self.context),
            "block": partial(look_for_trouble, self.context),
        }
        if self._claiming:
            return steps | {"scale": self._scale, "claim and launch": self._claim_and_launch}
        return steps | {"give up": partial(give_up_unlaunched, self.context)}

    async def _settle(self, observed: Observation) -> None:
        ended = observed.ended()
        for first in range(0, len(ended), SETTLE_BATCH):
            batch = ended[first : first + SETTLE_BATCH]
            await settle_ended(self.context, batch, cached=observed.looked_for is not None)
            self.health.last_settle = time.monotonic()

    async def _scale(self, _: Observation) -> None:
        self._leads = set()
        for name, pool in self.context.pools.served.items():
            try:
                scaled = await scale(self.context, pool)
            except Faulty as error:  # the others go on
                _log.error("pool %s: how many runs it is to have cannot be decided: %s", name, error)
                continue
            if scaled is not None and scaled.leads:
                self._leads.add(name)

    async def _claim_and_launch(self, observed: Observation) -> None:
        self._launched = await self._filling.fill(self.context, observed)

    async def _sleep(self) -> None:
        """Sleeps until something wakes the loop, the poll interval is over, or a scheduled job is due."""
        trouble = self.health.trouble
        again = min(self._poll_seconds, RETRY_SECONDS)
        pause = self._poll_seconds if self._launched.went_well else again
        seconds = trouble.wait(again) if trouble else pause
        with contextlib.suppress(RunError):
            # If the database is away, asking it would only add another wait.
            due = (
                0.0
                if self.health.ticks.trouble
                else await self.context.store.seconds_until_due(self.context.pools.served)
            )
            if due:  # overdue jobs wait for a slot, and the end of a run wakes us
                seconds = min(seconds, due + WAKE_SPACING_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
            await asyncio.sleep(WAKE_SPACING_SECONDS - self.health.seconds_since_round())


def _first_of(errors: BaseExceptionGroup[Met]) -> Met:
    first: Met | BaseExceptionGroup[Met] = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


async def drain(reconciler: Reconciler, grace_seconds: float, hurry: asyncio.Event) -> None:
    """Ends a controller whose runs are its children: lets them finish, then interrupts them and requeues their jobs.

    Args:
        reconciler: claims nothing from now on.
        grace_seconds: how long children may go on.
        hurry: set by a second signal; ends the waiting.
    """
    reconciler.stop_claiming()
    launcher = reconciler.context.launcher
    for seconds, stop_now in ((grace_seconds, None), (5.0, False), (2.0, True)):
        if stop_now is not None:
            for seen in await launcher.list_all():
                await launcher.stop(seen.key, now=stop_now)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not hurry.is_set():
            await reconciler.tick_safely()
            if not await launcher.list_all():
                return
            await asyncio.sleep(0.05)
