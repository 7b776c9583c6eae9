"""The loop that runs the steps: level-triggered, so that a lost wake-up costs time and nothing else."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from controller.background.retention import EVERY_SECONDS, remove_old_jobs
from controller.background.schedules import Schedules
from controller.background.unreachable import Unreachable
from controller.background.waiting import never
from controller.context import Context
from controller.pools.spec import PoolSpec
from controller.steps.breaker import look_for_trouble
from controller.steps.claim import claim
from controller.steps.launch import IN_FLIGHT, launch
from controller.steps.observe import Observation, observe, observe_changes
from controller.steps.rescue import give_up_unlaunched, rescue
from controller.steps.scale import scale
from controller.steps.settle import settle_ended
from dataset_jobs.migrations import LATEST
from dataset_jobs.model.errors import Faulty, RunError, Unavailable
from dataset_jobs.model.local_machine import machine_error
from dataset_jobs.model.trouble import Repeated, Trouble
from dataset_jobs.store.controller_views import ClaimedRun, UnreleasedRun

Met = TypeVar("Met", bound=BaseException)

ADOPT_AFTER = timedelta(seconds=10)
"""How long another controller's claims may stay without a launch before any controller launches them."""

RESYNC_SECONDS = 60.0
"""Between two looks at everything, unless it is said otherwise."""

CLAIM_BATCH = 64
"""How many jobs one claim takes at the most: what comes in meanwhile has to wait for them, however urgent it is."""

UNANSWERED_LAUNCHES = 4
"""So many of a pool stop its claims while they have no answer; and so many are repeated before all the others are."""

LAUNCHING_SECONDS = 0.5
"""For how long one tick goes on claiming: what ends meanwhile is to be settled soon."""

SETTLE_BATCH = 64
"""How many runs are looked at together, before they are settled."""

