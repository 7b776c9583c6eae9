"""A job whose file a broken package may know waits until the package is fixed, and uses no attempt."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.outcome import ExitCode
from parser_runner.process import outcome_of
from parser_runner.run import run
from tests.fakes.packages import good, make_package
from tests.integration.command_line import ROOT
from tests.integration.loads import claim_all, context_of
from tests.integration.world import World


async def test_a_job_goes_on_when_its_package_is_fixed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    make_package(tmp_path, "waited-office", "\nTextList()\n")
    result = world.submit(world.file("names 2020 girls.csv", "Girls born in 2020\nFirst name,Births\nAda,5\n"), "LI")
    [one] = await claim_all(world)
    with pytest.raises(Misconfigured, match=r"package waited-office, .*line 2: NameError") as raised:
        run(context_of(world, one, None))
    outcome = outcome_of(raised.value)
    assert (outcome.cause, outcome.reason) == (Cause.CANNOT_START, Reason.CONFIG)
    assert world.one("select committed_at from runs") == {"committed_at": None}
    make_package(tmp_path, "waited-office", good("li-waited"))
    run(context_of(world, one, None))
    assert world.rows(result.dataset_id) == 1


def test_a_broken_package_keeps_no_other_file_back(world: World, tmp_path: Path) -> None:
    make_package(tmp_path, "blocking-office", "\nTextList()\n")
    waits = world.submit(world.file("names 2020 girls.csv", "Girls born in 2020\nFirst name,Births\nAda,5\n"), "LI")
    loads = world.submit(world.file("yob2020.txt", "Emma,F,15433\n"), "US")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-m", "cli", "run", "--until-idle"],
        env={**os.environ, **world.environment, "PYTHONPATH": path, "WORKER_CONCURRENCY": "1"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == ExitCode.CONFIGURATION
    assert world.job(loads.job_id)["state"] == "completed"
    job = world.job(waits.job_id)
    assert (job["state"], job["last_cause"], job["attempts"]) == ("scheduled", "cannot_start", 0)
