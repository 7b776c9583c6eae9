"""A runner of another version than its controller says so, and does nothing."""

import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from dataset_jobs.migrations import LATEST
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.outcome import ExitCode
from dataset_jobs.version import check_version, own_version, told_to_runners

ROOT = Path(__file__).parents[2]
OTHER = {"CONTROLLER_VERSION": "9.9.9", "CONTROLLER_SCHEMA": str(LATEST + 1)}


def test_a_runner_of_its_controllers_version_or_of_no_controller_fits() -> None:
    check_version(told_to_runners())
    check_version({})
    check_version(told_to_runners() | {"CONTROLLER_VERSION": "9.9.9"})  # the schema is the same


@pytest.mark.parametrize("schema", [str(LATEST + 1), str(LATEST - 1), "", "new"])
def test_a_runner_of_another_schema_names_both_versions(schema: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        check_version(OTHER | {"CONTROLLER_SCHEMA": schema})
    for part in (own_version(), f"schema {LATEST})", "9.9.9", f"schema {schema})"):
        assert part in str(caught.value)


def test_the_runner_says_so_before_it_asks_for_anything_else(tmp_path: Path) -> None:
    message = tmp_path / "message"
    arguments = ["--job-id", str(UUID(int=1)), "--epoch", "1", "--message-file", str(message)]
    ended = subprocess.run(
        [sys.executable, "-m", "parser_runner", *arguments], env=OTHER, cwd=ROOT, capture_output=True, check=False
    )
    assert ended.returncode == ExitCode.CONFIGURATION
    said = json.loads(message.read_text())
    assert (said["cause"], said["reason"]) == (Cause.CANNOT_START, Reason.IMAGE)
    assert "9.9.9" in said["error"]
