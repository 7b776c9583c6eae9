"""The Kubernetes Job of a run."""

import json
import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.launchers.interface import Launch
from controller.pools.runner_pod import Memory, RunnerTemplate, job_manifest, job_name, with_memory
from dataset_jobs.model.keys import RUN_SECRET, RunKey

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
LONGEST_NAME = 63
POD_SUFFIX = len("-x7k2p")

JOB = UUID("0f9c5d4e-6f0b-4c0e-9a4e-2d1f3b5a7c91")
DATASET = UUID(int=2)
INSTALLATION = UUID(int=3)
PLAIN = RunnerTemplate("parser-runner:1")

keys = st.builds(RunKey, st.uuids(), st.integers(1, 2**31 - 1))
# As the CHECK on pools.name allows.
pools = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


def manifest(template: RunnerTemplate = PLAIN, pool: str = "default") -> dict[str, Any]:
    return job_manifest(RunKey(JOB, 3), DATASET, pool, INSTALLATION, template)


def pod_of(job: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = job["spec"]["template"]["spec"]
    return pod


def container_of(job: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any]
    [container] = pod_of(job)["containers"]
    return container


def labels_of(job: dict[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = job["metadata"]["labels"]
    return labels


def test_what_a_controller_tells_its_runners_is_told_whatever_the_template_says() -> None:
    template = replace(PLAIN, env=({"name": "CONTROLLER_SCHEMA", "value": "1"}, {"name": "X", "value": "y"}))
    made = job_manifest(RunKey(JOB, 3), DATASET, "default", INSTALLATION, template, {"CONTROLLER_SCHEMA": "8"})
    env = [one for one in container_of(made)["env"] if "value" in one]
    assert env == [{"name": "X", "value": "y"}, {"name": "CONTROLLER_SCHEMA", "value": "8"}]


def test_only_the_runners_container_has_the_secret() -> None:
    template = replace(PLAIN, pod_template={"spec": {"initContainers": [{"name": "first", "image": "other"}]}})
    variables = {"CONTROLLER_SCHEMA": "8", RUN_SECRET: "hidden"}
    made = job_manifest(RunKey(JOB, 3), DATASET, "default", INSTALLATION, template, variables)
    container = container_of(made)
    assert {"name": RUN_SECRET, "value": "hidden"} in container["env"]
    container["env"] = []
    assert "hidden" not in json.dumps(made)
    assert "hidden" not in repr(Launch(RunKey(JOB, 3), DATASET, "parse_dataset", 1, secret="hidden"))


@given(keys)
def test_the_name_is_one_that_kubernetes_takes_for_the_job_and_for_its_pods(key: RunKey) -> None:
    assert NAME.fullmatch(job_name(key))
    assert len(job_name(key)) + POD_SUFFIX <= LONGEST_NAME


@given(keys, keys)
def test_two_runs_have_the_same_name_only_if_they_are_the_same(one: RunKey, other: RunKey) -> None:
    assert (job_name(one) == job_name(other)) == (one == other)


@given(keys, pools, st.uuids(), st.uuids())
def test_every_label_is_one_that_kubernetes_takes(key: RunKey, pool: str, dataset: UUID, installation: UUID) -> None:
    for name, value in labels_of(job_manifest(key, dataset, pool, installation, PLAIN)).items():
        assert LABEL_KEY.fullmatch(name)
        assert LABEL_VALUE.fullmatch(value)
        assert len(value) <= LONGEST_NAME


@given(keys, pools)
def test_the_same_run_has_the_same_manifest_whenever_it_is_made(key: RunKey, pool: str) -> None:
    made = [json.dumps(job_manifest(key, DATASET, pool, INSTALLATION, replace(PLAIN))) for _ in range(2)]
    assert made[0] == made[1]


def test_job_and_pod_say_whose_they_are() -> None:
    job = manifest(pool="nightly")
    assert labels_of(job) == {
        "app": "affirm-parser",
        "app.kubernetes.io/name": "affirm-worker",
        "app.kubernetes.io/component": "parser-runner",
        "app.kubernetes.io/managed-by": "affirm-worker",
        "app.kubernetes.io/part-of": "affirm-name",
        "affirm.dev/installation": str(INSTALLATION),
        "affirm.dev/job-id": str(JOB),
        "affirm.dev/epoch": "3",
        "affirm.dev/pool": "nightly",
    }
    assert job["spec"]["template"]["metadata"]["labels"] == labels_of(job)
    assert job["metadata"]["annotations"]["affirm.dev/dataset-id"] == str(DATASET)


def test_kubernetes_runs_it_once_and_never_retries() -> None:
    job = manifest()
    assert (job["spec"]["backoffLimit"], job["spec"]["completions"], job["spec"]["parallelism"]) == (0, 1, 1)
    assert pod_of(job)["restartPolicy"] == "Never"


def test_the_deadline_is_the_pods_and_nothing_removes_the_job_before_it_is_settled() -> None:
    job = manifest(replace(PLAIN, deadline_seconds=77))
    assert pod_of(job)["activeDeadlineSeconds"] == 77
    assert not {"activeDeadlineSeconds", "ttlSecondsAfterFinished"} & {*job["spec"]}


def test_the_pod_meets_the_restricted_pod_security_standard() -> None:
    # https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    job = manifest()
    pod, container = pod_of(job), container_of(job)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & {*pod}
    assert not {"privileged", "procMount", "runAsUser", "seccompProfile"} & {*container["securityContext"]}
    assert "ports" not in container
    assert {kind for volume in pod["volumes"] for kind in volume} == {"name", "emptyDir"}


def test_only_a_folder_of_its_own_for_temporary_files_is_writable() -> None:
    job = manifest()
    assert container_of(job)["securityContext"]["readOnlyRootFilesystem"] is True
    assert container_of(job)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    assert pod_of(job)["volumes"] == [{"name": "tmp", "emptyDir": {}}]


def test_the_pod_gets_no_token_and_no_addresses_of_services() -> None:
    pod = pod_of(manifest(replace(PLAIN, service_account_name="runner")))
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert pod["serviceAccountName"] == "runner"


def test_the_runner_is_told_its_run_and_who_it_is() -> None:
    container = container_of(manifest())
    assert container["args"] == ["--job-id", str(JOB), "--epoch", "3"]
    told = {env["name"]: env["valueFrom"]["fieldRef"]["fieldPath"] for env in container["env"]}
    assert told == {"POD_UID": "metadata.uid", "POD_NAME": "metadata.name", "NODE_NAME": "spec.nodeName"}
    assert "command" not in container


def test_its_last_words_are_read_from_the_file_and_never_from_the_log() -> None:
    container = container_of(manifest())
    assert (container["terminationMessagePath"], container["terminationMessagePolicy"]) == (
        "/dev/termination-log",
        "File",
    )


def test_cluster_autoscalers_are_asked_to_let_the_pod_end() -> None:
    annotations = manifest()["spec"]["template"]["metadata"]["annotations"]
    assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert annotations["karpenter.sh/do-not-disrupt"] == "true"


def test_added_labels_annotations_and_variables_never_replace_ours() -> None:
    ours = manifest()
    template = replace(
        PLAIN,
        labels=dict.fromkeys(labels_of(ours), "theirs") | {"team": "names"},
        annotations=dict.fromkeys(ours["metadata"]["annotations"], "theirs") | {"note": "hello"},
        env=({"name": "POD_UID", "value": "theirs"}, {"name": "STORAGE_TYPE", "value": "s3"}),
    )
    job = manifest(template)
    assert labels_of(job) == labels_of(ours) | {"team": "names"}
    assert job["metadata"]["annotations"] == ours["metadata"]["annotations"] | {"note": "hello"}
    # Of two variables with one name, Kubernetes takes the last.
    last = {env["name"]: env for env in container_of(job)["env"]}
    assert last["POD_UID"]["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.uid"
    assert last["STORAGE_TYPE"] == {"name": "STORAGE_TYPE", "value": "s3"}


def test_the_template_goes_into_the_pod_as_it_is() -> None:
    template = RunnerTemplate(
        image="registry.example/parser-runner@sha256:" + "a" * 64,
        image_pull_policy="Always",
        image_pull_secrets=("one", "two"),
        resources={"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        env_from=({"secretRef": {"name": "storage"}},),
        node_selector={"disk": "fast"},
        tolerations=({"key": "batch", "operator": "Exists"},),
        affinity={"nodeAffinity": {}},
        priority_class_name="low",
        volumes=({"name": "storage", "persistentVolumeClaim": {"claimName": "files"}},),
        volume_mounts=({"name": "storage", "mountPath": "/data", "readOnly": True},),
    )
    pod, container = pod_of(manifest(template)), container_of(manifest(template))
    assert (container["image"], container["imagePullPolicy"]) == (template.image, "Always")
    assert container["resources"] == template.resources
    assert container["envFrom"] == [*template.env_from]
    assert container["volumeMounts"][1:] == [*template.volume_mounts]
    assert pod["volumes"][1:] == [*template.volumes]
    assert pod["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    assert (pod["nodeSelector"], pod["tolerations"]) == ({"disk": "fast"}, [*template.tolerations])
    assert (pod["affinity"], pod["priorityClassName"]) == ({"nodeAffinity": {}}, "low")


def test_what_the_template_leaves_open_is_left_to_the_cluster() -> None:
    optional = {"serviceAccountName", "imagePullSecrets", "nodeSelector", "tolerations", "affinity"}
    assert not (optional | {"priorityClassName", "hostNetwork"}) & {*pod_of(manifest())}


MIB = 2**20
LIMITED = replace(
    PLAIN,
    resources={"requests": {"cpu": "1", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
    memory=Memory(256 * MIB, 512 * MIB, 1536 * MIB),
)


@pytest.mark.parametrize(
    ("doublings", "request_", "limit"),
    [(0, "256Mi", "512Mi"), (1, "512Mi", "1024Mi"), (2, "1024Mi", "1536Mi"), (3, "1536Mi", "1536Mi")],
)
def test_memory_doubles_after_each_run_out_of_it(doublings: int, request_: str, limit: str) -> None:
    """Up to the ceiling."""
    resources = container_of(manifest(with_memory(LIMITED, doublings)))["resources"]
    assert resources == {"requests": {"cpu": "1", "memory": request_}, "limits": {"memory": limit}}


def test_memory_that_is_not_limited_or_has_no_ceiling_stays_as_it_is() -> None:
    assert with_memory(PLAIN, 3) == PLAIN
    low = replace(LIMITED, memory=Memory(256 * MIB, 512 * MIB, 0))
    assert container_of(manifest(with_memory(low, 3)))["resources"]["limits"] == {"memory": "512Mi"}
