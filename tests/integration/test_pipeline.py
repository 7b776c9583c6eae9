"""The controller's steps over a real Postgres and a launcher whose runs end as the test says."""

import asyncio
from datetime import timedelta

import pytest

from controller.launchers.interface import Launch, LaunchRefused, ObservedRun, Phase
from controller.pools.spec import KEEP
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Permanent, Unavailable
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.settlement import Evidence
from tests.fakes.launcher import FakeLauncher, Moody
from tests.integration.world import HOUR, World, key_of
from tests.kit.newer_schema import NEWER, refuse_this_program

pytestmark = pytest.mark.every_postgres


async def test_what_could_not_be_launched_counts_against_a_controller_s_own_limit(world: World) -> None:
    for year in range(2000, 2006):
        world.submit_small(year)
    launcher = Moody()
    launcher.launch_error = Unavailable("no answer")
    async with world.controller(launcher, concurrency=2) as reconciler:
        for _ in range(4):
            await reconciler.tick()
        assert world.one("select count(*) n from runs") == {"n": 2}
        launcher.launch_error = None
        await reconciler.tick()
    assert len(launcher.launches) == 2


async def test_a_definite_refusal_gives_the_claim_back_and_uses_no_attempt(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()
    launcher.launch_error = LaunchRefused("exceeded quota", Reason.QUOTA)
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["interruptions"], job["give_backs"]) == ("scheduled", 0, 0, 1)
    assert (job["last_cause"], job["last_error"]) == ("cannot_start", "exceeded quota")
    run = world.one("select * from runs")
    assert (run["cause"], run["reason"], run["released_at"] is None) == ("cannot_start", "quota", False)
    assert world.dataset(result.dataset_id)["status"] == "pending"


