"""One Job and its pods, as the API server shows them, become one value; and that one a diagnosis."""

from typing import Any

import pytest

from controller.launchers import Phase, Seen
from controller.launchers.kubernetes import _by_job_uid, _see
from controller.policy.diagnosis import diagnose
from controller.policy.job_manifest import job_name
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.settlement import Evidence
from tests.unit.kubernetes_objects import JOB_UID, KEY, job, pod, terminated, waiting

RUNNING = {"running": {"startedAt": "2025-03-01T10:00:05Z"}}
REJECTED = Outcome(Cause.REJECTED, Reason.INVALID_FORMAT, "yob2020.txt, line 3: expected F or M as the sex")
PAST_DEADLINE = "Pod was active on the node longer than the specified deadline"
DISK_def test_a_pod_that_succeeded_without_a_commit_is_told_by_its_exit_code() -> None:
    seen = see(job("Complete"), pod("Succeeded", terminated(0, "Completed")))
    assert cause_of(seen) == (Cause.LEFT_WITHOUT_COMMIT, None)
    assert (seen.evidence.started_at, seen.evidence.finished_at) == ("2025-03-01T10:00:05Z", "2025-03-01T10:00:09Z")


def test_a_pod_that_is_over_has_ended_although_its_job_does_not_know_yet() -> None:
    assert see(job(), pod("Succeeded", terminated(0, "Completed"))).phase is Phase.ENDED


def test_what_the_runner_said_last_is_read() -> None:
    seen = see(job("Failed"), pod("Failed", terminated(65, message=REJECTED.to_message())))
    assert seen.evidence.exit_code == 65
    assert cause_of(seen) == (Cause.REJECTED, Reason.INVALID_FORMAT)


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (pod("Failed", terminated(137, "OOMKilled")), Cause.OUT_OF_MEMORY),
        (pod("Failed", terminated(143), reason="DeadlineExceeded", message=PAST_DEADLINE), Cause.TIMED_OUT),
        (pod("Failed", RUNNING, reason="DeadlineExceeded", message=PAST_DEADLINE), Cause.TIMED_OUT),
        (pod("Failed", reason="DeadlineExceeded", message=PAST_DEADLINE), Cause.CANNOT_START),
        (pod("Failed", terminated(137), reason="Evicted", message=DISK_FULL), Cause.DISK_FULL),
        (pod("Failed", terminated(139)), Cause.CRASHED),
        (
            pod("Failed", reason="NodeShutdown", message="Pod was rejected as the node is shutting down."),
            Cause.NODE_SHUTDOWN,
        ),
        (pod("Failed", terminated(143), reason="Terminated", message="terminated by shutdown"), Cause.NODE_SHUTDOWN),
    ],
    ids=[
        "out of memory",
        "deadline",
        "deadline, state not reported",
        "deadline before the start",
        "disk full",
        "segmentation fault",
        "rejected by a node that shuts down",
        "ended by a node that shuts down",
    ],
)
def test_how_a_pod_failed_is_its_cause(made: dict[str, Any], cause: Cause) -> None:
    assert cause_of(see(job("Failed"), made)) == (cause, None)


def test_an_image_that_was_not_pulled_until_the_deadline_is_the_image_still() -> None:
    made = pod("Failed", waiting("ImagePullBackOff", "Back-off"), reason="DeadlineExceeded", message=PAST_DEADLINE)
    assert cause_of(see(job("Failed"), made)) == (Cause.CANNOT_START, Reason.IMAGE)


@pytest.mark.parametrize(
    ("disruption", "reason", "cause"),
    [
        ("TerminationByKubelet", "Evicted", Cause.EVICTED),
        ("TerminationByKubelet", "Terminated", Cause.NODE_SHUTDOWN),
        ("TerminationByKubelet", "Preempting", Cause.PREEMPTED),
        ("EvictionByEvictionAPI", None, Cause.EVICTED),
        ("PreemptionByScheduler", None, Cause.PREEMPTED),
        ("DeletionByTaintManager", None, Cause.NODE_LOST),
        ("DeletionByPodGC", None, Cause.NODE_LOST),
    ],
)
def test_a_disruption_is_read_from_its_condition(disruption: str, reason: str | None, cause: Cause) -> None:
    conditions = {
        "DisruptionTarget": ("True", disruption),
        "PodScheduled": ("True", ""),
        "Ready": ("False", "PodFailed"),
    }
    status = {"reason": reason, "message": LOW_ON_MEMORY} if reason else {}
    seen = see(job("Failed"), pod("Failed", terminated(137), conditions, **status))
    assert seen.evidence.conditions == {"DisruptionTarget": disruption}
    assert cause_of(seen) == (cause, None)


def test_a_disruption_that_was_called_off_is_none() -> None:
    conditions = {"DisruptionTarget": ("False", "PreemptionByScheduler")}
    assert cause_of(see(job("Failed"), pod("Failed", terminated(1), conditions))) == (Cause.CRASHED, None)


def test_of_two_pods_the_one_that_lives_holds_the_slot() -> None:
    dead = pod("Failed", terminated(137), suffix="dead1", created="2025-03-01T10:00:09Z")
    live = pod("Running", RUNNING, suffix="live1")
    for pods in ([dead, live], [live, dead]):
        seen = see(job(), *pods)
        assert (seen.phase, seen.evidence.pod_uid) == (Phase.RUNNING, "pod-live1")


def test_of_two_pods_that_are_over_the_last_one_is_the_evidence() -> None:
    first = pod("Failed", terminated(80), suffix="first")
    last = pod("Failed", terminated(137, "OOMKilled"), suffix="last1", created="2025-03-01T10:05:00Z")
    for pods in ([first, last], [last, first]):
        seen = see(job("Failed"), *pods)
        assert (seen.evidence.pod_uid, cause_of(seen)) == ("pod-last1", (Cause.OUT_OF_MEMORY, None))


def test_pods_of_other_jobs_are_not_looked_at() -> None:
    stranger = pod("Running", RUNNING)
    stranger["metadata"]["ownerReferences"][0]["uid"] = "another"
    without_owner = pod("Running", RUNNING)
    del without_owner["metadata"]["ownerReferences"]
    assert see(job(), stranger, without_owner).phase is Phase.PENDING


def test_the_state_of_a_sidecar_is_no_evidence() -> None:
    made = pod("Pending", waiting("ContainerCreating"))
    assert not see(job(), made).evidence.container_started
