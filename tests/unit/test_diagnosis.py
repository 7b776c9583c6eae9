"""From the evidence of a run's end to its cause."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.outcomes.diagnosis import diagnose, why_not_started
from dataset_jobs.model.causes import Cause, CountsAs, Reason
from dataset_jobs.model.outcome import Outcome
from dataset_jobs.model.settlement import Diagnosis, Evidence

DISRUPTIONS = {
    "PreemptionByScheduler": Cause.PREEMPTED,
    "EvictionByEvictionAPI": Cause.EVICTED,
    "DeletionByTaintManager": Cause.NODE_LOST,
    "DeletionByPodGC": Cause.NODE_LOST,
    "TerminationByKubelet": Cause.NODE_SHUTDOWN,
}
SAID = Outcome(Cause.UNAVAILABLE, Reason.STORAGE, "storage did not answer")
REJECTED = Outcome(Cause.REJECTED, Reason.INVALID_FORMAT, "yob2020.txt, line 3: expected F or M as the sex")


def of(evidence: Evidence, outcome: Outcome | None = None) -> tuple[Cause, Reason | None]:
    found = diagnose(evidence, outcome)
    return found.cause, found.reason


def disrupted(reason: str, seen_as: str | None = None) -> Evidence:
    return Evidence(137, seen_as=seen_as, conditions={"DisruptionTarget": reason}, node="node-7")


@pytest.mark.parametrize(
    ("evidence", "cause", "reason"),
    [
        (Evidence(137, seen_as="OOMKilled", container_started=True), Cause.OUT_OF_MEMORY, None),
        (Evidence(137, seen_as="DeadlineExceeded", container_started=True), Cause.TIMED_OUT, None),
        (Evidence(seen_as="DeadlineExceeded"), Cause.CANNOT_START, None),
        (Evidence(137, seen_as="Evicted", container_started=True), Cause.DISK_FULL, None),
        (Evidence(seen_as="NodeShutdown"), Cause.NODE_SHUTDOWN, None),
        (Evidence(143, seen_as="Terminated", container_started=True), Cause.NODE_SHUTDOWN, None),
        (Evidence(seen_as="NodeLost"), Cause.NODE_LOST, None),
        (Evidence(node_lost=True, container_started=True), Cause.NODE_LOST, None),
        (Evidence(node_lost=True, deleted=True), Cause.NODE_LOST, None),
        (Evidence(seen_as="ImagePull", message="Back-off pulling image"), Cause.CANNOT_START, Reason.IMAGE),
        (Evidence(seen_as="Config", message='secret "db" not found'), Cause.CANNOT_START, Reason.CONFIG),
        (Evidence(signal=15, seen_as="Stopped", container_started=True), Cause.SHUT_DOWN, None),
        (Evidence(gone=True), Cause.VANISHED, None),
        (Evidence(0, container_started=True), Cause.LEFT_WITHOUT_COMMIT, None),
        (Evidence(80, container_started=True), Cause.LOST_LEASE, None),
        (Evidence(1, container_started=True), Cause.CRASHED, None),
        (Evidence(139, container_started=True), Cause.CRASHED, None),
        (Evidence(signal=9, container_started=True), Cause.CRASHED, None),
        (Evidence(signal=15, container_started=True), Cause.SHUT_DOWN, None),
        (Evidence(), Cause.CRASHED, None),
        (Evidence(pod_name="p"), Cause.CANNOT_START, None),
        (Evidence(pod_name="p", seen_as="OutOfcpu"), Cause.CANNOT_START, Reason.UNSCHEDULABLE),
        (Evidence(pod_name="p", container_started=True), Cause.CRASHED, None),
    ],
)
def test_without_a_word_of_the_runner_what_was_seen_decides(
    evidence: Evidence, cause: Cause, reason: Reason | None
) -> None:
    assert of(evidence) == (cause, reason)


@pytest.mark.parametrize(("reason", "cause"), DISRUPTIONS.items())
def test_a_disruption_of_the_pod_is_told_by_its_condition_and_names_the_node(reason: str, cause: Cause) -> None:
    found = diagnose(disrupted(reason), None)
    assert found.cause is cause
    assert "node-7" in found.error


@pytest.mark.parametrize(
    ("seen_as", "cause"),
    [
        ("Evicted", Cause.EVICTED),
        ("Preempting", Cause.PREEMPTED),
        ("NodeShutdown", Cause.NODE_SHUTDOWN),
        ("Terminated", Cause.NODE_SHUTDOWN),
        (None, Cause.NODE_SHUTDOWN),
    ],
)
def test_what_the_kubelet_ended_for_the_node_is_told_by_the_pods_reason(seen_as: str | None, cause: Cause) -> None:
    assert diagnose(disrupted("TerminationByKubelet", seen_as), None).cause is cause


def test_an_eviction_is_the_pods_own_fault_only_without_a_disruption() -> None:
    assert diagnose(Evidence(seen_as="Evicted"), None).cause is Cause.DISK_FULL
    assert diagnose(disrupted("TerminationByKubelet", "Evicted"), None).cause is Cause.EVICTED


def test_a_condition_that_nobody_knows_is_no_evidence() -> None:
    assert diagnose(disrupted("SomethingNew", "OOMKilled"), None).cause is Cause.OUT_OF_MEMORY


def test_a_disruption_of_which_nothing_more_is_known_is_an_eviction() -> None:
    evidence = Evidence(gone=True, conditions={"DisruptionTarget": ""})
    assert of(evidence) == (Cause.EVICTED, None)


@pytest.mark.parametrize(
    ("exit_code", "cause"),
    [(None, Cause.VANISHED), (143, Cause.VANISHED), (137, Cause.VANISHED), (1, Cause.CRASHED)],
)
def test_a_pod_that_was_deleted_has_vanished_unless_its_runner_ended_by_itself(
    exit_code: int | None, cause: Cause
) -> None:
    assert of(Evidence(exit_code=exit_code, deleted=True)) == (cause, None)


def test_a_pod_that_was_deleted_keeps_its_runners_last_word() -> None:
    """By its own word the runner was told to stop; that somebody deleted its pod is why."""
    said = Outcome(Cause.SHUT_DOWN, error="the runner was told to stop (SIGTERM)")
    deleted = Evidence(143, deleted=True, message=said.to_message())
    last_word = "the runner's last word: the runner was told to stop (SIGTERM)"
    assert diagnose(deleted, None) == Diagnosis(Cause.VANISHED, None, f"the run's pod was deleted; {last_word}")
    gone = diagnose(Evidence(gone=True), said)
    assert gone == Diagnosis(Cause.VANISHED, None, f"the run's process or pod is gone; {last_word}")
    assert diagnose(Evidence(137, deleted=True), None).error == "the run's pod was deleted, and left no word"
    assert diagnose(Evidence(gone=True), None).error == "the run's process or pod is gone, and left no word"


@pytest.mark.parametrize(
    "said",
    [
        REJECTED,
        SAID,
        Outcome(Cause.OUT_OF_MEMORY, None, "the process that reads workbooks was killed"),
        Outcome(Cause.FORBIDDEN, Reason.STORAGE, "storage refused us"),
        Outcome(Cause.LOST_LEASE, None, "another run owns the job"),
        Outcome(Cause.CANNOT_START, Reason.CONFIG, "DATABASE_URL is not set"),
    ],
    ids=lambda said: str(said.cause),
)
@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(65),
        Evidence(137, seen_as="OOMKilled"),
        Evidence(137, seen_as="DeadlineExceeded", container_started=True),
        Evidence(gone=True),
        disrupted("EvictionByEvictionAPI"),
    ],
    ids=["exit code", "out of memory", "deadline", "gone", "evicted"],
)
def test_a_runner_that_knows_why_it_ended_knows_best(said: Outcome, evidence: Evidence) -> None:
    assert diagnose(evidence, said) == Diagnosis(said.cause, said.reason, said.error)


@pytest.mark.parametrize("said", [Outcome(Cause.SHUT_DOWN, error="SIGTERM"), Outcome(Cause.CRASHED, error="KeyError")])
@pytest.mark.parametrize(
    ("evidence", "cause"),
    [
        (Evidence(143, seen_as="DeadlineExceeded", container_started=True), Cause.TIMED_OUT),
        (Evidence(143, seen_as="Evicted", container_started=True), Cause.DISK_FULL),
        (Evidence(143, seen_as="OOMKilled", container_started=True), Cause.OUT_OF_MEMORY),
        (disrupted("PreemptionByScheduler"), Cause.PREEMPTED),
        (disrupted("EvictionByEvictionAPI"), Cause.EVICTED),
        (Evidence(gone=True), Cause.VANISHED),
    ],
)
def test_who_stopped_the_runner_is_seen_better_from_outside(said: Outcome, evidence: Evidence, cause: Cause) -> None:
    assert diagnose(evidence, said).cause is cause


def test_a_runner_that_was_told_to_stop_by_nobody_we_know_is_shut_down() -> None:
    said = Outcome(Cause.SHUT_DOWN, error="the runner was told to stop (SIGTERM)")
    assert diagnose(Evidence(143), said) == Diagnosis(Cause.SHUT_DOWN, None, said.error)


def test_a_crash_is_explained_by_the_runner_where_it_could() -> None:
    assert diagnose(Evidence(70), Outcome(Cause.CRASHED, error="unforeseen KeyError at load.py:3")) == Diagnosis(
        Cause.CRASHED, None, "unforeseen KeyError at load.py:3"
    )


def test_the_termination_message_is_read_where_the_run_has_no_outcome() -> None:
    assert of(Evidence(75, message=SAID.to_message())) == (Cause.UNAVAILABLE, Reason.STORAGE)


def test_the_outcome_of_the_run_goes_before_the_termination_message() -> None:
    assert of(Evidence(75, message=SAID.to_message()), REJECTED) == (Cause.REJECTED, Reason.INVALID_FORMAT)


def test_a_termination_message_that_no_runner_of_ours_wrote_says_nothing() -> None:
    assert of(Evidence(1, message='{"cause": "fancy"}')) == (Cause.CRASHED, None)


def test_a_runner_that_says_completed_and_has_not_committed_is_not_believed() -> None:
    said = Outcome(Cause.COMPLETED, rows=5)
    assert diagnose(Evidence(0), said).cause is Cause.LEFT_WITHOUT_COMMIT
    assert diagnose(Evidence(1), said).error == "the runner crashed with exit code 1"


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        (Evidence(signal=9), "killed by signal 9 (SIGKILL)"),
        (Evidence(signal=11), "killed by signal 11 (SIGSEGV)"),
        (Evidence(137), "killed by signal 9 (SIGKILL)"),
        (Evidence(143), "killed by signal 15 (SIGTERM)"),
        (Evidence(signal=40), "killed by signal 40"),
        (Evidence(128), "exit code 128"),
        (Evidence(255), "exit code 255"),
        (Evidence(70), "exit code 70"),
        (Evidence(), "neither exit code nor message is known"),
    ],
)
def test_a_crash_names_the_signal_or_the_exit_code(evidence: Evidence, text: str) -> None:
    assert text in diagnose(evidence, None).error


@pytest.mark.parametrize("exit_code", [0, 1, 2, 64, 126, 127, 128, 132, 139, 255])
def test_a_container_that_takes_no_run_and_says_nothing_is_no_runner(exit_code: int) -> None:
    evidence = Evidence(exit_code, container_started=True, pod_name="p")
    found = diagnose(evidence, None, taken=False)
    assert (found.cause, found.reason) == (Cause.CANNOT_START, Reason.IMAGE)
    assert "took no run and left no word" in found.error
    # What happens to a runner at work may be the work's own doing.
    assert diagnose(evidence, None).cause.counts_as is CountsAs.ATTEMPT


@pytest.mark.parametrize(
    ("evidence", "said", "cause"),
    [
        (Evidence(137, container_started=True, pod_name="p"), None, Cause.CRASHED),
        (Evidence(143, container_started=True, pod_name="p", deleted=True), None, Cause.VANISHED),
        (Evidence(137, seen_as="OOMKilled", container_started=True, pod_name="p"), None, Cause.OUT_OF_MEMORY),
        (Evidence(70, container_started=True, pod_name="p"), None, Cause.CRASHED),
        (Evidence(70, container_started=True, pod_name="p"), Outcome(Cause.CRASHED, error="KeyError"), Cause.CRASHED),
        (Evidence(75, container_started=True, pod_name="p"), SAID, Cause.UNAVAILABLE),
        (Evidence(1, signal=11, container_started=True), None, Cause.CRASHED),
        (Evidence(1, pod_name="p", gone=True), None, Cause.VANISHED),
        (Evidence(1, pod_name="p", conditions={"DisruptionTarget": "EvictionByEvictionAPI"}), None, Cause.EVICTED),
    ],
)
def test_a_runner_that_took_no_run_may_have_ended_otherwise(
    evidence: Evidence, said: Outcome | None, cause: Cause
) -> None:
    assert diagnose(evidence, said, taken=False).cause is cause


def test_a_runner_that_does_not_know_its_arguments_is_of_another_version() -> None:
    found = diagnose(Evidence(64, container_started=True, pod_name="p"), None, taken=False)
    assert "does not know the arguments that this controller gives it" in found.error


words = st.sampled_from(
    ["OOMKilled", "DeadlineExceeded", "Evicted", "NodeShutdown", "NodeLost", "Stopped", "ImagePull", "Config", "Error"]
)
any_text = st.text(st.characters())  # halves of surrogate pairs included
messages = (
    any_text
    | st.builds(Outcome, st.sampled_from(Cause), st.none() | st.sampled_from(Reason), any_text).map(Outcome.to_message)
    | st.sampled_from(["[" * 4000, '{"cause": "crashed", "rows": Infinity}', '{"cause": ["crashed"]}', "null", "1e999"])
)
evidences = st.builds(
    Evidence,
    exit_code=st.none() | st.integers(),
    signal=st.none() | st.integers(),
    seen_as=st.none() | words | any_text,
    message=messages,
    conditions=st.dictionaries(st.just("DisruptionTarget") | any_text, st.sampled_from([*DISRUPTIONS]) | any_text),
    container_started=st.booleans(),
    gone=st.booleans(),
    node=st.none() | st.just("node-7"),
)
outcomes = st.none() | st.builds(Outcome, st.sampled_from(Cause), st.none() | st.sampled_from(Reason), st.text())


@given(evidences, outcomes, st.booleans())
def test_any_evidence_gives_a_cause_and_an_error(evidence: Evidence, outcome: Outcome | None, taken: bool) -> None:
    """The cause is never `completed`."""
    found = diagnose(evidence, outcome, taken)
    assert found.cause not in (Cause.COMPLETED, Cause.CANCELLED)
    assert found.error


@given(evidences)
def test_postgres_can_store_what_others_wrote(evidence: Evidence) -> None:
    for text in (evidence.message, diagnose(evidence, None).error):
        assert "\0" not in text
        text.encode()


def test_the_stored_evidence_holds_an_exit_code_of_zero() -> None:
    assert Evidence(0, seen_as="Completed").as_dict() == {"exit_code": 0, "seen_as": "Completed"}


# By a cluster whose clock is years from the database's.
SCHEDULED_LATE = Evidence(pod_name="p", created_at="2031-01-01T00:00:00Z", scheduled_at="2031-01-01T00:10:00Z")


@pytest.mark.parametrize(
    ("evidence", "age", "cause"),
    [
        (Evidence(pod_name="p"), 299, None),
        (Evidence(pod_name="p"), 300, (Cause.CANNOT_START, None)),
        (Evidence(), 300, (Cause.CANNOT_START, Reason.REFUSED)),
        (Evidence(seen_as="Quota", message="exceeded quota"), 299, None),
        (Evidence(seen_as="Quota", message="exceeded quota"), 300, (Cause.CANNOT_START, Reason.QUOTA)),
        (Evidence(seen_as="Refused", message="violates PodSecurity"), 300, (Cause.CANNOT_START, Reason.REFUSED)),
        (Evidence(pod_name="p", seen_as="ImagePull", message="no such image"), 300, (Cause.CANNOT_START, Reason.IMAGE)),
        (Evidence(pod_name="p", seen_as="Config"), 300, (Cause.CANNOT_START, Reason.CONFIG)),
        (Evidence(pod_name="p", conditions={"PodScheduled": "Unschedulable"}), 86_399, None),
        (SCHEDULED_LATE, 899, None),
        (SCHEDULED_LATE, 900, (Cause.CANNOT_START, None)),
        (
            Evidence(pod_name="p", conditions={"PodScheduled": "Unschedulable"}),
            86_400,
            (Cause.CANNOT_START, Reason.UNSCHEDULABLE),
        ),
    ],
)
def test_a_pod_that_does_not_start_has_a_limit(
    evidence: Evidence, age: float, cause: tuple[Cause, Reason | None] | None
) -> None:
    """The limit is longer if it lacks only room."""
    found = why_not_started(evidence, timedelta(seconds=age), timedelta(minutes=5), timedelta(hours=24))
    assert (None if found is None else (found.cause, found.reason)) == cause
    assert found is None or found.error
