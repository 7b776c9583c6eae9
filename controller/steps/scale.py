"""Scale: decides how many runs a pool is to have, before jobs are claimed for them.

All that a decision is made from is in the pool's row and in the queue, and it is written only over the decision that
it was made from. So anybody may make it; the lease says who does, so that several controllers do not write by turns.
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
"""How long the deciding is left to the controller that decided last. It renews that at half of it."""

DECISION_TRIES = 3
"""How often a decision is made anew in a tick because another controller's came between."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scaled:
    """What there is to tell of a pool.

    Args:
        seen: what it was decided from.
        decision: what follows from that; in force only where `leads`, or where it is more than was desired before.
        leads: this controller has the lease.
    """

    seen: Snapshot
    decision: Decision
    leads: bool


async def scale(context: Context, spec: PoolSpec) -> Scaled | None:
    """Decides, and writes what has changed; None where there is no such pool."""
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
        if await context.store.decide(spec.name, pool.decision, new, context.owner, DECIDER_LEASE if leads else None):
            if decision.desired != pool.desired:
                was = "" if pool.desired is None else f", was {pool.desired}"
                _log.info("pool %s: %d desired%s: %s", spec.name, decision.desired, was, decision.reason)
            return Scaled(seen, decision, leads)
    return Scaled(seen, decision, leads=False)  # others have decided, and will again


def _may_lead(pool: PoolCapacity, spec: PoolSpec, owner: str) -> bool:
    """It has the lease, nobody has, or whoever has does not know the pool's newest description."""
    return pool.decided_by == owner or pool.lease <= timedelta(0) or spec.generation > pool.generation


def _is_to_be_written(pool: PoolCapacity, spec: PoolSpec, decision: Decision, owner: str, leads: bool) -> bool:
    if not leads:
        # Jobs need not wait until the leader comes round: it may be busy, or gone.
        return spec.generation == pool.generation and pool.desired is not None and decision.desired > pool.desired
    # What was due is written when it is worth a step of its own, and else with the next renewal.
    return (
        pool.decided_by != owner
        or pool.lease <= DECIDER_LEASE / 2
        or (spec.generation, decision.desired) != (pool.generation, pool.desired)
        or decision.history.has_step_at(pool.now)
    )
