"""What no decision may break, whatever comes; and the decisions beside those of Kubernetes, told at full length."""

import json
import math
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.autoscaling.behavior import Behavior, ScalingPolicy, ScalingRules
from controller.autoscaling.decide import Decision, Snapshot, decide
from controller.autoscaling.history import STEPS, History
from controller.pools.spec import PoolSpec
from tests.unit.virtual_pool import NOON, VirtualPool


def policies(longest: int) -> st.SearchStrategy[ScalingPolicy]:
    return st.builds(ScalingPolicy, st.sampled_from(["Pods", "Percent"]), st.integers(1, 100), st.integers(1, longest))


def rules(longest: int, selects: tuple[str, ...] = ("Max", "Min", "Disabled")) -> st.SearchStrategy[ScalingRules]:
    several = st.lists(policies(longest), max_size=3).map(tuple)
    return st.builds(ScalingRules, st.integers(0, longest), several, st.sampled_from(selects))


def specs(longest: int, **how: tuple[str, ...]) -> st.SearchStrategy[PoolSpec]:
    ups = st.just(ScalingRules()) | rules(longest, **how)
    behaviors = st.builds(Behavior, ups, rules(longest, **how))
    return st.builds(
        PoolSpec,
        st.just("default"),
        min_parallelism=st.integers(0, 12),
        target_backlog_per_runner=st.integers(1, 20),
        behavior=behaviors,
    )


Queue = tuple[int, int, int, bool, bool]
"""Waiting, running, maximum, paused, blocked."""

seconds = st.floats(0.01, 400).map(lambda gap: round(gap, 3))
queues = st.tuples(st.integers(0, 300), st.integers(0, 30), st.integers(0, 40), st.booleans(), st.booleans())
looks = st.lists(st.tuples(seconds, queues), min_size=1, max_size=40)


