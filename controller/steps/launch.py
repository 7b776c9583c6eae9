"""Launch: hands claimed runs to the launcher, under names that follow from job and epoch.

The run itself is the outbox: without `launched_at` it is launched, again and again. Only a definite refusal gives the
claim back (a snooze). No answer, or one that proves nothing, means the same name again at the next tick.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple, Self

from controller.context import Context
from controller.launchers.interface import Launch, LaunchRefused
from controller.outcomes.retry import settlement_of
from controller.steps.breaker import block
from dataset_jobs.logs import DETAIL
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.model.settlement import Diagnosis, Evidence
from dataset_jobs.store.controller_views import ClaimedRun, UnreleasedRun, log_fields

IN_FLIGHT = 16
"""How many launches are under way at the same time."""

_log = logging.getLogger(__name__)


class Launched(NamedTuple):
    """How some launches went: whether all went well, and why one of them has no answer."""

    went_well: bool = True
    unanswered: Unavailable | None = None

    @classmethod
    def together(cls, launches: Sequence[Self]) -> Self:
        """Sums up several."""
        unanswered = [one.unanswered for one in launches if one.unanswered is not None]
        return cls(all(one.went_well for one in launches), unanswered[0] if unanswered else None)


async def launch(
    context: Context, runs: Sequence[ClaimedRun | UnreleasedRun], in_flight: asyncio.Semaphore
) -> Launched:
    """Launches runs; leaves those without an answer to the next tick.

    Args:
        runs: of any pools.
        in_flight: limits the launches under way at the same time, of all calls together.
    """

    async def one(run: ClaimedRun | UnreleasedRun) -> str | Unavailable | None:
        async with in_flight:
            return await _launch_one(context, run)

    async with asyncio.TaskGroup() as group:
        launches = [(run, group.create_task(one(run))) for run in runs]
    names = {run.key: name for run, launch in launches if isinstance(name := launch.result(), str)}
    unanswered = [error for _, launch in launches if isinstance(error := launch.result(), Unavailable)]
    if names:
        # All at once: if we die before, they are launched again, and the launcher finds them there.
        recorded = await context.store.record_launches(names)
        for run in runs:
            if run.key in names:
                after = recorded.get(run.key)
                context.metrics.launched(run.pool, None if after is None else after.total_seconds())
    return Launched(len(names) == len(runs), unanswered[0] if unanswered else None)


async def _launch_one(context: Context, run: ClaimedRun | UnreleasedRun) -> str | Unavailable | None:
    """The launcher's name for the run, or why it did not answer; None if it refused."""
    about = log_fields(run)
    asked = Launch(
        run.key,
        run.dataset_id,
        run.type,
        run.attempts + 1,
        run.memory_doublings,
        run.pool,
        context.pools.rules(run.pool).template,
        run.secret or "",
    )
    try:
        try:
            name = await context.launcher.launch(asked)
        except LaunchRefused as refused:
            context.metrics.not_launched(run.pool, answered=True)
            back = "claim given back" if await _give_back(context, run, refused) else "not given back yet"
            _log.warning("launch refused, %s: %s", back, refused, extra=about)
            return None
    except Unavailable as error:
        context.metrics.not_launched(run.pool, answered=False)
        _log.debug("launch not answered, to be repeated: %s", error, extra=about)
        if not isinstance(run, UnreleasedRun) or run.waits_for != error.cause:
            await context.store.record_waiting(run.key, Diagnosis(error.cause, None, str(error)))
        return error
    _log.info("launched as %s", name, extra={**about, **DETAIL})
    return name


async def _give_back(context: Context, run: ClaimedRun | UnreleasedRun, refused: LaunchRefused) -> bool:
    diagnosis = Diagnosis(refused.cause, refused.reason, str(refused))
    evidence = Evidence(message=str(refused))
    # Another controller's launch of the same run, or an earlier one of ours, may have taken effect, or may still do so.
    # So free the slot only if no runner has taken the run, none can from now on, and this was the first launch.
    # Otherwise rescue frees it, once no launch can take effect any more, or what it started is stopped and gone.
    if not await context.store.end_run(run.key, diagnosis, evidence, only_unstarted=True):
        return False
    given_back = False
    if isinstance(run, ClaimedRun) and await context.launcher.get(run.key) is None:
        async with context.store.locked_run(run.key) as locked:
            if locked is not None:
                policy = context.pools.rules(run.pool).retry
                settlement = settlement_of(diagnosis, locked.facts, policy, context.random())
                await locked.settle(settlement, evidence)
        if locked is not None:
            given_back = True
            context.metrics.settled(run.pool, settlement, held_seconds=0.0, busy_seconds=0.0)
    await block(context, run, diagnosis)
    return given_back
