"""Settle: a run is over. Keep its evidence, move its job on, free its slot."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from controller.context import Context
from controller.launchers.interface import ObservedRun, Phase
from controller.metrics import Metrics
from controller.outcomes.diagnosis import diagnose
from controller.outcomes.retry import settlement_of
from controller.steps.breaker import block
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import Permanent
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.settlement import COMPLETED, Diagnosis, Evidence, RunFacts, Settled, Settlement
from dataset_jobs.model.states import JobState
from dataset_jobs.store.controller_views import UnreleasedRun, log_fields

SETTLE_CONCURRENCY = 8
"""How many runs are settled at the same time."""

_log = logging.getLogger(__name__)


async def settle_ended(context: Context, ended: Sequence[tuple[UnreleasedRun, ObservedRun]], cached: bool) -> None:
    """Settles runs that have ended.

    It asks the launcher again if only the cache shows the end (it may have missed events), or if a different pod took
    the run: a duplicate pod that came later.

    Args:
        ended: each run, and its state in the launcher.
        cached: the state is cached, not from a list of everything.
    """
    again = [run.key for run, seen in ended if cached or run.runner_uid not in (None, seen.evidence.pod_uid)]
    found = await context.launcher.get_many(again)
    slots = asyncio.Semaphore(SETTLE_CONCURRENCY)

    async def one(run: UnreleasedRun, seen: ObservedRun) -> None:
        async with slots:
            await settle(context, run, seen.evidence)

    async with asyncio.TaskGroup() as group:
        for run, seen in ended:
            now = found.get(run.key, seen)
            if now.phase is Phase.ENDED:
                group.create_task(one(run, seen if now.evidence.gone else now))


async def settle(context: Context, run: UnreleasedRun, evidence: Evidence, diagnosis: Diagnosis | None = None) -> None:
    """Settles a run whose runner is over or gone; the launcher then releases it, or stops what is left of it.

    Args:
        run: it still holds its slot. The launcher was asked after it was read.
        evidence: what the launcher saw.
        diagnosis: why it ended, if that is known already; else `diagnose` concludes it from the evidence.
    """
    try:
        settled = await _decided_under_lock(context, run, evidence, diagnosis)
    except Permanent as error:
        # One bad run must not keep the others from being settled.
        _log.error("cannot be settled: %s", error, extra=log_fields(run))
        return
    if settled is not None:
        _log_settled(run, *settled)
        _count(context.metrics, run.pool, settled, evidence)
        context.tally.failed += settled.settlement.state is JobState.FAILED
        if settled.settlement.give_backs:
            await block(context, run, settled.settlement.diagnosis)
    # Only now, with the evidence stored. If we die before, rescue finds the Job as an orphan that is over.
    if evidence.left_running:
        await context.launcher.stop(run.key)  # its pod would never end, and would keep its room on the node
    else:
        await context.launcher.release(run.key, context.pools.rules(run.pool).keep_jobs)


async def _decided_under_lock(
    context: Context, run: UnreleasedRun, evidence: Evidence, diagnosis: Diagnosis | None
) -> Settled | None:
    """Decides on the job by the facts under lock, and writes it; None if the run was settled already."""
    rules = context.pools.rules(run.pool)
    async with context.store.locked_run(run.key, run.runner_uid) as locked:
        if locked is None:
            return None
        why = diagnosis or locked.facts.ended or _diagnosed(run, evidence, locked.facts)
        settlement = settlement_of(why, locked.facts, rules.retry, context.random(), rules.memory)
        await locked.settle(settlement, evidence)
    return Settled(settlement, locked.facts)


def _diagnosed(run: UnreleasedRun, evidence: Evidence, facts: RunFacts) -> Diagnosis:
    if facts.committed:
        return COMPLETED
    held_for = timedelta.max if facts.figures is None else facts.figures.held_for
    return diagnose(_of_its_runner(evidence, run.runner_uid, facts), facts.outcome, facts.started, held_for)


def _count(metrics: Metrics, pool: str, settled: Settled, evidence: Evidence) -> None:
    settlement, figures = settled.settlement, settled.facts.figures
    if figures is None:
        return
    metrics.settled(pool, settlement, figures.held_for.total_seconds(), figures.busy_for.total_seconds())
    over_for = figures.over_for(evidence.started_at, evidence.finished_at)
    if over_for is not None:
        metrics.settled_after(pool, over_for.total_seconds())
    if settlement.diagnosis.cause is Cause.COMPLETED:
        metrics.loaded(pool, figures.rows, figures.bytes)


def _of_its_runner(evidence: Evidence, runner_uid: str | None, facts: RunFacts) -> Evidence:
    """The evidence, as far as it concerns the run's own runner.

    A duplicate pod that found the run taken says nothing of the pod that took it, which may be gone. And a runner that
    took the run has started, whatever its pod says.
    """
    duplicate_pod = evidence.pod_uid not in (None, runner_uid) and runner_uid is not None
    if duplicate_pod and evidence.exit_code == ExitCode.LOST_LEASE:
        return Evidence(gone=True)
    return replace(evidence, container_started=evidence.container_started or facts.started)


def _log_settled(run: UnreleasedRun, settlement: Settlement, facts: RunFacts) -> None:
    """One line for each run: what became of its file, and why."""
    diagnosis, why = settlement.diagnosis, settlement.why
    about = {**log_fields(run), "cause": str(diagnosis.cause)}
    if diagnosis.reason:
        about["reason"] = str(diagnosis.reason)
    if diagnosis.cause is Cause.COMPLETED:
        rows = 0 if facts.figures is None else facts.figures.rows
        _log.info("completed: %s row%s", f"{rows:,}", "" if rows == 1 else "s", extra={**about, "rows": rows})
    elif settlement.state is JobState.FAILED and diagnosis.cause is Cause.REJECTED:
        # The file's fault: nothing is wrong here.
        _log.warning("rejected: %s", diagnosis.error, extra=about)
    elif settlement.state is JobState.FAILED:
        _log.error("failed: %s (%s)", diagnosis.error, why, extra=about)
    elif settlement.state is JobState.CANCELLED:
        _log.info("cancelled", extra=about)
    elif settlement.state is JobState.SCHEDULED:
        seconds = settlement.wait.total_seconds()
        extra = {**about, "retry_in_seconds": round(seconds, 1)}
        _log.warning("retry in %s: %s (%s)", _human(settlement.wait), diagnosis.error, why, extra=extra)
    else:
        became = "queued again" if settlement.state is JobState.QUEUED else settlement.state or "ended"
        _log.warning("%s: %s (%s)", became, diagnosis.error, why, extra=about)


def _human(wait: timedelta) -> str:
    seconds = round(wait.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.1f} min"