AGAIN_SECONDS = 1.0
"""After a tick that was broken off, or left a launch without an answer, unless the poll interval is shorter; then twice
as long each time."""

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
        ticks: what breaks them off again and again.
        launches: what leaves them without an answer, while ticks go through.
    """

    last_round: float = field(default_factory=time.monotonic)
    last_settle: float = field(default_factory=time.monotonic)
    last_error: str = "not started"
    ticks: Repeated = field(default_factory=Repeated)
    launches: Repeated = field(default_factory=Repeated)

    @property
    def trouble(self) -> Trouble | None:
        """What keeps the controller from its work now."""
        return self.ticks.trouble or self.launches.trouble

    def went_round(self, error: RunError | None) -> bool:
        """A tick has ended, with this error or none. Returns whether to say so."""
        self.last_error = "" if error is None else str(error)
        self.last_round = time.monotonic()
        return self.ticks.passed() if error is None else self.ticks.failed(error, self.last_round)

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
        schedules: the recurring submissions; None if this controller does none.
    """

    def __init__(
        self,
        context: Context,
        poll_seconds: float,
        wake: asyncio.Event,
        progress: Progress,
        resync_seconds: float = RESYNC_SECONDS,
        schedules: Schedules | None = None,
    ) -> None:
        self.context = context
        self.progress = progress
        self.schedules = schedules
        self._poll_seconds = poll_seconds
        self._resync_seconds = resync_seconds
        self._next_resync = 0.0
        self._batches: dict[str, int] = {}
        self._wake = wake
        self._in_flight = asyncio.Semaphore(IN_FLIGHT)
        self._unreachable = Unreachable()
        self._claiming = True
        self._again = False
        self._unanswered: Unavailable | None = None
        self._next_removal = time.monotonic()

    def stop_claiming(self) -> None:
        """From now on nothing is claimed or launched; what runs is settled as it ends."""
        self._claiming = False

    async def run(self, stop: asyncio.Event, until_idle: bool = False) -> None:
        """Ticks until `stop` is set, or until nothing is queued, due or running in its pools.

        Raises:
            Permanent: `until_idle`, and ticks fail again and again, or runs never start, in a way that does not pass
                by itself.
        """
        while not stop.is_set():
            error = await self._tick(resync=time.monotonic() >= self._next_resync)
            trouble = self.progress.ticks.trouble
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
        """One tick; an error of ours is logged and left to the next one. True where it went through."""
        return await self._tick(resync) is None

    async def _tick(self, resync: bool) -> RunError | None:
        self._wake.clear()
        self._again = False
        self._unanswered = None
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
            self._next_resync = 0.0  # what had changed may not have been seen to
            await self._unreachable.failed(self.context, error)
        before = self.progress.ticks.trouble
        say = self.progress.went_round(error)
        now = time.monotonic()
        if say and (trouble := self.progress.ticks.trouble):
            _log.warning("tick broken off, to be repeated: %s", trouble.describe(now))
        elif say and before:
            _log.info("ticks go through again, after %.0f s", now - before.since)
        if error is None:
            self._launches_went(now)
        self.context.metrics.tick(now - began, error is None)
        return error

    def _launches_went(self, now: float) -> None:
        launches = self.progress.launches
        if self._unanswered is None:
            launches.passed()
        elif launches.failed(self._unanswered, now) and launches.trouble:
            _log.warning("launches are not answered, to be repeated: %s", launches.trouble.describe(now))

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
        if not self._claiming:
            await give_up_unlaunched(self.context, observed)
        else:
            leads = await self._claim_and_launch(observed)
            await self.context.pools.report(leads)
            if self.schedules is not None:
                await self.schedules.look()
        if time.monotonic() >= self._next_removal:
            self._next_removal = time.monotonic() + EVERY_SECONDS
            await remove_old_jobs(self.context)
        return observed

    async def _settle(self, observed: Observation) -> None:
        ended = observed.ended()
        for first in range(0, len(ended), SETTLE_BATCH):
            batch = ended[first : first + SETTLE_BATCH]
            await settle_ended(self.context, batch, cached=observed.looked_for is not None)
            self.progress.last_settle = time.monotonic()

    async def _claim_and_launch(self, observed: Observation) -> set[str]:
        """The pools that this controller decides for."""
        # Another controller's children are its own; its Kubernetes Jobs are anybody's.
        patience = ADOPT_AFTER if self.context.launcher.outlives_controller else timedelta.max
        unlaunched = observed.unlaunched(self.context.owner, patience)
        went_well = True
        if unlaunched:  # and not settled since
            holding = await self.context.store.live_epochs({run.job_id for run in unlaunched})
            # A few, in any order, tell whether there are answers again; each may take as long as a request may.
            due = sorted((run for run in unlaunched if run.key in holding), key=lambda _: self.context.random())
            went_well = await self._launch(due[:UNANSWERED_LAUNCHES]) and await self._launch(due[UNANSWERED_LAUNCHES:])
        unanswered = Counter(run.pool for run in unlaunched if not went_well)
        pools = self.context.pools.served
        leads = set()
        for name, pool in pools.items():
            try:
                scaled = await scale(self.context, pool)
            except Faulty as error:  # the others go on
                _log.error("pool %s: how many runs it is to have cannot be decided: %s", name, error)
                continue
            if scaled is not None and scaled.leads:
                leads.add(name)
        # Children that could not be started would not be counted.
        if went_well or self.context.concurrency is None:
            open_pools = {name: pool for name, pool in pools.items() if unanswered[name] < UNANSWERED_LAUNCHES}
            await self._fill(open_pools)
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
                    try:
                        claimed = await claim(self.context, pool, batch)
                    except Faulty as error:  # the others go on
                        _log.error("pool %s: nothing can be claimed: %s", name, error)
                        del more[name]
                        continue
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
        went_well, unanswered = await launch(self.context, runs, self._in_flight)
        self._again = self._again or not went_well
        self._unanswered = self._unanswered or unanswered
        return went_well

    async def _sleep(self) -> None:
        """Until something wakes the loop, the poll interval is over, or a scheduled job is due."""
        trouble = self.progress.trouble
        again = min(self._poll_seconds, AGAIN_SECONDS)
        seconds = trouble.wait(again) if trouble else again if self._again else self._poll_seconds
        with contextlib.suppress(RunError):
            # A database that is away would only be waited for once more.
            due = (
                0.0
                if self.progress.ticks.trouble
                else await self.context.store.seconds_until_due(self.context.pools.served)
            )
            if due:  # what is overdue waits for a slot, and the end of a run wakes us
                seconds = min(seconds, due + WAKE_SPACING_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
            await asyncio.sleep(WAKE_SPACING_SECONDS - self.progress.seconds_since_round())


def _first_of(errors: BaseExceptionGroup[Met]) -> Met:
    first: Met | BaseExceptionGroup[Met] = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


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
            for seen in await launcher.list_all():
                await launcher.stop(seen.key, now=stop_now)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not hurry.is_set():
            await reconciler.tick_safely()
            if not await launcher.list_all():
                return
            await asyncio.sleep(0.05)
