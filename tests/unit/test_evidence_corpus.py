"""Jobs, pods and events as a real cluster had them, recorded by the end-to-end tests, against the diagnosis."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.launchers.interface import ObservedRun, Phase
from controller.launchers.kubernetes.failed_create import newest_messages
from controller.launchers.kubernetes.launcher import _see, _see_pods
from controller.launchers.kubernetes.objects import job_of, pod_of
from controller.outcomes.diagnosis import diagnose, why_not_started
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from tests.unit.kubernetes_objects import KEY

CORPUS = Path(__file__).parents[1] / "data" / "evidence"

ENDED = {
    "out_of_memory": (Cause.OUT_OF_MEMORY, None),
    "timed_out": (Cause.TIMED_OUT, None),
    "disk_full": (Cause.DISK_FULL, None),
    "crashed_by_sigsegv": (Cause.CRASHED, None),
    "crashed_by_sigkill": (Cause.CRASHED, None),
    "left_without_commit": (Cause.LEFT_WITHOUT_COMMIT, None),
    "rejected": (Cause.REJECTED, Reason.INVALID_FORMAT),
    "no_program": (Cause.CANNOT_START, Reason.CONFIG),
    "evicted": (Cause.EVICTED, None),
    "drained": (Cause.EVICTED, None),
    "preempted": (Cause.PREEMPTED, None),
    "deleted_pod": (Cause.VANISHED, None),
    # Of the pod there is nothing more to see; a controller that had not seen it before knows only this.
    "evicted_and_gone": (Cause.EVICTED, None),
    "drained_and_gone": (Cause.EVICTED, None),
    "preempted_and_gone": (Cause.EVICTED, None),
    "deleted_pod_and_gone": (Cause.VANISHED, None),
    # The runner shared its pod with injected containers.
    "sidecar_lives_on": (Cause.LEFT_WITHOUT_COMMIT, None),
    "sidecar_outlives_a_rejection": (Cause.REJECTED, Reason.INVALID_FORMAT),
    "sidecar_outlives_a_kill": (Cause.OUT_OF_MEMORY, None),
    "sidecar_at_the_deadline": (Cause.REJECTED, Reason.INVALID_FORMAT),
    "sidecar_at_the_deadline_without_a_word": (Cause.LEFT_WITHOUT_COMMIT, None),
    "sidecar_fails_after_the_runner": (Cause.LEFT_WITHOUT_COMMIT, None),
    "native_sidecar": (Cause.LEFT_WITHOUT_COMMIT, None),
    "cannot_start_init_failed": (Cause.CANNOT_START, Reason.CONFIG),
}
NEVER_TAKEN = {"no_runner": (Cause.CANNOT_START, Reason.IMAGE)}
AT_WORK = ("sidecar_ends_first",)
LEFT_RUNNING = ("sidecar_lives_on", "sidecar_outlives_a_rejection", "sidecar_outlives_a_kill")
WITHOUT_A_JOB = {"deleted_job": Cause.VANISHED, "cancelled": Cause.VANISHED}
"""Of a run that was cancelled, the cause that was kept with the request counts."""

LOST = ("node_lost", "node_lost_and_deleted")
PENDING = {
    "cannot_start_image": Reason.IMAGE,
    "cannot_start_config": Reason.CONFIG,
    "cannot_start_unschedulable": Reason.UNSCHEDULABLE,
    "cannot_start_quota": Reason.QUOTA,
    "cannot_start_pod_security": Reason.REFUSED,
    "cannot_start_value": Reason.REFUSED,
    "cannot_start_limit_range": Reason.REFUSED,
    "cannot_start_sidecar_crashes": Reason.CONFIG,
    "cannot_start_sidecar_image": Reason.IMAGE,
}


def recorded(name: str) -> tuple[dict[str, Any], ObservedRun]:
    """A recording, and what the launcher makes of it."""
    whole = json.loads((CORPUS / f"{name}.json").read_text())
    pods = [pod_of(pod) for pod in whole["pods"]]
    if not whole["jobs"]:
        return whole, _see_pods(KEY, "its name", pods, released=False)
    [job] = whole["jobs"]
    failed_creates = [event for event in whole["events"] if event["reason"] == "FailedCreate"]
    refused = newest_messages(failed_creates).get(job["metadata"]["uid"], "")
    return whole, _see(KEY, job_of(job), pods, refused)


def test_the_whole_corpus_is_in_the_tables() -> None:
    assert {path.stem for path in CORPUS.glob("*.json")} == {
        *ENDED,
        *NEVER_TAKEN,
        *AT_WORK,
        *WITHOUT_A_JOB,
        *LOST,
        *PENDING,
    }


@pytest.mark.parametrize("name", ENDED)
def test_a_recorded_end_is_diagnosed(name: str) -> None:
    whole, seen = recorded(name)
    found = diagnose(seen.evidence, None)
    assert (seen.phase, found.cause, found.reason) == (Phase.ENDED, *ENDED[name])
    assert whole["events"]
    assert seen.evidence.left_running == (("proxy",) if name in LEFT_RUNNING else ())


@pytest.mark.parametrize("name", AT_WORK)
def test_a_recorded_runner_at_work_is_running(name: str) -> None:
    _, seen = recorded(name)
    assert (seen.phase, seen.evidence.exit_code) == (Phase.RUNNING, None)


@pytest.mark.parametrize("name", NEVER_TAKEN)
def test_a_recorded_end_of_what_took_no_run_is_diagnosed(name: str) -> None:
    _, seen = recorded(name)
    found = diagnose(seen.evidence, None, taken=False)
    assert (seen.phase, found.cause, found.reason) == (Phase.ENDED, *NEVER_TAKEN[name])


@pytest.mark.parametrize("name", WITHOUT_A_JOB)
def test_a_recorded_pod_of_a_job_that_was_deleted_is_diagnosed(name: str) -> None:
    _, seen = recorded(name)
    assert seen.evidence.deleted
    assert diagnose(seen.evidence, None).cause is WITHOUT_A_JOB[name]


@pytest.mark.parametrize("name", LOST)
def test_a_recorded_pod_on_a_lost_node_still_runs_as_far_as_anybody_knows(name: str) -> None:
    whole, seen = recorded(name)
    assert (seen.phase, seen.evidence.node_lost) == (Phase.RUNNING, True)
    assert seen.evidence.deleted is (name == "node_lost_and_deleted")
    found = diagnose(seen.evidence, None)
    assert (found.cause, found.cause.counts_as) == (Cause.NODE_LOST, CountsAs.INTERRUPTION)
    assert "node1" in found.error
    assert {"NodeNotReady"} <= {event["reason"] for event in whole["events"]}


@pytest.mark.parametrize("name", PENDING)
def test_a_recorded_pod_that_does_not_start_is_diagnosed(name: str) -> None:
    _, seen = recorded(name)
    found = why_not_started(seen.evidence, timedelta(days=2), timedelta(minutes=5), timedelta(hours=24))
    assert found is not None
    assert (seen.phase, found.cause, found.reason) == (Phase.PENDING, Cause.CANNOT_START, PENDING[name])
    assert found.error
