"""Scale: decides how many runs a pool should have, before claim takes jobs for them.

A decision depends only on the pool's row and the queue, and is written by compare-and-swap. Any controller may decide;
the lease keeps them from overwriting one another.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from controller.autoscaling.decide import Decision, Snapshot, decide
from controller.autoscaling.history import History
from controller.context import Context
from controller.pools.spec import PoolSpec
from dataset_jobs.store.capacity import NewDecision, PoolCapacity

DECIDER_LEASE = timedelta(seconds=10)
"""How long only the controller that decided last may lower the desired runs. It renews the lease after half of it."""

DECISION_TRIES = 3
"""How often a tick decides again because another controller's decision came between."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scaled:
    """A decision on a pool.

    Args:
        seen: the pool, as the decision saw it.
        decision: in force only if `leads`, or if it raises the desired runs.
        leads: this controller has the lease.
    """

    seen: Snapshot
    decision: Decision
    leads: bool


async def scale(context: Context, spec: PoolSpec) -> Scaled | None:
    """Decides, and writes a new decision; None if the pool does not exist."""
    for _ in range(DECISION_TRIES):
        pool = await context.store.capacity(spec.name, spec.target_backlog_per_runner)
        if pool is None:
            return None
        seen = Snapshot(pool.queued + pool.due, pool.running, pool.pending, pool.maximum, pool.paused, pool.blocked)
        decision = decide(pool.now, seen, spec, pool.desired, History.from_dict(pool.history))
        leads = _may_lead(pool, spec, context.owner)
        if not _is_to_be_written(pool, spec, decision, context.owner, leads):
            return Scaled(seen, decision, leads)
        new = NewDecision(
            minimum=spec.min_parallelism,
            desired=decision.desired,
            limited_by=decision.limit,
            reason=decision.reason,
            history=decision.history.as_dict(),
            generation=spec.generation,
        )
        if await context.store.record_decision(
            spec.name, pool.decision, new, context.owner, DECIDER_LEASE if leads else None
        ):
            if decision.desired != pool.desired:
                was = "" if pool.desired is None else f", was {pool.desired}"
                _log.info("pool %s: %d desired%s: %s", spec.name, decision.desired, was, decision.reason)
            return Scaled(seen, decision, leads)
    return Scaled(seen, decision, leads=False)  # others have decided, and will again


def _may_lead(pool: PoolCapacity, spec: PoolSpec, owner: str) -> bool:
    """Whether it has the lease, or may take it: it is free, or its owner has an older description of the pool."""
    return pool.decided_by == owner or pool.lease <= timedelta(0) or spec.generation > pool.generation


def _is_to_be_written(pool: PoolCapacity, spec: PoolSpec, decision: Decision, owner: str, leads: bool) -> bool:
    if not leads:
        # Jobs need not wait for the leader's next tick: it may be busy, or gone.
        return spec.generation == pool.generation and pool.desired is not None and decision.desired > pool.desired
    # A new due figure is written if it makes a step of its own; otherwise it waits for the next renewal.
    return (
        pool.decided_by != owner
        or pool.lease <= DECIDER_LEASE / 2
        or (spec.generation, decision.desired) != (pool.generation, pool.desired)
        or decision.history.has_step_at(pool.now)
    )
