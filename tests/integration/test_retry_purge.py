"""Dead letters go back with fresh budgets and their history; old finished jobs are removed, datasets never."""

from datetime import timedelta

import pytest

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.hints import Action, Hint
from dataset_jobs.model.requests import Conflict, NotFound
from dataset_jobs.model.settlement import Evidence
from dataset_jobs.model.states import PURGE_BATCH, JobState
from tests.fakes.launcher import FakeLauncher
from tests.integration.loads import fail
from tests.integration.world import NO_RETRIES, World, key_of

pytestmark = pytest.mark.every_postgres

DAY = timedelta(days=1)


async def test_a_cancelled_job_can_be_put_back(world: World) -> None:
    result = world.submit_small()
    world.client.jobs.cancel(result.job_id)
    world.client.jobs.retry(result.job_id)
    assert world.job(result.job_id)["cancel_requested_at"] is None
    await world.run_until_idle()
    assert world.job(result.job_id)["state"] == "completed"


async def test_a_dry_run_changes_nothing(world: World) -> None:
    result = world.submit_small()
    world.client.jobs.cancel(result.job_id)
    before = world.job(result.job_id)
    world.client.jobs.retry(result.job_id, dry_run=True)
    assert world.job(result.job_id) == before


async def test_what_cannot_be_put_back_is_refused_with_what_to_do(world: World) -> None:
    result = world.submit_small()
    with pytest.raises(Conflict, match="is not finished: it is queued"):
        world.client.jobs.retry(result.job_id)
    with pytest.raises(NotFound):
        world.client.jobs.retry(result.dataset_id)
    world.client.jobs.cancel(result.job_id)
    other, _ = world.client.datasets.reprocess(result.dataset_id)
    with pytest.raises(Conflict, match="another job that is not finished yet") as refused:
        world.client.jobs.retry(result.job_id)
    assert refused.value.hints == (Hint(Action.EXPLAIN_JOB, job_id=other),)
    await world.run_until_idle()
    with pytest.raises(Conflict, match="was loaded by another job since"):
        world.client.jobs.retry(result.job_id)
    with pytest.raises(Conflict, match=r"has completed; .* reprocess it") as refused:
        world.client.jobs.retry(other)
    assert refused.value.hints == (Hint(Action.REPROCESS_DATASET, dataset_id=result.dataset_id),)


async def test_a_failed_reprocess_can_be_retried(world: World) -> None:
    """Unless another job has loaded the dataset meanwhile."""
    first = world.submit_small()
    await world.run_until_idle()
    second, _ = world.client.datasets.reprocess(first.dataset_id)
    async with world.controller(FakeLauncher(), retry=NO_RETRIES) as reconciler:
        await fail(world, reconciler, second)
    assert world.dataset(first.dataset_id)["status"] == "completed"
    world.client.jobs.retry(second)
    assert world.dataset(first.dataset_id)["status"] == "completed"
    world.client.jobs.cancel(second)
    third, _ = world.client.datasets.reprocess(first.dataset_id)
    await world.run_until_idle()
    assert world.job(third)["state"] == "completed"
    with pytest.raises(Conflict, match="was loaded by another job since"):
        world.client.jobs.retry(second)


async def test_failed_jobs_are_the_latest_of_their_datasets_and_of_the_cause(world: World) -> None:
    one, two, three = world.submit_small(2001), world.submit_small(2002), world.submit_small(2003)
    world.client.jobs.cancel(three.job_id)
    launcher = FakeLauncher()
    async with world.controller(launcher, retry=NO_RETRIES) as reconciler:
        await reconciler.tick()
        launcher.end(key_of(world.job(one.job_id)), Evidence(exit_code=1))
        launcher.end(key_of(world.job(two.job_id)), Evidence(exit_code=0))
        await reconciler.tick()
    assert set(world.client.jobs.failed()) == {one.job_id, two.job_id}
    assert [pool.failed for pool in world.client.status().pools] == [2]
    assert world.client.jobs.failed(Cause.LEFT_WITHOUT_COMMIT) == [two.job_id]
    assert world.client.jobs.failed(Cause.OUT_OF_MEMORY) == []
    again, _ = world.client.datasets.reprocess(one.dataset_id)
    assert world.client.jobs.failed() == [two.job_id]
    assert [pool.failed for pool in world.client.status().pools] == [1]
    assert world.job(again)["state"] == "queued"


async def test_old_finished_jobs_go_with_their_runs_and_datasets_stay(world: World) -> None:
    results = [world.submit_small(year) for year in (2001, 2002, 2003, 2004)]
    world.client.jobs.cancel(results[3].job_id)
    await world.run_until_idle()
    waiting, _ = world.client.datasets.reprocess(results[0].dataset_id)
    world.query("update jobs set created_at = now() - interval '40 days'")
    world.query(
        "update jobs set finished_at = now() - interval '31 days' where id = any (%s)",
        [results[0].job_id, results[1].job_id, results[3].job_id],
    )
    # Committed, and its run not settled yet.
    world.query("update runs set released_at = null where job_id = %s", results[1].job_id)
    month = timedelta(days=30)
    assert world.client.jobs.purgeable(month) == {JobState.COMPLETED: 1, JobState.CANCELLED: 1}
    assert sum(world.client.jobs.purge(month, [JobState.COMPLETED])) == 1
    left = {row["id"] for row in world.query("select id from jobs")}
    assert left == {waiting, results[1].job_id, results[2].job_id, results[3].job_id}
    assert world.query("select from runs where job_id = %s", results[0].job_id) == []
    assert [world.rows(result.dataset_id) for result in results] == [1, 1, 1, 0]
    assert sum(world.client.jobs.purge(month)) == 1
    assert world.one("select count(*) from datasets")["count"] == 4


FINISHED_JOBS = """
    with d as (
        insert into datasets (country_id, filename, storage_uri, sha256, size)
        select (select id from countries limit 1), 'f', 'u', lpad(to_hex(n), 64, '0'), 1
        from generate_series(1, %s) n returning id)
    insert into jobs (dataset_id, type, state, finished_at)
    select id, 'parse_dataset', 'cancelled', now() - interval '40 days' from d"""


async def test_many_are_removed_in_small_batches(world: World) -> None:
    world.query(FINISHED_JOBS, PURGE_BATCH + 7)
    assert list(world.client.jobs.purge(timedelta(days=30))) == [PURGE_BATCH, 7]
    assert world.one("select count(*) from jobs")["count"] == 0
    assert world.one("select count(*) from datasets")["count"] == PURGE_BATCH + 7


async def test_a_controller_removes_one_batch_and_not_again_before_a_minute_is_over(world: World) -> None:
    world.query(FINISHED_JOBS, PURGE_BATCH + 7)
    async with world.controller(FakeLauncher(), retention=timedelta(days=30)) as reconciler:
        for _ in range(3):
            await reconciler.tick()
    assert world.one("select count(*) from jobs")["count"] == 7
    async with world.controller(FakeLauncher(), retention=timedelta(days=50)) as reconciler:
        await reconciler.tick()
    assert world.one("select count(*) from jobs")["count"] == 7
