"""Jobs and pods as a real cluster had them, recorded by tests/e2e/test_causes.py, against the diagnosis."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from controller.launchers import Phase
from controller.launchers.kubernetes import _see
from controller.policy.diagnosis import diagnose, why_not_started
from dataset_jobs.model.causes import Cause, Reason

CORPUS = Path(__file__).parents[1] / "data" / "evidence"

ENDED = {
    "out_of_memory": (Cause.OUT_OF_MEMORY, None),
    "timed_out": (Cause.TIMED_OUT, None),
    "disk_full": (Cause.DISK_FULL, None),
    "crashed_by_sigsegv": (Cause.CRASHED, None),
    "crashed_by_sigkill": (Cause.CRASHED, None),
    "left_without_commit": (Cause.LEFT_WITHOUT_COMMIT, None),
    "rejected": (Cause.REJECTED, Reason.INVALID_FORMAT),
}
PENDING = {
    "cannot_start_image": Reason.IMAGE,
    "cannot_start_config": Reason.CONFIG,
    "cannot_start_unschedulable": Reason.UNSCHEDULABLE,
}


def test_the_whole_corpus_is_in_the_tables() -> None:
    assert {path.stem for path in CORPUS.glob("*.json")} == {*ENDED, *PENDING}


@pytest.mark.parametrize("name", ENDED)
def test_a_recorded_end_is_diagnosed(name: str) -> None:
    whole = json.loads((CORPUS / f"{name}.json").read_text())
    [job] = whole["jobs"]
    seen = _see(job, whole["pods"])
    found = diagnose(seen.evidence, None)
    assert (seen.phase, found.cause, found.reason) == (Phase.ENDED, *ENDED[name])


@pytest.mark.parametrize("name", PENDING)
def test_a_recorded_pod_that_does_not_start_is_diagnosed(name: str) -> None:
    whole = json.loads((CORPUS / f"{name}.json").read_text())
    [job] = whole["jobs"]
    seen = _see(job, whole["pods"])
    found = why_not_started(seen.evidence, timedelta(days=2), timedelta(minutes=5), timedelta(hours=24))
    assert found is not None
    assert (seen.phase, found.cause, found.reason) == (Phase.PENDING, Cause.CANNOT_START, PENDING[name])
