"""Pods that the runner shares with injected containers: its own container says how the run has ended."""

from datetime import timedelta
from typing import Any

import pytest

from controller.launchers.interface import ObservedRun, Phase
from controller.launchers.kubernetes.launcher import _see
from controller.launchers.kubernetes.objects import job_of, pod_of
from controller.outcomes.diagnosis import diagnose, waits_for, why_not_started
from dataset_jobs.model.causes import Cause, Reason
from tests.unit.kubernetes_objects import KEY, job, pod, terminated, waiting

# `pod` has a container istio-proxy, which is running.
ENDED_AT = "2025-03-01T10:00:09Z"
BACK_OFF = "back-off 10s restarting failed container"


def see(*pods: dict[str, Any]) -> ObservedRun:
    return _see(KEY, job_of(job()), [pod_of(one) for one in pods])


def cause_of(seen: ObservedRun) -> tuple[Cause, Reason | None]:
    found = diagnose(seen.evidence, None)
    return found.cause, found.reason


def with_sidecar(made: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    made["status"]["containerStatuses"][0]["state"] = state
    return made


def with_init(made: dict[str, Any], state: dict[str, Any], restart_policy: str | None = None) -> dict[str, Any]:
    spec = {"name": "mesh-init"} | ({"restartPolicy": restart_policy} if restart_policy else {})
    made["spec"]["initContainers"] = [spec]
    made["status"]["initContainerStatuses"] = [{"name": "mesh-init", "state": state}]
    return made


@pytest.mark.parametrize("phase", ["Running", "Pending"])
@pytest.mark.parametrize(
    ("state", "cause"),
    [
        (terminated(0, "Completed"), Cause.LEFT_WITHOUT_COMMIT),
        (terminated(137, "OOMKilled"), Cause.OUT_OF_MEMORY),
        (terminated(1), Cause.CRASHED),
    ],
    ids=["exit code 0", "out of memory", "crash"],
)
def test_an_ended_runner_ends_the_run_whatever_lives(phase: str, state: dict[str, Any], cause: Cause) -> None:
    """The pod is Pending where the sidecar's image cannot be pulled."""
    seen = see(pod(phase, state))
    assert (seen.phase, seen.evidence.left_running) == (Phase.ENDED, ("istio-proxy",))
    assert cause_of(seen) == (cause, None)


def test_a_runner_is_running_although_its_sidecar_waits() -> None:
    made = with_sidecar(pod("Pending", {"running": {"startedAt": ENDED_AT}}), waiting("ImagePullBackOff"))
    seen = see(made)
    assert (seen.phase, waits_for(seen.evidence)) == (Phase.RUNNING, None)


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_sidecar_that_ends_first_is_no_end(exit_code: int) -> None:
    seen = see(with_sidecar(pod("Running", {"running": {"startedAt": ENDED_AT}}), terminated(exit_code)))
    assert (seen.phase, seen.evidence.exit_code) == (Phase.RUNNING, None)


def test_a_pod_failed_by_its_sidecar_is_no_crash() -> None:
    seen = see(with_sidecar(pod("Failed", terminated(0, "Completed")), terminated(1)))
    assert (cause_of(seen), seen.evidence.left_running) == ((Cause.LEFT_WITHOUT_COMMIT, None), ())


def test_nothing_is_left_of_a_deleted_pod() -> None:
    made = pod("Running", terminated(0, "Completed"))
    made["metadata"]["deletionTimestamp"] = "2025-03-01T10:00:39Z"
    assert see(made).evidence.left_running == ()


def test_a_native_sidecar_is_left_to_the_kubelet() -> None:
    made = with_init(pod("Running", terminated(0, "Completed")), {"running": {"startedAt": ENDED_AT}}, "Always")
    seen = see(with_sidecar(made, terminated(0, "Completed")))
    assert (seen.phase, seen.evidence.left_running) == (Phase.ENDED, ())


def test_the_sidecars_of_all_pods_are_left() -> None:
    """The one that found the run taken is no evidence, and its sidecar lives on all the same."""
    twin = pod("Running", terminated(80), suffix="twin1", created="2025-03-01T10:00:09Z")
    mine = with_sidecar(pod("Failed", terminated(1)), terminated(1))
    seen = see(mine, twin)
    assert (seen.evidence.exit_code, seen.evidence.left_running) == (1, ("istio-proxy",))


@pytest.mark.parametrize(
    ("deadline_seconds", "cause"),
    [(9, Cause.LEFT_WITHOUT_COMMIT), (8, Cause.TIMED_OUT), (7, Cause.TIMED_OUT)],
    ids=["after the end", "in the second of the end", "before the end"],
)
def test_only_a_deadline_before_the_end_counts(deadline_seconds: int, cause: Cause) -> None:
    made = pod("Failed", terminated(0), reason="DeadlineExceeded", startTime="2025-03-01T10:00:01Z")
    made["spec"]["activeDeadlineSeconds"] = deadline_seconds
    assert cause_of(see(made)) == (cause, None)


@pytest.mark.parametrize(
    ("disrupted_at", "cause"),
    [("2025-03-01T10:00:10Z", Cause.CRASHED), (ENDED_AT, Cause.EVICTED), ("2025-03-01T10:00:08Z", Cause.EVICTED)],
)
@pytest.mark.parametrize("reason", ["EvictionByEvictionAPI", "TerminationByKubelet"])
def test_only_a_disruption_before_the_end_counts(reason: str, disrupted_at: str, cause: Cause) -> None:
    conditions = {"DisruptionTarget": ("True", reason)}
    made = pod("Failed", terminated(1), conditions, created=disrupted_at, reason="Evicted")
    assert cause_of(see(made)) == (cause, None)


def test_a_pod_without_sidecars_ended_by_its_disruption() -> None:
    """Two clocks say when: the node's and the API server's."""
    conditions = {"DisruptionTarget": ("True", "PreemptionByScheduler")}
    made = pod("Failed", terminated(143), conditions, created="2025-03-01T10:00:10Z")
    del made["status"]["containerStatuses"][0]
    assert cause_of(see(made)) == (Cause.PREEMPTED, None)


NEVER_STARTED = waiting("PodInitializing")


@pytest.mark.parametrize("phase", ["Failed", "Pending"])
def test_an_init_container_that_failed_is_named(phase: str) -> None:
    seen = see(with_init(pod(phase, NEVER_STARTED), terminated(3, message="the password is swordfish")))
    found = diagnose(seen.evidence, None) if phase == "Failed" else waits_for(seen.evidence)
    assert found is not None
    assert (found.cause, found.reason) == (Cause.CANNOT_START, Reason.CONFIG)
    assert "init container mesh-init failed with exit code 3 (Error)" in found.error
    assert found.error.endswith(f"kubectl logs {seen.evidence.pod_name} -c mesh-init")


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (terminated(1), Reason.CONFIG),
        (waiting("CreateContainerConfigError", 'secret "mesh" not found'), Reason.CONFIG),
        (waiting("ErrImagePull", "no such image"), Reason.IMAGE),
    ],
)
def test_a_native_sidecar_that_does_not_start_is_named(state: dict[str, Any], reason: Reason) -> None:
    waits = waits_for(see(with_init(pod("Pending", NEVER_STARTED), state, "Always")).evidence)
    assert waits is not None
    assert (waits.reason, "init container mesh-init" in waits.error) == (reason, True)


