"""Settle: a run is over; its evidence is kept, its job moves on, its slot is free."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from controller.context import Context
from controller.launchers.interface import Phase, Seen
from controller.metrics import Metrics
from controller.outcomes.diagnosis import diagnose
from controller.outcomes.retry import settlement_of
from controller.steps.breaker import block
from dataset_jobs.model.causes import Cause
from dataset_jobs.model.errors import Permanent
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.model.settlement import Diagnosis, Evidence, RunFacts, Settled, Settlement
from dataset_jobs.model.states import JobState
from dataset_jobs.store.controller_views import UnreleasedRun

AT_ONCE = 8
"""Runs that are settled at the same time."""

_log = logging.getLogger(__name__)


async def settle_ended(context: Context, ended: Sequence[tuple[UnreleasedRun, Seen]], told: bool) -> None:
    """Settles runs that the launcher was seen to have ended.

    They are looked at again where the launcher was only told so, for it may not have been told of another pod, or of
    how this one ended; and where another pod than the one that was seen has taken it, a twin that came later.

    Args:
        ended: each run, and how it was seen.
        told: that is not from a list of everything.
    """
    again = [run.key for run, seen in ended if told or run.runner_uid not in (None, seen.evidence.pod_uid)]
    found = await context.launcher.find_all(again)
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(run: UnreleasedRun, seen: Seen) -> None:
        async with slots:
            await settle(context, run, seen.evidence)

    async with asyncio.TaskGroup() as group:
        for run, seen in ended:
            now = found.get(run.key, seen)
            if now.phase is Phase.ENDED:
                group.create_task(one(run, seen if now.evidence.gone else now))


async def settle(context: Context, run: UnreleasedRun, evidence: Evidence, diagnosis: Diagnosis | None = None) -> None:
    """Settles a run whose runner is over or gone, and lets the launcher forget it, or stop what is left of it.

    Args:
        run: it holds a slot until now. The launcher was asked after it was read.
        evidence: what was seen of it.
        diagnosis: where it is known already; else it is concluded from the evidence.
    """
    random = context.random()
    rules = context.pools.rules(run.pool)

    def decide(facts: RunFacts) -> Settlement:
        seen = _of_its_runner(evidence, run.runner_uid, facts)
        held_for = timedelta.max if facts.figures is None else facts.figures.held_for
        why = diagnosis or facts.ended or diagnose(seen, facts.outcome, facts.started, held_for)
        return settlement_of(why, facts, rules.retry, random, rules.memory)

    try:
        settled = await context.store.settle(run.key, evidence, decide, run.runner_uid)
    except Permanent as error:
        # What is wrong with one run must not keep the others from being settled.
        _log.error("cannot be settled: %s", error, extra={"job_id": str(run.job_id), "epoch": run.epoch})
        return
    if settled is not None:
        _log_settled(run, settled.settlement)
        _count(context.metrics, run.pool, settled, evidence)
        if settled.settlement.give_backs:
            await block(context, run, settled.settlement.diagnosis)
    # Only now, with the evidence stored. If we die before, rescue finds the Job as a stranger that is over.
    if evidence.left_running:
        await context.launcher.stop(run.key)  # its pod would never end, and take a node's room
    else:
        await context.launcher.forget(run.key, rules.keep_jobs)


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
    """What was seen, as far as it says anything of the run's own runner.

    Of two pods of one Job the one that has taken the run may be gone; that the other one found it taken is no news.
    And what has taken the run has started, whatever its pod says.
    """
    twin = evidence.pod_uid not in (None, runner_uid) and runner_uid is not None
    if twin and evidence.exit_code == ExitCode.LOST_LEASE:
        return Evidence(gone=True)
    return replace(evidence, container_started=evidence.container_started or facts.started)


def _log_settled(run: UnreleasedRun, settled: Settlement) -> None:
    about = {
        "job_id": str(run.job_id),
        "job_type": run.type,
        "dataset_id": str(run.dataset_id),
        "attempt": run.attempts + 1,
        "epoch": run.epoch,
        "cause": str(settled.diagnosis.cause),
    }
    if settled.diagnosis.reason:
        about["reason"] = str(settled.diagnosis.reason)
    if settled.diagnosis.cause is Cause.COMPLETED:
        _log.info("completed", extra=about)
    elif settled.state is JobState.FAILED:
        _log.error("failed: %s (%s)", settled.diagnosis.error, settled.why, extra=about)
    elif settled.state is JobState.SCHEDULED:
        again = _human(settled.wait)
        _log.warning(
            "retry in %s: %s (%s)",
            again,
            settled.diagnosis.error,
            settled.why,
            extra={**about, "retry_in_seconds": round(settled.wait.total_seconds(), 1)},
        )
    else:
        _log.warning("%s: %s (%s)", settled.state or "ended", settled.diagnosis.error, settled.why, extra=about)


def _human(wait: timedelta) -> str:
    seconds = round(wait.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds / 60:.1f} min"
