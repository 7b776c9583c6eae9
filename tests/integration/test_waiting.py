"""Why a job waits, on the real database, as the command line says it."""

from datetime import timedelta
from pathlib import Path

import pytest

from controller.launchers.interface import LaunchRefused
from controller.outcomes.retry import RetryPolicy
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.settlement import Evidence
from services.waiting import Because, Place, Waiting
from services.waiting_jobs import PLACES
from tests.fakes.launcher import FakeLauncher, Moody
from tests.integration.command_line import Run, answer, runner
from tests.integration.world import HOUR, World, key_of

pytestmark = pytest.mark.every_postgres


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    settings = {"DATABASE_URL": world.conninfo, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}
    return runner({**settings, **world.storage_config.to_env()}, tmp_path)


def alive(world: World) -> None:
    world.query(
        "insert into controllers (owner, launcher, pools, seen_at) values ('c/1', 'process', '{default}', now())"
    )


def why(world: World, year: int = 2020) -> Waiting:
    job = next(job for job in world.client.jobs.list() if job.filename == f"yob{year}.txt")
    return world.client.waiting([job])[job.id]


def test_a_job_knows_its_place_in_the_order_of_claims(world: World, run: Run) -> None:
    alive(world)
    jobs = {year: world.submit_small(year).job_id for year in (2019, 2020, 2021)}
    assert (why(world, 2019).because, why(world, 2021).because) == (Because.NEXT, Because.BEHIND_OTHERS)
    assert why(world, 2021).place == Place(2)
    world.client.jobs.reschedule(jobs[2021], priority=5)
    assert [why(world, year).place for year in jobs] == [Place(1), Place(2), Place(0)]
    assert "place 3, 2 jobs before it" in run("jobs", "show", str(jobs[2020])).stdout
    assert "in the queue: place 3, 2 jobs before it" in run("jobs", "explain", str(jobs[2020])).stdout
    for command in ("show", "explain"):
        waiting = answer(run("jobs", command, str(jobs[2020]), "--json"))["waiting"]
        assert (waiting["because"], waiting["place"]) == ("behind_others", {"ahead": 2, "exact": True})
        assert waiting["text"].endswith("place 3, 2 jobs before it")


def test_places_are_counted_up_to_a_thousand(world: World) -> None:
    alive(world)
    job = world.submit_small(2020)
    world.query(
        "insert into datasets (country_id, filename, storage_uri, sha256, size)"
        " select id, 'x', 'local:x', lpad(to_hex(n), 64, '0'), 1 from countries, generate_series(1, %s) n"
        " where code = 'US'", PLACES + 1,
    )  # fmt: skip
    more = (
        "insert into jobs (dataset_id, type, priority) select id, 'parse_dataset', 1 from datasets where filename = 'x'"
    )
    world.query(f"{more} order by key limit %s", PLACES)
    assert why(world).place == Place(PLACES)
    world.query(f"{more} order by key desc limit 1")
    assert why(world).place == Place(PLACES, exact=False)
    assert "more than 1,000 jobs before it" in str(why(world).text)
    assert world.job(job.job_id)["state"] == "queued"


def test_a_paused_pool_is_named_with_its_reason_and_time(world: World) -> None:
    alive(world)
    world.submit_small()
    world.client.pools.pause("default", "backup")
    found = why(world)
    assert (found.because, found.limited_by, found.by_itself) == (Because.POOL_PAUSED, "paused", False)
    assert "pool default is paused (backup) since" in str(found.text)
    assert found.since == world.client.pools.get("default").paused_since
    world.client.pools.resume("default")
    assert why(world).because is Because.NEXT


@pytest.mark.parametrize(("policy", "most"), [(HOUR, 4), (RetryPolicy(1, (timedelta(hours=1),)), 2)])
async def test_a_retry_says_which_attempt_of_how_many_failed(world: World, policy: RetryPolicy, most: int) -> None:
    result, launcher = world.submit_small(), FakeLauncher()
    async with world.controller(launcher, retry=policy) as reconciler:
        await reconciler.tick()
        assert why(world).because is Because.START
        launcher.end(key_of(world.job(result.job_id)), Evidence(exit_code=1))
        await reconciler.tick()
    found = why(world)
    assert (found.because, found.attempt, found.max_attempts) == (Because.BACKOFF, 1, most)
    assert found.next_try_at == world.job(result.job_id)["run_at"]
    assert f"attempt 1 of {most} failed at" in str(found.text)
    world.client.jobs.reschedule(result.job_id, run_at=timedelta(0))
    assert why(world).because is not Because.BACKOFF


async def test_a_blocked_pool_is_named_with_its_cause(world: World) -> None:
    world.submit_small()
    launcher = Moody()
    launcher.launch_error = LaunchRefused("exceeded quota: pods", Reason.QUOTA)
    async with world.controller(launcher) as reconciler:
        await reconciler.tick()
    assert why(world).because is Because.CANNOT_START
    world.client.jobs.reschedule(world.client.jobs.list()[0].id, run_at=timedelta(0))
    alive(world)
    found = why(world)
    assert (found.because, found.cause, found.reason) == (Because.POOL_BLOCKED, "cannot_start", "quota")
    assert found.error == "exceeded quota: pods"
    assert found.next_try_at is not None


async def test_a_full_pool_is_said_to_be_full(world: World) -> None:
    for year in (2019, 2020):
        world.submit_small(year)
    alive(world)
    world.client.pools.set("default", max_running=1)
    async with world.controller(FakeLauncher()) as reconciler:
        await reconciler.tick()
    found = why(world, 2020)
    assert (found.because, found.limited_by, found.place) == (Because.POOL_FULL, "maximum", Place(0))


def test_without_a_controller_the_last_one_is_remembered(world: World) -> None:
    world.submit_small()
    assert (why(world).because, why(world).since) == (Because.NO_CONTROLLER, None)
    alive(world)
    world.query("update controllers set seen_at = now() - interval '10 minutes'")
    found = why(world)
    assert found.because is Because.NO_CONTROLLER
    assert found.since is not None
