"""How many runs a pool is to have, as tables on virtual time."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from controller.autoscaling.behavior import Behavior, ScalingPolicy, ScalingRules
from controller.autoscaling.decide import Limit, Snapshot, decide
from controller.autoscaling.history import History
from controller.pools.spec import PoolSpec
from docs.generate.scaling import PAGE, svg
from tests.unit.virtual_pool import NOON, VirtualPool

AT_ONCE = ScalingRules()
DEFAULT = PoolSpec("default")
NO_WAIT = PoolSpec("default", behavior=Behavior(AT_ONCE, AT_ONCE))


def scaled_up(*policies: ScalingPolicy, **rules: object) -> PoolSpec:
    """A pool that goes down at once, and up by these rules."""
    return PoolSpec("default", behavior=Behavior(ScalingRules(policies=policies, **rules), AT_ONCE))  # type: ignore[arg-type]


def scaled_down(*policies: ScalingPolicy, **rules: object) -> PoolSpec:
    """A pool that goes up at once, and down by these rules."""
    return PoolSpec("default", behavior=Behavior(AT_ONCE, ScalingRules(policies=policies, **rules)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "seen", "desired", "limit", "reason"),
    [
        (DEFAULT, Snapshot(0, 0, 0, 9), 0, None, "no job waits or runs"),
        (DEFAULT, Snapshot(3, 2, 0, 9), 5, None, "3 jobs wait and 2 run, 1 per runner"),
        (DEFAULT, Snapshot(1, 1, 0, 9), 2, None, "1 job waits and 1 runs, 1 per runner"),
        (DEFAULT, Snapshot(0, 2, 1, 9), 2, None, "2 jobs run (1 not started yet), 1 per runner"),
        (DEFAULT, Snapshot(4, 1, 1, 9), 5, None, "4 jobs wait and 1 runs (1 not started yet), 1 per runner"),
        (replace(NO_WAIT, target_backlog_per_runner=10), Snapshot(13, 8, 0, 9), 3, None,
         "13 jobs wait and 8 run, 10 per runner"),
        (replace(DEFAULT, target_backlog_per_runner=10), Snapshot(13, 8, 0, 9), 8, Limit.STABILIZED,
         "13 jobs wait and 8 run, 10 per runner; as many as were needed within the last 300 s"),
        (DEFAULT, Snapshot(8, 2, 0, 9), 9, Limit.MAXIMUM,
         "8 jobs wait and 2 run, 1 per runner; at the maximum of 9"),
        (DEFAULT, Snapshot(10, 2, 0, 9), 9, Limit.MAXIMUM,
         "more than 9 jobs wait and 2 run, 1 per runner; at the maximum of 9"),
        (DEFAULT, Snapshot(3, 0, 0, 0), 0, Limit.MAXIMUM,
         "more than 0 jobs wait, 1 per runner; at the maximum of 0"),
        (replace(DEFAULT, min_parallelism=4, target_backlog_per_runner=10), Snapshot(1, 0, 0, 9), 4, Limit.MINIMUM,
         "1 job waits, 10 per runner; at the minimum of 4"),
        (replace(DEFAULT, min_parallelism=4), Snapshot(0, 0, 0, 9), 0, None, "no job waits or runs"),
        (replace(DEFAULT, min_parallelism=20), Snapshot(1, 0, 0, 9), 9, Limit.MINIMUM,
         "1 job waits, 1 per runner; at the minimum of 9"),
        (DEFAULT, Snapshot(3, 2, 0, 9, paused=True), 0, Limit.PAUSED,
         "3 jobs wait and 2 run, 1 per runner; paused"),
        (DEFAULT, Snapshot(3, 2, 0, 9, blocked=True), 3, Limit.BLOCKED,
         "3 jobs wait and 2 run, 1 per runner; blocked, and only probed"),
        (DEFAULT, Snapshot(3, 2, 0, 2, blocked=True), 2, Limit.BLOCKED,
         "more than 2 jobs wait and 2 run, 1 per runner; blocked, and only probed"),
        (scaled_up(ScalingPolicy("Pods", 4, 15)), Snapshot(7, 2, 0, 9), 6, Limit.SCALE_UP_POLICY,
         "7 jobs wait and 2 run, 1 per runner; 9 are due, but scale-up is kept to its policies"),
        (scaled_up(select_policy="Disabled"), Snapshot(7, 2, 0, 9), 2, Limit.SCALE_UP_POLICY,
         "7 jobs wait and 2 run, 1 per runner; 9 are due, but scale-up is disabled"),
    ],
)  # fmt: skip
def test_a_first_decision(spec: PoolSpec, seen: Snapshot, desired: int, limit: Limit | None, reason: str) -> None:
    decision = decide(NOON, seen, spec, None, History())
    assert (decision.desired, decision.limit, decision.reason) == (desired, limit, reason)


class At(NamedTuple):
    """At `second`, a number of jobs wait and none runs: the desired runs; None: no look at it."""

    second: float
    waiting: int
    desired: int | None
    limit: Limit | None = None


UP, DOWN, HELD, FULL = Limit.SCALE_UP_POLICY, Limit.SCALE_DOWN_POLICY, Limit.STABILIZED, Limit.MAXIMUM

TABLES: dict[str, tuple[PoolSpec, list[At]]] = {
    "by default it goes up at once, and down when nothing more was due for 300 s": (
        DEFAULT,
        [At(0, 0, 0), At(1, 50, 50), At(2, 60, 60), At(30, 5, 60, HELD), At(329, 5, 60, HELD), At(330, 5, 5),
         At(340, 0, 5, HELD), At(639, 0, 5, HELD), At(640, 0, 0)],
    ),
    "a pause between two bursts that is shorter than the window changes nothing": (
        DEFAULT,
        [At(0, 40, 40), At(10, 0, 40, HELD), At(200, 0, 40, HELD), At(290, 40, 40), At(310, 0, 40, HELD),
         At(609, 0, 40, HELD), At(610, 0, 0)],
    ),
    "steps keep a distance of 5 s, and what is due may be held by so much longer": (
        DEFAULT,
        [At(0, 9, 9), At(1, 8, 9, HELD), At(2, 7, 9, HELD), At(3, 6, 9, HELD), At(300, 6, 9, HELD), At(301, 6, 8, HELD),
         At(305, 6, 8, HELD), At(306, 6, 6)],
    ),
    "of several that were due in the window the most counts, and then the next": (
        DEFAULT,
        [At(0, 40, 40), At(50, 30, 40, HELD), At(100, 10, 40, HELD), At(349, 10, 40, HELD), At(350, 10, 30, HELD),
         At(399, 10, 30, HELD), At(400, 10, 10)],
    ),
    "it follows the queue at once in both directions where both windows are 0": (
        NO_WAIT, [At(0, 7, 7), At(0.1, 3, 3), At(0.2, 9, 9), At(0.3, 0, 0)],
    ),
    "a window of scale-up waits for what is due to last, and takes the least": (
        scaled_up(stabilization_window_seconds=30),
        [At(0, 0, 0), At(10, 8, 0, HELD), At(20, 4, 0, HELD), At(39, 9, 0, HELD), At(40, 9, 4, HELD),
         At(49, 9, 4, HELD), At(50, 9, 4, HELD), At(69, 9, 9)],
    ),
    "4 pods in 15 s": (
        scaled_up(ScalingPolicy("Pods", 4, 15)),
        [At(0, 0, 0), At(1, 20, 4, UP), At(2, 20, 4, UP), At(15.9, 20, 4, UP), At(16, 20, 8, UP), At(30, 20, 8, UP),
         At(31, 20, 12, UP), At(46, 14, 14), At(47, 20, 16, UP), At(61, 20, 18, UP), At(62, 20, 20)],
    ),
    "what was taken away within the period may be added again beside it": (
        scaled_up(ScalingPolicy("Pods", 4, 15)),
        [At(0, 4, 4), At(20, 0, 0), At(21, 20, 8, UP), At(34, 20, 8, UP), At(35, 20, 8, UP), At(36, 20, 12, UP)],
    ),
    "twice as many in 60 s, none counting as one, and rounded up": (
        scaled_up(ScalingPolicy("Percent", 100, 60)),
        [At(0, 0, 0), At(1, 50, 2, UP), At(60, 50, 2, UP), At(61, 50, 4, UP), At(121, 50, 8, UP), At(181, 50, 16, UP)],
    ),
    "of a share it is rounded up, so that it leads on": (
        scaled_up(ScalingPolicy("Percent", 10, 60)),
        [At(0, 0, 0), At(1, 50, 2, UP), At(61, 50, 3, UP), At(121, 50, 4, UP)],
    ),
    "the default policies of Kubernetes: the greater of 4 pods and twice as many, every 15 s": (
        scaled_up(ScalingPolicy("Percent", 100, 15), ScalingPolicy("Pods", 4, 15)),
        [At(0, 0, 0), At(1, 90, 4, UP), At(16, 90, 8, UP), At(31, 90, 16, UP), At(46, 90, 32, UP), At(61, 90, 64, UP),
         At(76, 90, 90)],
    ),
    "Min takes the policy that allows least": (
        scaled_up(ScalingPolicy("Percent", 100, 15), ScalingPolicy("Pods", 4, 15), select_policy="Min"),
        [At(0, 0, 0), At(1, 90, 2, UP), At(16, 90, 4, UP), At(31, 90, 8, UP), At(46, 90, 12, UP)],
    ),
    "at the maximum it is the maximum that is said": (
        scaled_up(ScalingPolicy("Pods", 60, 15)),
        [At(0, 0, 0), At(1, 500, 60, UP), At(16, 500, 100, FULL), At(17, 500, 100, FULL), At(18, 0, 0)],
    ),
    "down by 2 pods in 30 s": (
        scaled_down(ScalingPolicy("Pods", 2, 30)),
        [At(0, 9, 9), At(40, 0, 7, DOWN), At(69, 0, 7, DOWN), At(70, 0, 5, DOWN), At(71, 8, 8), At(72, 0, 5, DOWN),
         At(100, 0, 3, DOWN), At(130, 0, 1, DOWN), At(160, 0, 0)],
    ),
    "down by half in 60 s, down to none": (
        scaled_down(ScalingPolicy("Percent", 50, 60)),
        [At(0, 9, 9), At(100, 0, 4, DOWN), At(160, 0, 2, DOWN), At(220, 0, 1, DOWN), At(280, 0, 0)],
    ),
    "Min takes the policy that takes least away": (
        scaled_down(ScalingPolicy("Percent", 50, 60), ScalingPolicy("Pods", 2, 60), select_policy="Min"),
        [At(0, 9, 9), At(100, 0, 7, DOWN), At(160, 0, 5, DOWN)],
    ),
    "never down, where that is disabled": (
        scaled_down(select_policy="Disabled"), [At(0, 9, 9), At(1e6, 0, 9, DOWN)],
    ),
    "first the window, then the policies": (
        scaled_down(ScalingPolicy("Pods", 3, 10), stabilization_window_seconds=60),
        [At(0, 9, 9), At(30, 2, 9, HELD), At(89, 2, 9, HELD), At(90, 2, 6, DOWN), At(99, 2, 6, DOWN),
         At(100, 2, 3, DOWN), At(110, 2, 2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "table"), TABLES.values(), ids=TABLES.keys())
def test_over_time(spec: PoolSpec, table: list[At]) -> None:
    pool = VirtualPool(spec, desired=0)
    for at in table:
        pool.waiting = at.waiting
        decision = pool.decide(at.second)
        assert (at.second, decision.desired, decision.limit) == (at.second, at.desired, at.limit)


def test_the_reasons_of_what_takes_time_say_what_is_waited_for() -> None:
    pool = VirtualPool(DEFAULT, waiting=9)
    pool.decide(0)
    pool.waiting = 2
    assert pool.decide(1).reason == "2 jobs wait, 1 per runner; as many as were needed within the last 300 s"
    pool = VirtualPool(scaled_up(stabilization_window_seconds=30), waiting=9, desired=0)
    assert pool.decide(1).reason == "9 jobs wait, 1 per runner; no more than were needed all the last 30 s"
    pool = VirtualPool(scaled_down(ScalingPolicy("Pods", 1, 15)), waiting=2, desired=9)
    assert pool.decide(1).reason == "2 jobs wait, 1 per runner; 2 are due, but scale-down is kept to its policies"


def test_a_pool_below_its_minimum_is_raised_at_once() -> None:
    """It goes on from there by the policies."""
    pool = VirtualPool(replace(scaled_up(ScalingPolicy("Pods", 2, 15)), min_parallelism=10), waiting=50, desired=0)
    assert [pool.decide(at).desired for at in (0, 14, 15)] == [10, 10, 12]


def test_a_lower_maximum_holds_at_once_and_drains() -> None:
    pool = VirtualPool(DEFAULT, maximum=20, run_seconds=60)
    assert pool.tick(0, arrived=100).desired == 20
    assert pool.running == 20
    pool.maximum = 5
    decision = pool.tick(1)
    assert (decision.desired, decision.limit, pool.running) == (5, Limit.MAXIMUM, 20)
    assert (pool.tick(59).desired, pool.running) == (5, 20)
    assert (pool.tick(60).desired, pool.running) == (5, 5)
    pool.maximum = 30
    assert (pool.tick(61).desired, pool.running) == (30, 30)


def test_what_is_paused_drains_and_goes_on_as_its_policies_let_it() -> None:
    pool = VirtualPool(scaled_up(ScalingPolicy("Pods", 10, 15)), run_seconds=60)
    pool.tick(-100)
    assert [pool.tick(at, arrived).desired for at, arrived in ((0, 100), (15, 0))] == [10, 20]
    pool.paused = True
    assert (pool.tick(20).limit, pool.desired, pool.running) == (Limit.PAUSED, 0, 20)
    pool.tick(80)
    assert (pool.running, pool.waiting) == (0, 80)
    pool.paused = False
    assert [pool.tick(at).desired for at in (81, 95, 96)] == [10, 10, 20]


def test_a_pool_that_is_blocked_has_room_for_a_probe_beside_what_runs() -> None:
    pool = VirtualPool(DEFAULT, run_seconds=60)
    pool.tick(0, arrived=3)
    pool.blocked = True
    assert pool.tick(1, arrived=50).desired == 4
    pool.blocked = False
    assert pool.tick(2).desired == 53


def test_what_ran_before_anybody_decided_is_where_the_policies_begin() -> None:
    pool = VirtualPool(scaled_up(ScalingPolicy("Pods", 4, 15)))
    pool.maximum, pool.desired = 9, None
    pool.tick(0, arrived=4)
    pool.desired, pool.history = None, "{}"
    assert pool.tick(1, arrived=9).desired == 8


def test_a_clock_that_goes_back_holds_nothing_for_longer_than_the_window() -> None:
    pool = VirtualPool(DEFAULT, waiting=9)
    pool.decide(1000)
    pool.waiting = 0
    assert [pool.decide(at).desired for at in (0, 299, 309, 310)] == [9, 9, 9, 0]


def test_the_plot_in_the_documents_is_what_the_function_decides() -> None:
    assert PAGE.read_text(encoding="utf-8") == svg(), "run `make docs`"


@pytest.mark.parametrize(
    "stored",
    [None, [], 7, "x", {"highs": 3}, {"lows": [[1]]}, {"desired": [["x", 1]]}, {"highs": [[float("inf"), 1]]}],
)
def test_a_history_that_cannot_be_read_is_none(stored: object) -> None:
    """It is made anew by the decisions that follow."""
    assert History.from_dict(stored) == History()