def ceil_of(count: int, target: int) -> int:
    return -(-count // target)


@given(specs(3600), looks)
def test_it_is_never_beyond_its_bounds_and_never_more_than_its_history_needs(
    spec: PoolSpec, looks: list[tuple[float, Queue]]
) -> None:
    pool, at = VirtualPool(spec), 0.0
    for gap, (waiting, running, pool.maximum, paused, blocked) in looks:
        at += gap
        pool.waiting, pool.paused, pool.blocked = waiting, paused, blocked
        decision = decide(
            NOON + at,
            Snapshot(waiting, running, 0, pool.maximum, paused, blocked),
            spec,
            pool.desired,
            History.from_dict(json.loads(pool.history)),
        )
        pool.desired, pool.history = decision.desired, json.dumps(decision.history.as_dict())
        assert 0 <= decision.desired <= pool.maximum
        assert decision.due == ceil_of(waiting + running, spec.target_backlog_per_runner)
        assert (decision.limit is None) <= (decision.desired == decision.due)
        if paused:
            assert decision.desired == 0
        elif blocked:
            assert decision.desired <= running + 1
        elif waiting:
            assert decision.desired >= min(spec.min_parallelism, pool.maximum)
        if spec.behavior.scale_up == ScalingRules() and not paused and not blocked:
            assert decision.desired >= min(decision.due, pool.maximum), "nothing but the maximum is in the way"
        history = decision.history
        for steps in (history.highs, history.lows, history.desired):
            assert len(steps) <= STEPS + 3
            assert [step.at for step in steps] == sorted(step.at for step in steps)
        assert len(pool.history) < 6000
        assert History.from_dict(json.loads(pool.history)) == History.from_dict(decision.history.as_dict())


@given(specs(3600), st.integers(0, 5000), st.integers(1, 300), st.integers(0, 30))
def test_the_same_moment_decided_again_is_decided_alike(spec: PoolSpec, gap: int, waiting: int, desired: int) -> None:
    pool = VirtualPool(spec, maximum=50, waiting=20, desired=desired)
    pool.decide(0)
    pool.waiting = waiting
    first = pool.decide(gap)
    history = pool.history
    again = pool.decide(gap)
    assert (again.desired, again.limit, again.reason) == (first.desired, first.limit, first.reason)
    assert pool.history == history, "nothing is written while nothing changes"


@given(specs(120, selects=("Max", "Min")), looks, st.integers(0, 300), st.integers(0, 40))
@settings(max_examples=50)
def test_it_settles_at_what_is_due_within_its_bounds(
    spec: PoolSpec, looks: list[tuple[float, Queue]], waiting: int, maximum: int
) -> None:
    pool, at = VirtualPool(spec), 0.0
    for gap, (pool.waiting, _, pool.maximum, pool.paused, pool.blocked) in looks:
        at += gap
        pool.decide(at)
    pool.paused = pool.blocked = False
    pool.waiting, pool.maximum = waiting, maximum
    due = ceil_of(pool.waiting, spec.target_backlog_per_runner)
    floor = spec.min_parallelism if pool.waiting else 0
    for _ in range(200):  # one of 1 in 120 s at the slowest, 40 of them, and two windows
        at += 61
        pool.decide(at)
    assert pool.desired == min(max(due, floor), maximum)


@given(st.lists(policies(60), min_size=1, max_size=3), st.sampled_from(["Max", "Min"]), looks)
def test_policies_limit_the_rise_in_each_of_their_periods(
    several: list[ScalingPolicy], select: str, looks: list[tuple[float, Queue]]
) -> None:
    up = ScalingRules(0, tuple(several), select)  # type: ignore[arg-type]
    pool = VirtualPool(PoolSpec("default", behavior=Behavior(up, ScalingRules())), desired=0)
    at, was = 0.0, [(float("-inf"), 0)]
    for gap, (pool.waiting, *_) in looks:
        at += gap
        before = pool.desired or 0
        desired = pool.decide(at).desired
        if desired > before:
            allowed = []
            for policy in several:
                # Steps keep a distance of a second, so that a period may begin by as much sooner.
                begin, sooner = at - policy.period_seconds, at - policy.period_seconds - 1
                there = max(
                    [value for then, value in was if then <= sooner][-1:]
                    + [value for then, value in was if sooner < then <= begin]
                )
                share = math.ceil(max(there, 1) * (100 + policy.value) / 100)
                allowed.append(there + policy.value if policy.type == "Pods" else share)
            assert desired <= (min if select == "Min" else max)(allowed)
        was.append((at, desired))


@dataclass
class Kubernetes:
    """What `normalizeDesiredReplicasWithBehaviors` of the horizontal controller does, keeping all there ever was.

    A recommendation counts until the next one is there, as if it were repeated all the time.
    """

    spec: PoolSpec
    current: int = 0
    recommended: list[tuple[float, int]] = field(default_factory=lambda: [(float("-inf"), 0)])
    events: list[tuple[float, int]] = field(default_factory=list)

    def decide(self, now: float, due: int, maximum: int) -> int:
        self.recommended.append((now, due))
        up, down = self.spec.behavior.scale_up, self.spec.behavior.scale_down
        least = min([due, *self._due_within(now, up.stabilization_window_seconds)])
        most = max([due, *self._due_within(now, down.stabilization_window_seconds)])
        current = min(self.current, maximum)
        desired = min(max(current, least), most, maximum)
        if desired > current:
            desired = min(desired, max(current, self._limit(now, up, 1)))
        elif desired < current:
            desired = max(desired, min(current, self._limit(now, down, -1)))
        if desired != self.current:
            self.events.append((now, desired - self.current))
        self.current = desired
        return desired

    def _due_within(self, now: float, window: int) -> list[int]:
        ends = [at for at, _ in self.recommended[1:]] + [float("inf")]
        return [due for (_, due), end in zip(self.recommended, ends, strict=True) if end > now - window and window]

    def _limit(self, now: float, rules: ScalingRules, sign: int) -> int:
        if rules.select_policy == "Disabled":
            return self.current
        if not rules.policies:
            return sign * 10**9
        limits = []
        for policy in rules.policies:
            changed = sum(change for at, change in self.events if at > now - policy.period_seconds)
            begin = self.current - changed
            if policy.type == "Pods":
                limits.append(begin + sign * policy.value)
            elif sign > 0:
                limits.append(math.ceil(max(begin, 1) * (100 + policy.value) / 100))
            else:
                limits.append(begin * (100 - policy.value) // 100)
        widest = max if sign > 0 else min
        return (widest if rules.select_policy == "Max" else (min if sign > 0 else max))(limits)


WHOLE = st.lists(st.tuples(st.integers(1, 90), st.integers(0, 120)), min_size=1, max_size=60)


@given(st.builds(Behavior, rules(60), rules(60)), WHOLE)
@example(Behavior(), [(1, 5), (30, 0), (20, 3), (60, 0)])
@settings(max_examples=300)
def test_it_decides_as_kubernetes_does(behavior: Behavior, looks: list[tuple[int, int]]) -> None:
    spec = PoolSpec("default", behavior=behavior)
    pool, kubernetes, at = VirtualPool(spec, maximum=80, desired=0), Kubernetes(spec), 0
    for gap, pool.waiting in looks:
        at += gap
        decision: Decision = pool.decide(at)
        assert decision.desired == kubernetes.decide(at, pool.waiting, 80), (at, decision)