async def test_a_launch_without_an_answer_is_repeated_under_the_same_name_and_runs_once(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()
    launcher.launch_error, launcher.carried_out_all_the_same = Unavailable("504"), True
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        await reconciler.tick()
        assert world.job(result.job_id)["state"] == "running"
        assert world.one("select launched_at from runs")["launched_at"] is None
        launcher.launch_error = None
        await reconciler.tick()
    assert world.one("select launched_at from runs")["launched_at"] is not None
    assert len(launcher.launches) == 1
    assert world.job(result.job_id)["lease_epoch"] == 1


async def test_what_breaks_a_tick_off_is_said_however_deep_it_happened(world: World) -> None:
    world.submit_small()
    launcher = Moody()
    launcher.launch_error = Permanent("jobs.batch is forbidden")
    async with world.controller(launcher) as reconciler:
        assert not await reconciler.tick_safely()
        assert reconciler.health.last_error == "jobs.batch is forbidden"


async def test_a_launcher_that_does_not_answer_never_reads_as_nothing_running(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        launcher.seen_error = Unavailable("no answer")
        assert not await reconciler.tick_safely()
        assert "no answer" in reconciler.health.last_error
    assert world.job(result.job_id)["state"] == "running"
    assert world.one("select released_at from runs")["released_at"] is None


async def test_a_job_that_is_gone_is_an_interruption(world: World) -> None:
    """It is launched again at the next epoch."""
    result = world.submit_small()
    launcher = Moody()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        launcher.lose(key_of(world.job(result.job_id)))
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["state"], job["interruptions"], job["attempts"], job["lease_epoch"]) == ("running", 1, 0, 2)
    assert [run["cause"] for run in world.query("select cause from runs order by epoch")] == ["vanished", None]


async def test_what_lives_in_the_cluster_without_a_slot_is_stopped(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        old = Launch(RunKey(result.job_id, 7), result.dataset_id, "parse_dataset", 1)
        await launcher.launch(old)
        await reconciler.tick()
        assert (await launcher.get(old.key) or _ended(old.key)).phase is Phase.ENDED
        await reconciler.tick()
        assert await launcher.get(old.key) is None
    assert world.job(result.job_id)["state"] == "running"


async def test_a_pod_that_cannot_start_is_removed(world: World) -> None:
    """Its claim is released, with the reason."""
    result = world.submit_small()
    launcher = Moody()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        key = key_of(world.job(result.job_id))
        launcher.pend(key, Evidence(pod_name="p", seen_as="ImagePull", message="Back-off pulling image"))
        await reconciler.tick()
        assert world.job(result.job_id)["state"] == "running"
        world.query("update runs set launched_at = now() - interval '10 minutes'")
        await reconciler.tick()
        launcher.lose(key)
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["give_backs"]) == ("scheduled", 0, 1)
    run = world.one("select * from runs")
    assert (run["cause"], run["reason"], run["error"]) == ("cannot_start", "image", "Back-off pulling image")
    assert run["evidence"]["pod_name"] == "p"
    assert run["released_at"] is not None


async def test_after_a_day_without_a_start_the_job_fails(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()
    launcher.launch_error = LaunchRefused("exceeded quota", Reason.QUOTA)
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
        world.query("update jobs set blocked_since = now() - interval '25 hours', run_at = now()")
        world.query("update pools set probe_at = now()")
        await reconciler.tick()
    assert world.job(result.job_id)["state"] == "failed"
    assert world.dataset(result.dataset_id)["status"] == "failed"


async def test_an_exit_with_0_and_without_a_commit_is_an_attempt(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()
    async with world.controller(launcher, retry=HOUR) as reconciler:
        await reconciler.tick()
        launcher.end(key_of(world.job(result.job_id)), Evidence(exit_code=0))
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["state"], job["attempts"], job["last_cause"]) == ("scheduled", 1, "left_without_commit")


async def test_a_controller_that_dies_between_settle_and_forget_leaves_it_to_the_next(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()

    class Forgetful(Moody):
        async def release(self, key: RunKey, keep: timedelta = KEEP) -> None:
            raise Unavailable("the API server is away")

    launcher = Forgetful()
    async with world.controller(launcher, retry=HOUR) as reconciler:
        await reconciler.tick()
        key = key_of(world.job(result.job_id))
        launcher.end(key, Evidence(exit_code=0))
        assert not await reconciler.tick_safely()
        assert world.job(result.job_id)["attempts"] == 1
        assert not await reconciler.tick_safely()
        assert world.job(result.job_id)["attempts"] == 1, "settled once"
        assert [seen.key for seen in await launcher.list_all()] == [key]


async def test_a_paused_pool_claims_nothing_and_goes_on_when_it_is_resumed(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()
    async with world.controller(launcher) as reconciler:
        world.query("update pools set paused = true")
        await reconciler.tick()
        assert world.job(result.job_id)["state"] == "queued"
        world.query("update pools set paused = false")
        await reconciler.tick()
        assert world.job(result.job_id)["state"] == "running"


async def test_a_lowered_maximum_drains(world: World) -> None:
    for year in (2001, 2002, 2003):
        world.submit_small(year)
    launcher = Moody()
    async with world.controller(launcher, concurrency=None, retry=HOUR) as reconciler:
        world.query("update pools set max_running = 2")
        await reconciler.tick()
        assert len(launcher.launches) == 2
        world.query("update pools set max_running = 1")
        launcher.end(launcher.launches[0], Evidence(exit_code=1))
        await reconciler.tick()
        assert len(launcher.launches) == 2
        launcher.end(launcher.launches[1], Evidence(exit_code=1))
        await reconciler.tick()
        assert len(launcher.launches) == 3


@pytest.mark.parametrize("killed_after_claim", [True, False])
async def test_another_controller_launches_what_its_owner_did_not(world: World, killed_after_claim: bool) -> None:
    result = world.submit_small()
    async with world.store() as store:
        await store.claim("default", 1, "kubernetes", "gone", timedelta(seconds=60))
    if killed_after_claim:
        world.query("update runs set claimed_at = claimed_at - interval '1 minute'")
    launcher = Moody()
    async with world.controller(launcher, owner="b") as reconciler:
        await reconciler.tick()
    assert launcher.launches == ([RunKey(result.job_id, 1)] if killed_after_claim else [])


async def test_a_fault_in_settling_one_run_does_not_keep_the_others_from_being_settled(world: World) -> None:
    first, second = world.submit_small(2001), world.submit_small(2002)
    world.query("alter table runs add constraint another check (node <> 'nowhere')")
    launcher = Moody()
    async with world.controller(launcher, retry=HOUR) as reconciler:
        await reconciler.tick()
        launcher.end(key_of(world.job(first.job_id)), Evidence(exit_code=1, node="nowhere"))
        launcher.end(key_of(world.job(second.job_id)), Evidence(exit_code=1))
        await reconciler.tick()
    assert world.job(second.job_id)["state"] == "scheduled"
    assert world.job(first.job_id)["state"] == "running"


def _ended(key: RunKey) -> ObservedRun:
    return ObservedRun(key, "gone", Phase.ENDED, Evidence())


async def test_the_interruption_that_is_one_too_many_fails_job_and_dataset(world: World) -> None:
    result = world.submit_small()
    launcher = Moody()
    async with world.controller(launcher) as reconciler:
        for _ in range(11):
            await reconciler.tick()
            launcher.lose(key_of(world.job(result.job_id)))
        await reconciler.tick()
    job, dataset = world.job(result.job_id), world.dataset(result.dataset_id)
    assert (job["state"], job["interruptions"], job["last_cause"]) == ("failed", 11, "vanished")
    assert (dataset["status"], dataset["error"]) == ("failed", job["last_error"])


async def test_children_of_a_process_controller_that_is_gone_are_ended_by_a_kubernetes_one(world: World) -> None:
    result = world.submit_small()
    async with world.store() as store:
        await store.claim("default", 1, "process", "gone", timedelta(seconds=-1))
    launcher = Moody()
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
    job = world.job(result.job_id)
    assert (job["interruptions"], job["lease_epoch"], job["state"]) == (1, 2, "running")


async def test_a_full_controller_waits_for_a_slot_without_turning_in_circles(world: World) -> None:
    world.submit_small(2001)
    waiting = world.submit_small(2002)
    world.query("update jobs set state = 'scheduled' where id = %s", waiting.job_id)
    launcher = Moody()
    async with world.controller(launcher, concurrency=1) as reconciler:
        await reconciler.tick()
        world.query("update jobs set state = 'scheduled', run_at = now() where state = 'queued'")
        ticks = 0
        stop = asyncio.Event()
        running = asyncio.create_task(reconciler.run(stop))
        for _ in range(20):
            await asyncio.sleep(0.05)
            ticks += reconciler.health.seconds_since_round() < 0.05
        stop.set()
        await running
    assert ticks <= 12, "with a poll interval of 0.2 s"


async def test_a_controller_stops_working_when_the_schema_becomes_a_newer_one(world: World) -> None:
    result = world.submit_small()
    refuse_this_program(world.conninfo)
    async with world.controller(Moody()) as reconciler:
        assert not await reconciler.tick_safely()
        assert f"schema is newer than this affirm-worker: {NEWER}" in reconciler.health.last_error
    assert world.job(result.job_id)["state"] == "queued"


def submit_many(world: World, count: int) -> None:
    for number in range(count):
        world.submit(world.file("yob2001.txt", f"Ada,F,{number + 5}\n"))
    world.query("update pools set max_running = 1000, max_pending = 1000 returning name")


async def test_a_controller_does_not_claim_over_its_own_limit(world: World) -> None:
    """However many jobs wait."""
    submit_many(world, 160)
    launcher = FakeLauncher()
    async with world.controller(launcher, concurrency=100) as reconciler:
        for _ in range(3):
            await reconciler.tick()
    assert len(launcher.launches) == 100
    assert world.one("select count(*) from runs") == {"count": 100}


class AnswersTwentyNine(FakeLauncher):
    """Launches so many, and gives no answer then."""

    asked = 0

    async def launch(self, launch: Launch) -> str:
        self.asked += 1
        if len(self.launches) == 29:
            raise Unavailable("no answer")
        return await super().launch(launch)


async def test_when_launches_get_no_answer_any_more_few_are_claimed(world: World) -> None:
    submit_many(world, 220)
    launcher = AnswersTwentyNine()
    async with world.controller(launcher, concurrency=None) as reconciler:
        await reconciler.tick_safely()
        # 1, 4 and 16 went well; of 64 no answer came, and the next 64 were claimed by then.
        assert world.one("select count(*) from runs") == {"count": 149}
        asked = launcher.asked
        await reconciler.tick_safely()
        assert world.one("select count(*) from runs") == {"count": 149}
        assert launcher.asked == asked + 4
