"""The number of runs that a pool should have: decided, kept in its row, and honoured by claims; on a real Postgres."""

import asyncio
import logging
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from controller.autoscaling.behavior import Behavior, ScalingPolicy, ScalingRules
from controller.autoscaling.decide import Limit
from controller.context import Context
from controller.pools.runner_pod import RunnerTemplate
from controller.pools.spec import PoolSpec
from controller.steps.scale import DECIDER_LEASE, Scaled, scale
from dataset_jobs.store.capacity import NewDecision
from dataset_jobs.store.controller import ControllerStore
from dataset_jobs.store.controller_views import ClaimedRun
from dataset_jobs.store.statements import statement
from tests.fakes.launcher import FakeLauncher
from tests.faults.actor import Actor, Boundary
from tests.faults.ports import exposed
from tests.integration.world import World
from tests.kit.controller import controller

pytestmark = pytest.mark.every_postgres

DEFAULT = PoolSpec("default")
SLOWLY = PoolSpec("default", behavior=Behavior(ScalingRules(policies=(ScalingPolicy("Pods", 2, 1800),))))


@dataclass(frozen=True)
class SeveralPools:
    """More than one pool, as they are for good."""

    served: dict[str, PoolSpec]
    warnings: tuple[str, ...] = ()

    async def refresh(self) -> None:
        """Nothing changes."""

    def rules(self, pool: str) -> PoolSpec:
        return self.served[pool]

    async def report(self, leads: Container[str]) -> None:
        """Nobody is told."""


DECIDED = NewDecision(0, 3, None, "somebody else's", {}, 0)


def files(world: World, count: int, first: int = 1950) -> None:
    for year in range(first, first + count):
        world.submit_small(year)


def pool(world: World) -> dict[str, Any]:
    return world.one("select * from pools")


def as_controller(store: ControllerStore, owner: str) -> Context:
    return controller(store, FakeLauncher(), owner, DEFAULT).context


async def claim(store: ControllerStore, limit: int = 500, owner: str = "a") -> list[ClaimedRun]:
    return await store.claim("default", limit, "kubernetes", owner, timedelta(minutes=1))


async def scaled(context: Context, spec: PoolSpec = DEFAULT) -> Scaled:
    result = await scale(context, spec)
    assert result is not None
    return result


def expire(world: World, seconds: float = 0) -> None:
    """The lease ends in this number of seconds."""
    world.query("update pools set decided_until = clock_timestamp() + %s", timedelta(seconds=seconds))


async def test_decision_and_claim_are_in_one_tick(world: World) -> None:
    """For a job in an idle pool."""
    launcher = FakeLauncher()
    async with world.controller(launcher, concurrency=None) as reconciler:
        await reconciler.tick()
        assert pool(world)["desired"] == 0
        files(world, 3)
        await reconciler.tick()
    assert len(launcher.launches) == 3
    assert (pool(world)["desired"], pool(world)["limited_by"]) == (3, None)


async def test_claims_take_no_more_than_is_desired_and_never_more_than_the_maximum(world: World) -> None:
    files(world, 9)
    async with world.store() as store:
        context = as_controller(store, "a")
        assert (await scaled(context, SLOWLY)).decision.desired == 2
        assert len(await claim(store)) == 2
        assert await claim(store) == []
        world.query("update pools set desired = 100, max_running = 5")
        assert len(await claim(store)) == 3
        world.query("update pools set desired = 1, max_running = 100")
        assert await claim(store) == []
    assert world.one("select count(*) from runs where ended_at is null")["count"] == 5, "what runs goes on"


async def test_where_nobody_has_decided_the_maximum_alone_holds(world: World) -> None:
    files(world, 3)
    world.query("update pools set max_running = 2")
    async with world.store() as store:
        assert len(await claim(store)) == 2


async def test_nothing_is_written_while_nothing_changes_but_the_lease(world: World) -> None:
    files(world, 2)
    async with world.store() as store:
        context = as_controller(store, "a")
        await scaled(context)
        await claim(store)
        expire(world, 3600)
        first = pool(world)
        for _ in range(5):
            assert (await scaled(context)).leads
        assert pool(world) == first
        expire(world, DECIDER_LEASE.total_seconds() / 2 - 0.1)
        lease = pool(world)["decided_until"]
        await scaled(context)
    then = pool(world)
    assert then["decided_until"] > lease
    assert (then["decision"], then["decided_at"]) == (first["decision"] + 1, first["decided_at"])
    assert then["reason"] == "2 jobs run (2 not started yet), 1 per runner"


