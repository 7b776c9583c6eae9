"""A job's story and the state of the whole, from the database alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.wording.story import story
from controller.launchers.interface import LaunchRefused
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.settlement import Evidence
from services.explain import explanation
from services.story import story as tell
from tests.fakes.launcher import FakeLauncher, Moody
from tests.integration.command_line import Run, answer, bare, runner
from tests.integration.world import HOUR, World, key_of

pytestmark = pytest.mark.every_postgres


@pytest.fixture
def run(world: World, tmp_path: Path) -> Run:
    settings = {"DATABASE_URL": world.conninfo, "AFFIRM_WORKER_HOME": str(tmp_path / "home")}
    return runner({**settings, **world.storage_config.to_env()}, tmp_path)


async def test_the_whole_story_of_a_job_that_ran_out_of_memory_and_waits(world: World) -> None:
    result = world.submit_small()
    launcher = FakeLauncher()
    async with world.controller(launcher, retry=HOUR) as reconciler:
        await reconciler.tick()
        evidence = Evidence(exit_code=137, seen_as="OOMKilled", container_started=True, pod_name="pod-1", node="n1")
        launcher.end(key_of(world.job(result.job_id)), evidence)
        await reconciler.tick()
    job, runs = world.client.jobs.get(result.job_id)
    [one] = runs
    assert one.decision is not None
    assert (one.decision["state"], one.decision["wait_seconds"]) == ("scheduled", 3600)
    assert datetime.fromisoformat(one.decision["run_at"]).replace(microsecond=0) == job.run_at.replace(microsecond=0)
    text = "\n".join(story(tell(explanation(job, runs, world.client.status(), datetime.now(UTC)))))
    for part in (
        "it is scheduled: the next try is at",
        "run 1: out_of_memory: the runner was killed at its memory limit",
        "pod pod-1, node n1, launched as fake-",
        "seen from outside: exit code 137, seen as OOMKilled",
        "decided: try again in 60 min at",
        "since attempt 1 of 4 failed; the next one has no more memory, since the pool's template sets no limit of it (",
        "raise the runner's memory limit or the pool's ceiling of it",
        f"To stop it, cancel it:\n    affirm-worker jobs cancel {result.job_id}",
    ):
        assert part in text, text


async def test_the_story_of_a_rejected_file(world: World, run: Run) -> None:
    """It tells of the retry by hand and of the runner's last log lines too."""
    result = world.submit_small(content="Mary,F,7\nno name\nAnna;F\n")
    world.log_level = "INFO"
    await world.run_until_idle()
    world.client.jobs.retry(result.job_id)
    await world.run_until_idle()
    told = run("jobs", "explain", str(result.job_id)[:8]).stdout
    assert told.count("rejected (invalid_format): yob2020.txt, line 2:") == 2
    assert "put back by hand at" in told
    assert "decided: failed, since the same input can only fail again" in told
    assert "INFO started on yob2020.txt" in told
    assert "Fix the lines or cells that the error names" in told
    assert "no name" not in told
    document = answer(run("jobs", "explain", str(result.job_id), "--json"))
    assert document["job"]["state"] == "failed"
    assert [one["epoch"] for one in document["runs"]] == [1, 2]
    assert document["runs"][0]["log"][0]["msg"] == "started on yob2020.txt"
    assert document["runs"][0]["decision"]["attempts"] == 1
    assert document["to_do"]
    assert document["sentence"].startswith("it failed at ")
    assert [one["what"] for one in document["timeline"]].count("ended") == 2
    assert [one["action"] for one in document["actions"]] == ["retry", "reprocess", "delete"]
    assert "no name" not in json.dumps(document)


