"""Failed jobs in groups, and the problems of an installation, as status says them."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from cli.wording.hints import command
from dataset_jobs.model.hints import Action
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.settlement import Evidence
from services.problems import Fault
from services.to_json import to_json
from tests.fakes.launcher import FakeLauncher
from tests.integration.command_line import Run, answer, runner
from tests.integration.world import NO_RETRIES, World, key_of

pytestmark = pytest.mark.every_postgres

CRASHED = Evidence(exit_code=1)


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    settings = {"DATABASE_URL": world.conninfo, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}
    return runner({**settings, **world.storage_config.to_env()}, tmp_path)


async def failed(world: World, years: range, evidence: Evidence = CRASHED) -> list[UUID]:
    launcher, jobs = FakeLauncher(), []
    async with world.controller(launcher, retry=NO_RETRIES) as reconciler:
        for year in years:
            jobs.append(world.submit_small(year).job_id)
            await reconciler.tick()
            world.query("update runs set started_at = now(), runner_uid = 'pod-1' where started_at is null")
            launcher.end(key_of(world.job(jobs[-1])), evidence)
            await reconciler.tick()
    return jobs


async def test_failed_jobs_are_grouped_by_cause_and_reason(world: World) -> None:
    crashed = await failed(world, range(2000, 2003))
    await failed(world, range(2003, 2005), Evidence(seen_as="OOMKilled"))
    found = world.client.failures()
    assert found.exact
    assert [(one.jobs.cause, one.jobs.reason, one.jobs.jobs) for one in found.groups] == [
        ("crashed", None, 3), ("out_of_memory", None, 2),
    ]  # fmt: skip
    [first, second] = found.groups
    assert first.jobs.sample_job in crashed
    assert (first.jobs.pools, first.jobs.countries) == (["default"], ["US"])
    assert str(first.text).startswith("3 jobs failed: crashed; the first at 20")
    assert first.jobs.first_at <= first.jobs.last_at
    assert first.retryable and second.retryable
    assert "memory limit" in second.advice.text


async def test_rejected_files_are_not_worth_a_retry(world: World) -> None:
    world.submit_small(content="Mary,F,7\nno name\n")
    await world.run_until_idle()
    [group] = world.client.failures().groups
    assert (group.jobs.cause, group.jobs.reason, group.retryable) == ("rejected", "invalid_format", False)
    assert group.advice.hints == ()
    assert "Fix the lines or cells that the error names" in group.advice.text
    assert "no name" not in str(to_json(group))


async def test_groups_are_of_a_pool_a_country_and_a_time(world: World) -> None:
    await failed(world, range(2000, 2002))
    client = world.client
    assert client.failures(pool="default", country="us", since=timedelta(hours=1)).groups
    assert not client.failures(pool="other").groups
    assert not client.failures(country="FR").groups
    world.query("update jobs set finished_at = finished_at - interval '2 hours'")
    assert not client.failures(since=timedelta(hours=1)).groups
    with pytest.raises(InvalidRequest, match="unknown country"):
        client.failures(country="XX")


async def test_a_failure_that_was_submitted_again_is_over(world: World) -> None:
    [job_id] = await failed(world, range(2000, 2001))
    world.client.datasets.reprocess(world.job(job_id)["dataset_id"])
    assert not world.client.failures().groups


async def test_all_of_a_group_are_retried_by_its_command(world: World, run: Run) -> None:
    jobs = await failed(world, range(2000, 2003))
    [group] = world.client.failures().groups
    [hint] = group.advice.hints
    assert hint.action is Action.RETRY_FAILED
    run(*command(hint).split("affirm-worker ")[-1].split(), "--yes")
    assert {world.job(job_id)["state"] for job_id in jobs} == {"queued"}


async def test_status_tells_of_many_that_failed_alike_lately(world: World, run: Run) -> None:
    await failed(world, range(2000, 2003))
    assert "when that is fixed, retry them" not in run("status").stdout
    await failed(world, range(2003, 2005))
    assert "5 jobs failed: crashed; the first at" in run("status").stdout
    problem, *_ = answer(run("status", "--json"))["problems"]
    assert (problem["kind"], problem["jobs"], problem["by_itself"]) == ("failures", 5, False)
    assert problem["actions"][0]["action"] == "retry"
    world.query("update jobs set finished_at = finished_at - interval '1 hour'")
    assert "when that is fixed, retry them" not in run("status").stdout


async def test_problems_are_ranked_and_say_whose_fault_they_are(world: World) -> None:
    world.submit_small(2000)
    world.query(
        "update pools set blocked_since = now(), blocked_cause = 'cannot_start', blocked_reason = 'image',"
        " blocked_error = '401', probe_at = now()"
    )
    status, now = world.client.status(), world.client.now()
    first, second = world.client.problems(status, now)
    assert (first.kind, first.fault, first.by_itself, first.jobs) == ("no_controller", Fault.NOBODY_RUNS_IT, False, 1)
    assert (second.kind, second.fault, second.by_itself) == ("pool_blocked", Fault.SETUP, True)
    assert second.since == status.pools[0].blocked_since
    assert second.outlook == "it passes by itself"
    assert [hint.action for hint in second.hints] == [Action.PROBE_POOL, Action.PAUSE_POOL]


async def test_more_failures_than_are_looked_at_are_said_to_be_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await failed(world, range(2000, 2003))
    monkeypatch.setattr("services.failures.COUNTED", 2)
    assert not world.client.failures().exact