async def test_a_due_figure_beginning_a_window_is_written_once(world: World) -> None:
    """At once."""
    steadily = PoolSpec("default", behavior=Behavior(ScalingRules(stabilization_window_seconds=3600)))
    async with world.store() as store:
        context = as_controller(store, "a")
        await scaled(context, steadily)
        world.query(  # so long ago that a step of its own is worth it
            "update pools set history = jsonb_build_object('lows',"
            " jsonb_build_array(jsonb_build_array(extract(epoch from now())::int - 300, 0)))"
        )
        files(world, 3)
        expire(world, 3600)
        assert (await scaled(context, steadily)).decision.limit == Limit.STABILIZED
        expire(world, 3600)
        first = pool(world)
        assert [due for _, due in first["history"]["lows"]] == [0, 3]
        files(world, 1, first=1960)
        assert (await scaled(context, steadily)).decision.due == 4
    assert pool(world) == first


async def test_of_several_controllers_one_decides_and_another_goes_on_where_it_stopped(world: World) -> None:
    files(world, 6)
    async with world.store() as store:
        a, b = as_controller(store, "a"), as_controller(store, "b")
        assert (await scaled(a, SLOWLY)).leads
        world.query("update pools set paused = true")
        expire(world, 3600)
        before = pool(world)
        seen_by_b = await scaled(b, SLOWLY)
        assert (seen_by_b.leads, seen_by_b.decision.limit) == (False, Limit.PAUSED)
        assert pool(world) == before, "going down is left to the one that decides"
        world.query("update pools set paused = false")
        expire(world)
        taken_over = await scaled(b, SLOWLY)
        assert (taken_over.leads, taken_over.decision.limit) == (True, Limit.SCALE_UP_POLICY)
        assert (pool(world)["decided_by"], pool(world)["desired"]) == ("b", 2), "the policy's period goes on"
        assert pool(world)["history"] == before["history"]
        assert not (await scaled(a, SLOWLY)).leads


async def test_a_claim_need_not_wait_for_the_one_that_decides_where_more_are_due(world: World) -> None:
    async with world.store() as store:
        a, b = as_controller(store, "a"), as_controller(store, "b")
        await scaled(a)
        expire(world, 3600)
        lease = pool(world)["decided_until"]
        files(world, 3)
        assert not (await scaled(b)).leads
        assert len(await claim(store, owner="b")) == 3
        after = pool(world)
        assert (after["desired"], after["decided_by"], after["decided_until"]) == (3, "a", lease)
        files(world, 2, first=1960)
        assert (await scaled(b, SLOWLY)).decision.desired == 5, "2 more than there are"
        assert (await scaled(a)).decision.desired == 5


async def test_a_decision_is_written_only_over_the_one_that_it_was_made_from(world: World) -> None:
    async with world.store() as store:
        await scaled(as_controller(store, "a"))
        seen = await store.capacity("default", 1)
        assert seen is not None
        assert await store.record_decision("default", seen.decision, DECIDED, "b", DECIDER_LEASE)
        assert not await store.record_decision(
            "default", seen.decision, replace(DECIDED, desired=9), "a", DECIDER_LEASE
        )
    assert (pool(world)["desired"], pool(world)["decided_by"]) == (3, "b")


async def test_who_was_away_between_reading_and_writing_decides_anew_on_what_was_decided_since(world: World) -> None:
    files(world, 4)
    actor = Actor()
    async with world.store() as store:
        b = as_controller(store, "b")
        came_between: list[Scaled] = []

        async def pause(at: Boundary) -> None:
            if at == Boundary("store", "record_decision") and not came_between:
                world.query("update pools set paused = true")
                came_between.append(await scaled(b))

        actor.pause = pause
        a = as_controller(exposed(store, "store", actor), "a")
        result = await scaled(a)
        assert [one.decision.desired for one in came_between] == [0]
        assert (result.leads, result.decision.limit) == (False, Limit.PAUSED)
    assert (pool(world)["decided_by"], pool(world)["desired"]) == ("b", 0)


async def test_two_that_both_take_themselves_for_the_one_that_decides_leave_one_history(world: World) -> None:
    files(world, 5)
    async with world.store() as store:
        a = as_controller(store, "a")
        await scaled(a, SLOWLY)
        expire(world)
        results = await asyncio.gather(*(scaled(as_controller(store, owner), SLOWLY) for owner in "abcd"))
        assert {result.decision.desired for result in results} == {2}
        assert sum(result.leads for result in results) == 1
    assert len(pool(world)["history"]["desired"]) == 2
    assert pool(world)["decision"] == 2


async def test_a_decision_outlives_its_controller(
    world: World,
) -> None:
    """It dies before its claim, and any other controller claims the jobs."""
    files(world, 3)
    launcher = FakeLauncher()
    async with world.store() as store, world.controller(launcher, owner="b", concurrency=None) as reconciler:
        await scaled(as_controller(store, "a"))
        await reconciler.tick()
    assert len(launcher.launches) == 3
    assert pool(world)["decided_by"] == "a"