@pytest.mark.parametrize(
    ("state", "restarts", "started", "is_trouble"),
    [
        (terminated(1), 0, False, True),
        ({"running": {"startedAt": ENDED_AT}}, 3, False, True),
        (waiting("CrashLoopBackOff", BACK_OFF), 3, False, True),
        ({"running": {"startedAt": ENDED_AT}}, 0, False, False),
        ({"running": {"startedAt": ENDED_AT}}, 3, True, False),
        (waiting("PodInitializing"), 0, False, False),
    ],
)
def test_a_native_sidecar_in_a_loop_is_trouble(
    state: dict[str, Any], restarts: int, started: bool, is_trouble: bool
) -> None:
    """A kubelet shows it as terminated or running while the others wait for it, and seldom as CrashLoopBackOff."""
    made = with_init(pod("Pending", NEVER_STARTED), state, "Always")
    made["status"]["initContainerStatuses"][0] |= {"restartCount": restarts, "started": started}
    waits = waits_for(see(made).evidence)
    assert (waits is not None) is is_trouble
    assert waits is None or "ends again and again" in waits.error


@pytest.mark.parametrize(("restart_policy", "started"), [(None, True), ("Always", False)])
def test_a_pod_that_is_late_names_its_init_container(restart_policy: str | None, started: bool) -> None:
    """Such as one that waits for a vault."""
    made = with_init(pod("Pending", NEVER_STARTED), {"running": {"startedAt": ENDED_AT}}, restart_policy)
    made["status"]["initContainerStatuses"][0]["started"] = started
    evidence = see(made).evidence
    assert waits_for(evidence) is None
    minute = timedelta(minutes=1)
    late = why_not_started(evidence, 2 * minute, minute, minute)
    assert late is not None
    assert "not started in 60 s: the runner waits for the init container mesh-init: kubectl logs " in late.error


def test_a_killed_native_sidecar_is_not_what_failed() -> None:
    made = with_init(pod("Failed", NEVER_STARTED), terminated(137), "Always")
    made["spec"]["initContainers"].append({"name": "vault-init"})
    made["status"]["initContainerStatuses"].append({"name": "vault-init", "state": terminated(2)})
    assert "init container vault-init" in diagnose(see(made).evidence, None).error


def test_init_containers_of_a_started_runner_say_nothing() -> None:
    made = with_init(pod("Failed", terminated(1)), waiting("CrashLoopBackOff", BACK_OFF), "Always")
    assert cause_of(see(made)) == (Cause.CRASHED, None)


def test_an_init_container_at_the_deadline_did_not_fail() -> None:
    made = with_init(pod("Failed", NEVER_STARTED, reason="DeadlineExceeded"), terminated(137))
    seen = see(made)
    assert cause_of(seen) == (Cause.CANNOT_START, None)
    assert "deadline" in diagnose(seen.evidence, None).error


def test_a_pod_that_a_node_refused_could_not_start() -> None:
    message = "Pod was rejected: Node didn't have enough resource: cpu"
    seen = see(pod("Failed", reason="OutOfcpu", message=message))
    assert cause_of(seen) == (Cause.CANNOT_START, Reason.UNSCHEDULABLE)
    assert "OutOfcpu: Pod was rejected" in diagnose(seen.evidence, None).error
