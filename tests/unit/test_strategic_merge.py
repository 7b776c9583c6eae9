"""Laying a pod template over what there is; and that none can break what a run rests on."""

import json
from copy import deepcopy
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.pools.quantities import parse_quantity
from controller.pools.runner_pod import RunnerTemplate, job_manifest
from controller.pools.strategic_merge import strategic_merge
from dataset_jobs.model.keys import RunKey

KEY = RunKey(UUID(int=1), 7)
PLAIN = RunnerTemplate(
    "runner:1",
    env=({"name": "STORAGE_TYPE", "value": "s3"},),
    volumes=({"name": "files", "persistentVolumeClaim": {"claimName": "files"}},),
    volume_mounts=({"name": "files", "mountPath": "/data"},),
    labels={"team": "names"},
)


def pod(template: dict[str, Any]) -> dict[str, Any]:
    job = job_manifest(KEY, UUID(int=2), "default", UUID(int=3), replace(PLAIN, pod_template=template))
    made: dict[str, Any] = job["spec"]["template"]
    return made


def runner(made: dict[str, Any]) -> dict[str, Any]:
    container: dict[str, Any]
    [container] = made["spec"]["containers"]
    return container


def test_no_template_makes_the_runner_run_twice() -> None:
    rules = [{"action": "Restart", "exitCodes": {"operator": "In", "values": [75]}}]
    made = pod(with_runner(restartPolicy="Always", restartPolicyRules=rules))
    assert made["spec"]["restartPolicy"] == "Never"
    assert not {"restartPolicy", "restartPolicyRules"} & set(runner(made))


def with_runner(**fields: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "parser-runner", **fields}]}}


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"tolerations": [{"key": "x"}]}, {"tolerations": [{"key": "y"}]}, {"tolerations": [{"key": "y"}]}),
        (
            {"containers": [{"name": "one", "image": "a", "tty": True}]},
            {"containers": [{"name": "two"}, {"name": "one", "image": "b"}]},
            {"containers": [{"name": "one", "image": "b", "tty": True}, {"name": "two"}]},
        ),
        (
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"env": [{"name": "A", "valueFrom": {}}]},
            {"env": [{"name": "A", "valueFrom": {}}, {"name": "B", "value": "2"}]},
        ),
        (
            {"volumes": [{"name": "tmp", "emptyDir": {}}]},
            {"volumes": [{"name": "tmp", "ephemeral": {}}]},
            {"volumes": [{"name": "tmp", "ephemeral": {}}]},
        ),
        (
            {"volumeMounts": [{"name": "a", "mountPath": "/x"}]},
            {"volumeMounts": [{"name": "b", "mountPath": "/x"}, {"name": "a", "mountPath": "/y"}]},
            {"volumeMounts": [{"name": "b", "mountPath": "/x"}, {"name": "a", "mountPath": "/y"}]},
        ),
        ({"imagePullSecrets": [{"name": "a"}]}, {"imagePullSecrets": [{"name": "b"}]},
         {"imagePullSecrets": [{"name": "a"}, {"name": "b"}]}),
        ({"env": [{"name": "A"}]}, {"env": "nonsense"}, {"env": "nonsense"}),
        ({"env": [{"name": "A"}]}, {"env": ["nonsense"]}, {"env": [{"name": "A"}, "nonsense"]}),
    ],
)  # fmt: skip
def test_what_is_laid_over_wins_and_lists_with_a_key_are_merged_by_it(
    base: dict[str, Any], over: dict[str, Any], merged: dict[str, Any]
) -> None:
    before = deepcopy((base, over))
    assert strategic_merge(base, over) == merged
    assert (base, over) == before


values = st.recursive(
    st.none() | st.booleans() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)
named = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["x", "y"])}, optional={"v": values}),
    max_size=3,
    unique_by=lambda one: str(one["name"]),
)
objects = st.dictionaries(st.sampled_from(["a", "b"]), values) | st.dictionaries(
    st.sampled_from(["env", "containers"]), named
)


@given(objects, objects)
def test_laying_the_same_over_twice_changes_nothing_more(base: dict[str, Any], over: dict[str, Any]) -> None:
    once = strategic_merge(base, over)
    assert strategic_merge(once, over) == once


@given(objects)
def test_nothing_laid_over_is_no_change(base: dict[str, Any]) -> None:
    assert strategic_merge(base, {}) == base


