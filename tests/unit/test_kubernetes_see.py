"""One Job and its pods, as the API server shows them, become one value; and that one a diagnosis."""

from typing import Any

import pytest

from controller.launchers.interface import ObservedRun, Phase
from controller.launchers.kubernetes.cache import ClusterView
from controller.launchers.kubernetes.launcher import _see
from controller.launchers.kubernetes.objects import job_of, pod_of
from controller.outcomes.diagnosis import diagnose, waits_for
from controller.pools.runner_pod import LABEL_EPOCH, job_name
from dataset_jobs.model.causes import Cause, Reason
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.settlement import Evidence
from tests.unit.kubernetes_objects import KEY, job, pod, terminated, waiting

RUNNING = {"running": {"startedAt": "2025-03-01T10:00:05Z"}}
REJECTED = Outcome(Cause.REJECTED, Reason.INVALID_FORMAT, "yob2020.txt, line 3: expected F or M as the sex")
PAST_DEADLINE = "Pod was active on the node longer than the specified deadline"
DISK_FULL = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. "
LOW_ON_MEMORY = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. "


def see(made: dict[str, Any], *pods: dict[str, Any]) -> ObservedRun:
    view = ClusterView()
    view.end_list([job_of(made)], map(pod_of, pods))
    job, its_pods = view.of(KEY)
    assert job is not None
    return _see(KEY, job, its_pods)


def cause_of(seen: ObservedRun) -> tuple[Cause, Reason | None]:
    assert seen.phase is Phase.ENDED
    found = diagnose(seen.evidence, None)
    return found.cause, found.reason


def test_a_job_is_known_by_its_labels_and_its_name() -> None:
    seen = see(job())
    assert (seen.key, seen.name, seen.released) == (KEY, job_name(KEY), False)


def test_a_job_that_was_settled_is_known_by_its_time_to_live() -> None:
    assert see(job("Complete", ttlSecondsAfterFinished=600)).released


def test_a_job_of_which_the_pod_is_not_made_yet_is_pending() -> None:
    made = job()
    del made["status"]
    assert (see(made).phase, see(made).evidence) == (Phase.PENDING, Evidence())


@pytest.mark.parametrize("condition", ["Complete", "Failed"])
def test_a_job_that_is_over_without_a_pod_has_vanished(condition: str) -> None:
    assert cause_of(see(job(condition))) == (Cause.VANISHED, None)


def test_a_job_that_is_going_to_fail_is_not_over() -> None:
    made = job("Failed")
    made["status"]["conditions"].pop()
    assert see(made).phase is Phase.PENDING


def test_a_suspended_job_is_pending() -> None:
    made = job(suspend=True)
    made["status"]["conditions"] = [{"type": "Suspended", "status": "True", "reason": "JobSuspended"}]
    assert see(made).phase is Phase.PENDING


def test_a_suspended_job_waits_for_room_like_a_pod_that_no_node_takes() -> None:
    waits = waits_for(see(job(suspend=True)).evidence)
    assert waits is not None
    assert (waits.reason, waits.error) == (Reason.UNSCHEDULABLE, "the Job is suspended")


def test_a_suspended_job_is_not_left_to_its_time_to_live_which_never_begins() -> None:
    assert not see(job(suspend=True, ttlSecondsAfterFinished=600)).released


@pytest.mark.parametrize(
    "made",
    [
        pod("Pending"),
        pod("Pending", waiting("ContainerCreating")),
        pod("Pending", waiting("PodInitializing")),
        pod("Pending", conditions={"PodScheduled": ("False", "Unschedulable")}),
    ],
    ids=["scheduled", "creating", "initializing", "unschedulable"],
)
def test_a_pod_on_its_way_is_pending(made: dict[str, Any]) -> None:
    assert see(job(), made).phase is Phase.PENDING


def test_a_pod_that_no_node_takes_says_so() -> None:
    seen = see(job(), pod("Pending", conditions={"PodScheduled": ("False", "Unschedulable")}))
    assert seen.evidence.conditions == {"PodScheduled": "Unschedulable"}


def test_a_pod_without_a_node_is_seen_without_one() -> None:
    made = pod("Pending")
    del made["spec"]["nodeName"]
    assert see(job(), made).evidence.node is None


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
def test_an_image_that_cannot_be_pulled_is_seen_while_the_pod_waits(reason: str) -> None:
    seen = see(job(), pod("Pending", waiting(reason, "Back-off pulling image")))
    assert (seen.phase, seen.evidence.seen_as) == (Phase.PENDING, "ImagePull")
    assert (seen.evidence.message, seen.evidence.container_started) == ("Back-off pulling image", False)