async def test_status_shows_pools_slots_controllers_and_what_is_blocked(world: World, run: Run) -> None:
    world.submit_small(2001)
    launcher = Moody()
    launcher.launch_error = LaunchRefused("exceeded quota: pods", Reason.QUOTA)
    async with world.controller(launcher, owner="c/1") as reconciler:
        await reconciler.tick()
        launcher.launch_error = None
        world.submit_small(2002)
        world.query("update pools set probe_at = now()")
        await reconciler.tick()
        world.query("update pools set max_running = 1")
        world.submit_small(2003)
    status = answer(run("status", "--json"))
    [pool] = status["pools"]
    assert {name: pool[name] for name in ("queued", "scheduled", "running", "failed", "max_running", "paused")} == {
        "queued": 1, "scheduled": 1, "running": 1, "failed": 0, "max_running": 1, "paused": False,
    }  # fmt: skip
    assert pool["oldest_wait_seconds"] >= 0
    assert pool["runs_launched"] == 1
    assert (pool["blocked_cause"], pool["blocked_reason"]) == ("cannot_start", "quota")
    [controller] = status["controllers"]
    assert (controller["owner"], controller["unreleased"]) == ("c/1", 1)
    [blocked] = status["blocked"]
    assert (blocked["cause"], blocked["error"], blocked["jobs"]) == ("cannot_start", "exceeded quota: pods", 1)
    told = run("status").stdout
    assert "has no free slot: 1 queued wait" in told
    assert "pool default is blocked since" in told
    assert "blocked: 1 job of pool default cannot start since" in told
    assert "exceeded quota: pods" in told


def test_cancel_retry_and_purge_on_the_command_line(world: World, run: Run) -> None:
    result = world.submit_small()
    short = str(result.job_id)[:8]
    assert run("jobs", "cancel", short).stdout == f"job {result.job_id} is cancelled\n"
    assert answer(run("jobs", "cancel", short, "--json"))["result"] == "cancelled"
    assert "would be queued again" in run("jobs", "retry", short, "--dry-run").stdout
    assert answer(run("jobs", "retry", "--failed", "--json")) == []
    [retried] = answer(run("jobs", "retry", short, "--json"))
    assert (retried["result"], retried["file"]) == ("queued", "yob2020.txt")
    assert "is not finished: it is queued" in run("jobs", "retry", short, code=65).stderr
    run("jobs", "retry", short, "--failed", code=2)
    run("jobs", "retry", code=2)
    run("jobs", "retry", short, "--cause", "crashed", code=2)
    run("jobs", "cancel", short)
    world.query("update jobs set finished_at = now() - interval '2 days'")
    assert run("jobs", "purge", "--older-than", "1d", "--dry-run").stdout == "1 job would be removed\n"
    assert answer(run("jobs", "purge", "--older-than", "3d", "--json"))["removed"] == 0
    run("jobs", "purge", "--older-than", "soon", code=2)
    run("jobs", "purge", "--older-than", "1d", "--state", "queued", code=2)
    assert run("jobs", "purge", "--older-than", "1d", "--yes").stdout == "removed 1 job\n"
    assert "there is no job" in run("jobs", "explain", short, code=65).stderr


def test_an_id_of_the_other_kind_is_said_to_be_one(run: Run, world: World) -> None:
    one = world.submit_small()
    refused = bare(run("jobs", "show", str(one.dataset_id)[:8], code=65).stderr)
    assert f"that is the id of a dataset: affirm-worker datasets show {one.dataset_id}" in refused
    refused = bare(run("datasets", "show", one.job_id, code=65).stderr)
    assert f"that is the id of a job: affirm-worker jobs explain {one.job_id}" in refused


def test_the_ids_of_jobs_and_datasets_are_completed(run: Run, world: World) -> None:
    one, two = world.submit_small(2001), world.submit_small(2002)
    asked = {"_AFFIRM_WORKER_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
    jobs = run("jobs", COMP_WORDS="affirm-worker jobs explain ", **asked).stdout.split()
    assert jobs == [str(two.job_id), str(one.job_id)]
    words = f"affirm-worker datasets delete {str(one.dataset_id)[:13]}"
    assert run("jobs", COMP_WORDS=words, **asked).stdout.split() == [str(one.dataset_id)]