async def test_held_back_jobs_are_claimed_when_the_lease_ends(world: World) -> None:
    """The controller that held them back has died."""
    files(world, 3)
    launcher = FakeLauncher()
    async with world.store() as store, world.controller(launcher, owner="b", concurrency=None) as reconciler:
        seen = await store.capacity("default", 1)
        assert seen is not None
        await store.record_decision(
            "default", seen.decision, replace(DECIDED, desired=1, generation=7), "a", timedelta(hours=1)
        )
        await reconciler.tick()
        assert len(launcher.launches) == 1, "a description that is newer than one's own is left alone"
        expire(world)
        await reconciler.tick()
    assert len(launcher.launches) == 3


async def test_who_knows_a_newer_description_of_the_pool_decides_at_once(world: World) -> None:
    files(world, 9)
    async with world.store() as store:
        a, b = as_controller(store, "a"), as_controller(store, "b")
        newer = replace(DEFAULT, generation=2, target_backlog_per_runner=3, min_parallelism=1)
        assert (await scaled(a, replace(DEFAULT, generation=1))).decision.desired == 9
        assert (await scaled(b, newer)).leads
        expire(world, 3600)
        row = pool(world)
        assert (row["decided_by"], row["generation"], row["min_running"]) == ("b", 2, 1)
        assert not (await scaled(a, replace(DEFAULT, generation=1))).leads
        assert pool(world) == row


async def test_of_a_long_queue_no_more_is_counted_than_makes_a_difference(world: World) -> None:
    files(world, 9)
    world.query("update pools set max_running = 2")
    world.query("update jobs set state = 'scheduled', run_at = now() - interval '1 second' where key % 2 = 0")
    async with world.store() as store:
        seen = await store.capacity("default", 2)
        assert seen is not None
        assert (seen.queued, seen.due) == (5, 4)
        seen = await store.capacity("default", 1)
        assert seen is not None
        assert (seen.queued, seen.due) == (3, 3)
        reason = (await scaled(as_controller(store, "a"))).decision.reason
    assert reason == "more than 2 jobs wait, 1 per runner; at the maximum of 2"


def read(plan: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Of every table that a plan reads: by what, and how many rows."""
    if "Relation Name" in plan:
        yield plan["Node Type"], plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    for part in plan.get("Plans", ()):
        yield from read(part)


def test_of_a_hundred_thousand_jobs_a_few_are_read(world: World) -> None:
    world.query("""
        insert into datasets (country_id, filename, storage_uri, sha256, size)
        select id, number::text, 'local:x', lpad(to_hex(number), 64, '0'), 1
        from countries, generate_series(1, 100000) number where code = 'US'""")
    world.query("""
        insert into jobs (dataset_id, type, state, run_at, finished_at)
        select id, 'parse_dataset',
            case when key < 60000 then 'completed' when key < 80000 then 'scheduled' else 'queued' end,
            now() + interval '1 hour', case when key < 60000 then now() end
        from datasets order by key""")
    for statistics in ("", "vacuum analyze jobs"):
        if statistics:
            world.query(statistics)
        with psycopg.connect(world.conninfo) as connection:
            explained = f"explain (analyze, format json) {statement('scale.capacity')}".encode()
            row = connection.execute(explained, {"pool": "default", "target": 1}).fetchone()
        assert row is not None
        scans = list(read(row[0][0]["Plan"]))
        assert sum(rows for _, rows in scans) <= 64 + 1 + 5, (statistics, scans)


async def test_each_pool_is_decided_on_by_its_own_rules_and_claimed_from_in_turn(world: World) -> None:
    world.query("insert into pools (name, max_running) values ('other', 64)")
    files(world, 6)
    world.query("update jobs set pool = 'other' where key % 2 = 0")
    launcher = FakeLauncher()
    async with world.controller(launcher, concurrency=None) as reconciler:
        both = [SLOWLY, PoolSpec("other", template=RunnerTemplate("image"))]
        reconciler.context = replace(reconciler.context, pools=SeveralPools({spec.name: spec for spec in both}))
        await reconciler.tick()
    assert len(launcher.launches) == 5
    assert world.query("select name, desired from pools order by name") == [
        {"name": "default", "desired": 2},
        {"name": "other", "desired": 3},
    ]


async def test_a_change_is_logged_with_its_reason(world: World, caplog: pytest.LogCaptureFixture) -> None:
    files(world, 3)
    caplog.set_level(logging.INFO, "controller.steps.scale")
    async with world.store() as store:
        context = as_controller(store, "a")
        world.query("update pools set max_running = 2")
        await scaled(context)
        world.query("update pools set max_running = 64")
        await scaled(context)
        await scaled(context)
    assert caplog.messages == [
        "pool default: 2 desired: more than 2 jobs wait, 1 per runner; at the maximum of 2",
        "pool default: 3 desired, was 2: 3 jobs wait, 1 per runner",
    ]


async def test_there_is_nothing_to_decide_of_a_pool_that_is_not_there(world: World) -> None:
    async with world.store() as store:
        assert await scale(as_controller(store, "a"), PoolSpec("elsewhere")) is None