@pytest.mark.parametrize("reason", ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"])
def test_a_container_that_cannot_be_set_up_is_seen_while_the_pod_waits(reason: str) -> None:
    seen = see(job(), pod("Pending", waiting(reason, 'secret "database" not found')))
    assert (seen.phase, seen.evidence.seen_as) == (Phase.PENDING, "Config")


def test_a_running_pod_is_running() -> None:
    seen = see(job(), pod("Running", RUNNING))
    assert (seen.phase, seen.evidence.container_started) == (Phase.RUNNING, True)
    assert (seen.evidence.pod_name, seen.evidence.pod_uid, seen.evidence.node) == (
        f"{job_name(KEY)}-x7k2p",
        "pod-x7k2p",
        "node-7",
    )


def test_a_pod_on_a_node_that_is_not_heard_of_still_holds_its_slot() -> None:
    assert see(job(), pod("Unknown", RUNNING, reason="NodeLost")).phase is not Phase.ENDED


NOT_HEARD_OF = {"PodScheduled": ("True", ""), "ContainersReady": ("True", ""), "Ready": ("False", "")}
BY_TAINT = ("True", "DeletionByTaintManager")


def deleted(made: dict[str, Any]) -> dict[str, Any]:
    made["metadata"]["deletionTimestamp"] = "2025-03-01T10:05:00Z"
    return made


@pytest.mark.parametrize(
    "made",
    [
        pod("Running", RUNNING, NOT_HEARD_OF),
        deleted(pod("Running", RUNNING, NOT_HEARD_OF)),
        deleted(pod("Running", RUNNING, {**NOT_HEARD_OF, "DisruptionTarget": BY_TAINT})),
        deleted(pod("Pending", waiting("ContainerCreating"), {"DisruptionTarget": BY_TAINT})),
    ],
    ids=["not ready any more", "and deleted by us", "and deleted for the taint", "before it was ready"],
)
def test_a_lost_node_is_seen_on_its_pods(made: dict[str, Any]) -> None:
    """They hold their slots."""
    seen = see(job(), made)
    assert (seen.phase is Phase.ENDED, seen.evidence.node_lost) == (False, True)
    assert diagnose(seen.evidence, None).cause is Cause.NODE_LOST


@pytest.mark.parametrize(
    "made",
    [
        pod("Running", RUNNING, {"ContainersReady": ("True", ""), "Ready": ("True", "")}),
        pod("Running", RUNNING, {"ContainersReady": ("False", "ContainersNotReady"), "Ready": ("False", "")}),
        pod("Running", RUNNING, {"ContainersReady": ("True", ""), "Ready": ("False", "ReadinessGatesNotReady")}),
        pod("Running", RUNNING, {"Ready": ("False", "ContainersNotReady")}),
        pod("Pending", waiting("ContainerCreating"), {"DisruptionTarget": BY_TAINT}),
        deleted(pod("Running", RUNNING, {"DisruptionTarget": ("True", "EvictionByEvictionAPI")})),
        deleted(pod("Running", RUNNING, {"DisruptionTarget": ("False", "DeletionByTaintManager")})),
        deleted(pod("Failed", terminated(137), {**NOT_HEARD_OF, "DisruptionTarget": BY_TAINT})),
    ],
    ids=[
        "ready",
        "a container is not ready",
        "a readiness gate",
        "not ready yet",
        "not deleted yet",
        "evicted",
        "called off",
        "over all the same",
    ],
)
def test_a_node_that_still_says_something_is_not_lost(made: dict[str, Any]) -> None:
    assert not see(job(), made).evidence.node_lost


def test_of_two_pods_the_one_on_a_lost_node_is_not_told_of() -> None:
    lost = pod("Running", RUNNING, NOT_HEARD_OF, suffix="lost1", created="2025-03-01T10:00:09Z")
    live = pod("Running", RUNNING, suffix="live1")
    for pods in ([lost, live], [live, lost]):
        assert see(job(), *pods).evidence.pod_uid == "pod-live1"


FULL = 'Error creating: pods "affirm-parser-x" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0'
REFUSED = 'Error creating: pods "affirm-parser-x" is forbidden: violates PodSecurity "restricted:latest"'


@pytest.mark.parametrize(("refused", "seen_as"), [(FULL, "Quota"), (REFUSED, "Refused"), ("", None)])
def test_a_job_for_which_no_pod_can_be_made_says_why(refused: str, seen_as: str | None) -> None:
    seen = _see(KEY, job_of(job()), [], refused)
    assert (seen.phase, seen.evidence.seen_as, seen.evidence.message) == (Phase.PENDING, seen_as, refused)


def test_a_refusal_that_is_over_is_not_told() -> None:
    assert _see(KEY, job_of(job()), [pod_of(pod("Running", RUNNING))], FULL).evidence.message == ""
    assert _see(KEY, job_of(job("Failed")), [], FULL).evidence.message == ""


def test_a_pod_that_succeeded_without_a_commit_is_told_by_its_exit_code() -> None:
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


def test_pods_of_other_runs_and_of_none_are_not_looked_at() -> None:
    another = pod("Running", RUNNING)
    another["metadata"]["labels"] = another["metadata"]["labels"] | {LABEL_EPOCH: "2"}
    of_no_run = pod("Running", RUNNING)
    del of_no_run["metadata"]["labels"][LABEL_EPOCH]
    without_labels = pod("Running", RUNNING)
    del without_labels["metadata"]["labels"]
    assert see(job(), another, of_no_run, without_labels).phase is Phase.PENDING


def test_the_pod_of_a_deleted_job_holds_the_slot() -> None:
    """Also if the Job was made anew."""
    left = pod("Running", RUNNING, suffix="left1")
    left["metadata"]["ownerReferences"][0]["uid"] = "of the Job that was deleted"
    refused = pod("Failed", terminated(80), suffix="anew1", created="2025-03-01T10:00:09Z")
    seen = see(job("Failed"), left, refused)
    assert (seen.phase, seen.evidence.pod_uid) == (Phase.RUNNING, "pod-left1")


def test_the_state_of_a_sidecar_is_no_evidence() -> None:
    made = pod("Pending", waiting("ContainerCreating"))
    assert not see(job(), made).evidence.container_started
