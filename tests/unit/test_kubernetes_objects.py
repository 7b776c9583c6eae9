"""We keep the fields of Kubernetes objects that we read, and any others do no harm."""

import json

import msgspec
import pytest

from controller.launchers.kubernetes.objects import Job, Pod, job_of, pod_of
from tests.unit.kubernetes_objects import KEY, job, pod, terminated


def test_what_json_says_and_what_the_watch_tells_is_the_same() -> None:
    shown = pod("Failed", terminated(137), {"DisruptionTarget": ("True", "EvictionByEvictionAPI")})
    assert msgspec.json.decode(json.dumps(shown), type=Pod) == pod_of(shown)
    made = job("Failed", ttlSecondsAfterFinished=600)
    assert msgspec.json.decode(json.dumps(made), type=Job) == job_of(made)


def test_a_run_is_named_by_its_labels() -> None:
    assert job_of(job()).metadata.key == pod_of(pod("Running")).metadata.key == KEY


@pytest.mark.parametrize("labels", [{}, {"affirm.dev/job-id": "1", "affirm.dev/epoch": "1"}, {"app": "another"}])
def test_what_is_not_ours_names_no_run(labels: dict[str, str]) -> None:
    made = job()
    made["metadata"]["labels"] = labels
    assert job_of(made).metadata.key is None


def test_fields_that_a_later_kubernetes_adds_are_passed_over() -> None:
    made = job() | {"newer": [1]}
    made["spec"]["newer"] = {"a": None}
    assert job_of(made) == job_of(job())


@pytest.mark.parametrize(
    ("condition", "status", "over"),
    [
        ("Complete", "True", True),
        ("Failed", "True", True),
        ("Failed", "False", False),
        ("FailureTarget", "True", False),
    ],
)
def test_a_job_is_over_when_a_condition_says_so(condition: str, status: str, over: bool) -> None:
    made = job()
    made["status"]["conditions"] = [{"type": condition, "status": status, "lastTransitionTime": None}]
    assert job_of(made).over is over