def test_a_template_says_only_what_differs() -> None:
    made = pod(with_runner(image="runner:2", env=[{"name": "EXTRA", "value": "1"}]))
    assert runner(made)["image"] == "runner:2"
    names = [one["name"] for one in runner(made)["env"]]
    assert names == ["STORAGE_TYPE", "EXTRA", "POD_UID", "POD_NAME", "NODE_NAME"]
    assert made["spec"]["volumes"] == pod({})["spec"]["volumes"]
    assert made["metadata"] == pod({})["metadata"]


def test_a_template_reaches_what_has_no_field_of_its_own() -> None:
    made = pod({
        "metadata": {"annotations": {"karpenter.sh/do-not-disrupt": None, "note": "x"}},
        "spec": {
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
            "securityContext": {"fsGroup": None, "supplementalGroups": [7]},
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
            "initContainers": [{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}],
        },
    })  # fmt: skip
    assert made["metadata"]["annotations"]["note"] == "x"
    assert "karpenter.sh/do-not-disrupt" not in made["metadata"]["annotations"]
    assert made["spec"]["hostAliases"][0]["ip"] == "10.0.0.1"
    assert made["spec"]["securityContext"]["supplementalGroups"] == [7]
    assert "fsGroup" not in made["spec"]["securityContext"]
    assert made["spec"]["securityContext"]["runAsNonRoot"] is True
    assert {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}} in made["spec"]["volumes"]
    assert made["spec"]["initContainers"][0]["restartPolicy"] == "Always"


def protocol(made: dict[str, Any]) -> str:
    """What a run rests on, whatever else its pod has."""
    ours = {name: value for name, value in made["metadata"]["labels"].items() if name.startswith(("app", "affirm"))}
    told = [one for one in runner(made)["env"] if one["name"] in ("POD_UID", "POD_NAME", "NODE_NAME")]
    container = {name: runner(made)[name] for name in ("args", "terminationMessagePath", "terminationMessagePolicy")}
    pod_fields = {name: made["spec"][name] for name in ("restartPolicy", "activeDeadlineSeconds")}
    note = made["metadata"]["annotations"]["affirm.dev/dataset-id"]
    return json.dumps([ours, told, container, pod_fields, note], sort_keys=True)


BREAKING: list[dict[str, Any]] = [
    {"metadata": {"labels": {"affirm.dev/pool": "other", "affirm.dev/epoch": None, "app": "x"}}},
    {"metadata": None},
    {"metadata": {"labels": None, "annotations": {"affirm.dev/dataset-id": "x"}}},
    {"spec": {"restartPolicy": "Always", "activeDeadlineSeconds": None}},
    {"spec": {"containers": None}},
    {"spec": None},
    {"spec": {"containers": [{"name": "other", "image": "x"}]}},
    with_runner(args=["--help"], terminationMessagePath="/x", terminationMessagePolicy="FallbackToLogsOnError"),
    with_runner(args=None, env=None),
    with_runner(env=[{"name": "POD_UID", "value": "theirs"}, {"name": "POD_UID", "value": "again"}]),
]


@pytest.mark.parametrize("template", BREAKING, ids=map(json.dumps, BREAKING))
def test_no_template_changes_what_a_run_rests_on(template: dict[str, Any]) -> None:
    assert protocol(pod(template)) == protocol(pod({}))


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("512Mi", 512 * 2**20),
        ("1G", 10**9),
        ("1500m", 1.5),
        ("2e3", 2000),
        (7, 7),
        ("1Ki", 1024),
        ("0.5k", 500),
        ("1E", 10**18),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(quantity: str | int, amount: float) -> None:
    assert parse_quantity(quantity) == pytest.approx(amount)


@pytest.mark.parametrize("quantity", ["", "much", "1Q", "1 Gi", "Gi", "1KI", "--1"])
def test_what_is_no_quantity_is_refused(quantity: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        parse_quantity(quantity)


@pytest.mark.parametrize("quantity", ["10E", "1e19", "1e999999999", "-1e-999999999999E", "9" * 5000, 2**63])
def test_a_quantity_that_kubernetes_cannot_hold_is_refused(quantity: str | int) -> None:
    with pytest.raises(ValueError, match="quantity"):
        parse_quantity(quantity)
