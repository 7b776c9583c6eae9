"""Decides how many runs a pool should have, from its queue and from earlier decisions.

The rules are those of the HorizontalPodAutoscaler v2 with a `behavior`
(https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#configurable-scaling-behavior), with the
queue in place of a metric.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from controller.autoscaling.behavior import ScalingPolicy, ScalingRules
from controller.autoscaling.history import History, Step, recorded, since
from controller.pools.spec import PoolSpec


class Limit(StrEnum):
    """Why fewer or more runs are desired than are due."""

    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    STABILIZED = "stabilized"
    SCALE_UP_POLICY = "scale_up_policy"
    SCALE_DOWN_POLICY = "scale_down_policy"
    PAUSED = "paused"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A pool at one moment.

    Args:
        waiting: jobs that could be claimed: queued, or scheduled and due.
        running: runs that hold a slot.
        pending: those of them that have not started.
        maximum: the most runs it may have.
        paused: nothing is claimed.
        blocked: its runs cannot start, and one at a time probes it.
    """

    waiting: int
    running: int
    pending: int
    maximum: int
    paused: bool = False
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """How many runs a pool should have.

    Args:
        desired: the number. No more are claimed; runs beyond it go on.
        due: the number without any limit.
        limit: why `desired` differs from `due`.
        reason: the same in words.
        history: for the next decision.
    """

    desired: int
    due: int
    limit: Limit | None
    reason: str
    history: History


def decide(now: float, seen: Snapshot, spec: PoolSpec, before: int | None, history: History) -> Decision:
    """Decides how many runs a pool should have.

    Args:
        now: seconds, by the database's clock.
        seen: the pool.
        spec: its rules.
        before: the last decision; None if nobody has decided yet. Even then there may be runs.
        history: of the last decision.
    """
    up, down = spec.behavior.scale_up, spec.behavior.scale_down
    due = -(-(seen.waiting + seen.running) // spec.target_backlog_per_runner)
    floor = min(spec.min_parallelism, seen.maximum) if seen.waiting else 0
    # Values outside [floor, maximum] are clamped at once; scaling policies do not apply to that.
    until_now = seen.running if before is None else before
    current = min(max(until_now, floor), seen.maximum)

    highs = recorded(history.highs, now, current, due, down.stabilization_window_seconds, lambda old: old <= due)
    lows = recorded(history.lows, now, current, due, up.stabilization_window_seconds, lambda old: old >= due)
    goal = min(max(current, lows[0].value if lows else due), highs[0].value if highs else due)
    goal = min(max(goal, floor), seen.maximum)

    def desired_at(at: float) -> int:
        return next(iter(since(history.desired, at)), Step(at, until_now)).value

    desired = goal
    if goal > current:
        desired = max(current, min(goal, _most_after(up, now, current, desired_at)))
    elif goal < current:
        desired = min(current, max(goal, _least_after(down, now, current, desired_at)))

    if seen.blocked:
        desired = min(desired, seen.running + 1)
    if seen.paused:
        desired = 0
    limit = _limit(seen, due, desired, goal, floor)
    period = max((policy.period_seconds for policy in (*up.policies, *down.policies)), default=0)
    decided = recorded(history.desired, now, until_now, desired, period, lambda old: old == desired)
    return Decision(desired, due, limit, _in_words(seen, spec, due, desired, limit), History(highs, lows, decided))


def _most_after(rules: ScalingRules, now: float, current: int, desired_at: Callable[[float], int]) -> int:
    """The most runs to which the rules allow to scale up now."""
    if rules.select_policy == "Disabled":
        return current

    def allowed(policy: ScalingPolicy) -> int:
        begin = desired_at(now - policy.period_seconds)
        if policy.type == "Pods":
            return begin + policy.value
        # Rounded up, and zero counts as one, so that any share leads up from zero: unlike a Deployment, a pool with an
        # empty queue usually has none.
        return -(-max(begin, 1) * (100 + policy.value) // 100)

    select = min if rules.select_policy == "Min" else max
    return select(map(allowed, rules.policies), default=sys.maxsize)


def _least_after(rules: ScalingRules, now: float, current: int, desired_at: Callable[[float], int]) -> int:
    """The fewest runs to which the rules allow to scale down now."""
    if rules.select_policy == "Disabled":
        return current

    def allowed(policy: ScalingPolicy) -> int:
        begin = desired_at(now - policy.period_seconds)
        return begin - policy.value if policy.type == "Pods" else begin * (100 - policy.value) // 100

    select = max if rules.select_policy == "Min" else min
    return select(map(allowed, rules.policies), default=0)


def _limit(seen: Snapshot, due: int, desired: int, goal: int, floor: int) -> Limit | None:
    if seen.paused:
        return Limit.PAUSED
    if seen.blocked:
        return Limit.BLOCKED
    if desired < due:
        if desired == seen.maximum:
            return Limit.MAXIMUM
        return Limit.SCALE_UP_POLICY if desired < goal else Limit.STABILIZED
    if desired > due:
        if desired > goal:
            return Limit.SCALE_DOWN_POLICY
        return Limit.MINIMUM if desired == floor else Limit.STABILIZED
    return None


def _in_words(seen: Snapshot, spec: PoolSpec, due: int, desired: int, limit: Limit | None) -> str:
    behavior = spec.behavior
    match limit:
        case None:
            why = ""
        case Limit.PAUSED:
            why = "; paused"
        case Limit.BLOCKED:
            why = "; blocked, and only probed"
        case Limit.MAXIMUM:
            why = f"; at the maximum of {seen.maximum}"
        case Limit.MINIMUM:
            why = f"; at the minimum of {desired}"
        case Limit.STABILIZED if desired > due:
            why = f"; as many as were needed within the last {behavior.scale_down.stabilization_window_seconds} s"
        case Limit.STABILIZED:
            why = f"; no more than were needed all the last {behavior.scale_up.stabilization_window_seconds} s"
        case Limit.SCALE_UP_POLICY:
            why = f"; {due} are due, but scale-up is " + _kept(behavior.scale_up)
        case Limit.SCALE_DOWN_POLICY:
            why = f"; {due} are due, but scale-down is " + _kept(behavior.scale_down)
    return _queue_in_words(seen, spec.target_backlog_per_runner) + why


def _kept(rules: ScalingRules) -> str:
    return "disabled" if rules.select_policy == "Disabled" else "kept to its policies"


def _queue_in_words(seen: Snapshot, target: int) -> str:
    most = seen.maximum * target
    parts = []
    if seen.waiting > most:  # no more are counted
        parts.append(f"more than {most} jobs wait")
    elif seen.waiting:
        parts.append("1 job waits" if seen.waiting == 1 else f"{seen.waiting} jobs wait")
    if seen.running:
        noun = "" if parts else "job " if seen.running == 1 else "jobs "
        pending = f" ({seen.pending} not started yet)" if seen.pending else ""
        parts.append(f"{seen.running} {noun}{'runs' if seen.running == 1 else 'run'}{pending}")
    return f"{' and '.join(parts)}, {target} per runner" if parts else "no job waits or runs"
