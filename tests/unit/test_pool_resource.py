"""Reading a ParserPool."""

from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from controller.autoscaling.behavior import Behavior, ScalingPolicy, ScalingRules
from controller.outcomes.retry import RetryPolicy
from controller.pools.paths import to_pool_path
from controller.pools.resource import PoolRefused, _Runner, _Spec, controller_of, ordering_key, read_pool
from controller.pools.runner_pod import Memory, RunnerTemplate, job_manifest, with_memory
from controller.pools.spec import PoolSpec
from dataset_jobs.model.keys import RunKey
from dataset_jobs.model.pools import MAX_RUNNING_LIMIT
from tests.unit import chart

MIB = 2**20
BASE = PoolSpec(
    "base",
    template=RunnerTemplate(
        "runner:1",
        service_account_name="runner",
        resources={"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        memory=Memory(256 * MIB, 512 * MIB, 2048 * MIB),
        env=({"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {}}},),
        volumes=({"name": "files", "persistentVolumeClaim": {}},),
        tolerations=({"key": "a"},),
        node_selector={"disk": "ssd"},
    ),
    retry=RetryPolicy(5, (timedelta(seconds=7),)),
    start_deadline=timedelta(minutes=3),
    retention=timedelta(days=30),
)


def read(spec: dict[str, Any], base: PoolSpec = BASE) -> PoolSpec:
    return read_pool("large", spec, 3, base)


def runner(**fields: Any) -> RunnerTemplate:
    template = read({"runner": fields}).template
    assert template is not None
    return template


def test_what_it_does_not_say_is_as_the_installation_has_it() -> None:
    pool = read({})
    assert pool.template == BASE.template
    assert (pool.retry, pool.start_deadline, pool.retention) == (BASE.retry, BASE.start_deadline, BASE.retention)
    assert (pool.min_parallelism, pool.max_parallelism, pool.max_pending, pool.paused) == (0, 10, 100, False)
    assert pool.behavior == Behavior()
    assert (pool.name, pool.generation) == ("large", 3)


def test_it_says_how_many_run_at_once_and_how_fast_that_changes() -> None:
    policy = {"type": "Percent", "value": 50, "periodSeconds": 60}
    pool = read({
        "minParallelism": 2, "maxParallelism": 20, "targetBacklogPerRunner": 4, "paused": True, "maxPendingPods": 7,
        "behavior": {
            "scaleUp": {"policies": [policy], "selectPolicy": "Min"}, "scaleDown": {"selectPolicy": "Disabled"},
        },
    })  # fmt: skip
    assert (pool.min_parallelism, pool.max_parallelism, pool.target_backlog_per_runner) == (2, 20, 4)
    assert (pool.paused, pool.max_pending) == (True, 7)
    assert pool.behavior.scale_up == ScalingRules(0, (ScalingPolicy("Percent", 50, 60),), "Min")
    assert pool.behavior.scale_down == ScalingRules(300, (), "Disabled")


def test_it_says_how_jobs_are_retried_and_how_long_all_is_kept() -> None:
    pool = read({
        "retry": {"maxRetries": 0, "waits": ["30s", "1h30m"], "jitterPercent": 0, "maxInterruptions": 3},
        "retention": {"kubernetesJobs": "0s", "jobs": "2d"},
        "runner": {"startDeadline": "90s"},
    })  # fmt: skip
    assert pool.retry == RetryPolicy(0, (timedelta(seconds=30), timedelta(minutes=90)), 0.0, 3)
    assert (pool.keep_jobs, pool.retention) == (timedelta(0), timedelta(days=2))
    assert pool.start_deadline == timedelta(seconds=90)


def test_the_runner_is_laid_over_the_installations() -> None:
    template = runner(
        image="runner:2",
        env=[{"name": "EXTRA", "value": "1"}, {"name": "DATABASE_URL", "value": "other"}],
        tolerations=[{"key": "b"}],
        nodeSelector={"zone": "a", "disk": None},
        topologySpreadConstraints=[{"maxSkew": 1}],
        volumes=[{"name": "more", "emptyDir": {}}],
    )
    assert (template.image, template.service_account_name) == ("runner:2", "runner")
    assert template.env == ({"name": "DATABASE_URL", "value": "other"}, {"name": "EXTRA", "value": "1"})
    assert template.tolerations == ({"key": "b"},)
    assert template.node_selector == {"zone": "a"}
    assert template.topology_spread_constraints == ({"maxSkew": 1},)
    assert [volume["name"] for volume in template.volumes] == ["files", "more"]


def test_doubled_memory_starts_from_the_pools_own() -> None:
    template = runner(resources={"limits": {"memory": "1Gi"}}, memoryCeiling="4Gi")
    assert template.resources == {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    assert template.memory == Memory(256 * MIB, 1024 * MIB, 4096 * MIB)


def test_resources_of_the_pod_template_are_doubled_too() -> None:
    container = {"name": "parser-runner", "tty": True, "resources": {"limits": {"memory": "1Gi"}}}
    template = read({"podTemplate": {"spec": {"containers": [container]}}}).template
    assert template is not None
    assert template.memory == Memory(256 * MIB, 1024 * MIB, 2048 * MIB)
    assert template.pod_template == {"spec": {"containers": [{"name": "parser-runner", "tty": True}]}}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"maxParallelism": "many"}, "spec.maxParallelism: Input should be a valid integer"),
        ({"minParallelism": 3, "maxParallelism": 2}, "spec.minParallelism: more than spec.maxParallelism"),
        ({"retry": {"waits": ["1m", "soon"]}}, r"spec.retry.waits\[1\]: Value error, a number and its unit"),
        ({"retry": {"waits": ["8d"]}}, r"spec.retry.waits\[0\]: Value error, out of range"),
        ({"runner": {"startDeadline": "1s"}}, "spec.runner.startDeadline: Value error, out of range"),
        ({"runner": {"memoryCeiling": "1Mi"}}, "spec.runner.memoryCeiling: less than the memory limit, 512Mi"),
        ({"runner": {"memoryCeiling": "much"}}, "spec.runner.resources and memoryCeiling: much is no quantity"),
        ({"podTemplate": {"spec": {"containers": [{"name": "x"}]}}},
         "spec.podTemplate.spec.containers: only parser-runner"),
        ({"behavior": {"scaleUp": {"policies": [{"type": "Runs", "value": 1, "periodSeconds": 1}]}}},
         r"spec.behavior.scaleUp.policies\[0\].type: Input should be 'Pods' or 'Percent'"),
    ],
)  # fmt: skip
def test_what_cannot_be_gone_by_is_refused_by_its_path(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(PoolRefused, match=f"^{message}"):
        read(spec)


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"resources": "large"}, "spec.podTemplate.spec.containers[0].resources: Input should be a valid dictionary"),
        ({"resources": {"limits": 7}}, "spec.podTemplate.spec.containers[0].resources.limits: Input should be"),
        ({"env": {"A": "1"}}, "spec.podTemplate.spec.containers[0].env: Input should be a valid list"),
        ({"env": ["A"]}, "spec.podTemplate.spec.containers[0].env[0]: Input should be a valid dictionary"),
    ],
)
def test_nonsense_in_a_pod_template_is_refused_by_its_path(container: dict[str, Any], message: str) -> None:
    with pytest.raises(PoolRefused) as refused:
        read({"podTemplate": {"spec": {"containers": [{"name": "parser-runner", **container}]}}})
    assert str(refused.value).startswith(message)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
named = st.just({"name": "parser-runner"}) | anything
containers = st.lists(
    st.fixed_dictionaries(
        {"name": st.just("parser-runner")},
        optional={name: anything | st.lists(named) for name in ("env", "resources", "volumeMounts", "args", "image")},
    ),
    max_size=2,
)
pod_templates = st.fixed_dictionaries(
    {},
    optional={
        "metadata": anything | st.fixed_dictionaries({}, optional={"labels": anything, "annotations": anything}),
        "spec": anything
        | st.fixed_dictionaries(
            {}, optional={"containers": containers | anything, "volumes": anything, "securityContext": anything}
        ),
    },
)


@given(pod_templates)
def test_whatever_a_pod_template_says_a_job_is_made_or_it_is_refused(pod_template: dict[str, Any]) -> None:
    try:
        template = read({"podTemplate": pod_template}).template
    except PoolRefused:
        return
    assert template is not None
    job = job_manifest(RunKey(UUID(int=1), 1), UUID(int=2), "large", UUID(int=3), with_memory(template, 1))
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["--job-id", str(UUID(int=1)), "--epoch", "1"]


def test_a_ceiling_without_a_limit_is_refused() -> None:
    with pytest.raises(PoolRefused, match=r"^spec\.runner\.memoryCeiling: there is no memory limit"):
        read({"runner": {"memoryCeiling": "1Gi"}}, PoolSpec("base", template=RunnerTemplate("runner:1")))


def test_a_field_of_a_newer_schema_is_left_alone() -> None:
    assert read({"fancy": 1, "runner": {"fancy": 1}}) == read({})


def test_a_pool_says_whose_it_is() -> None:
    assert controller_of({"spec": {"controller": "other"}}) == "other"
    assert controller_of({}) == "affirm-worker"


def test_a_change_counts_more_than_what_was_and_so_does_a_pool_made_anew() -> None:
    def order(made: str, generation: int) -> int:
        return ordering_key({"metadata": {"creationTimestamp": made, "generation": generation}})

    first = order("2026-11-24T10:00:00Z", 1)
    assert first < order("2026-11-24T10:00:00Z", 2) < order("2026-11-24T10:00:01Z", 1) < 2**63


@pytest.mark.parametrize(
    ("said", "spec", "told"),
    [
        ('Kubernetes API: 422: Job.batch "a" is invalid: spec.template.spec.hostAliases[0].ip: Invalid value: "x"', {},
         'spec.podTemplate.spec.hostAliases[0].ip: Invalid value: "x"'),
        ('Kubernetes API: 422: Job.batch "a-1" is invalid: [spec.template.spec.containers[0].image: Required value, '
         "spec.template.spec.priorityClassName: Invalid value]", {"runner": {"image": "x", "priorityClassName": "y"}},
         "[spec.runner.image: Required value, spec.runner.priorityClassName: Invalid value]"),
        ('Kubernetes API: 400: Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field '
         '"spec.template.spec.containers[0].imagee"', {"runner": {"image": "x"}},
         'Job in version "v1" cannot be handled as a Job: strict decoding error: unknown field '
         '"spec.podTemplate.spec.containers[0].imagee"'),
        ('Kubernetes API: 422: Job.batch "a-1" is invalid: metadata.labels: Invalid value', {"runner": {"labels": {}}},
         "spec.runner.labels: Invalid value"),
        ("spec.retry.waits[0]: out of range", {"runner": {"labels": {}}}, "spec.retry.waits[0]: out of range"),
    ],
)  # fmt: skip
def test_errors_of_the_api_server_have_the_pools_paths(said: str, spec: dict[str, Any], told: str) -> None:
    """It says them of a Job."""
    assert to_pool_path(said, spec) == told


def test_what_pools_set_prints_for_kubectl_fits_the_schema() -> None:
    """`affirm-worker pools` refuses to change a described pool, and prints a patch of these fields."""
    crd = yaml.safe_load((chart.CHART / "files" / "parserpools.yaml").read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert schema["paused"]["type"] == "boolean"
    for field, least in (("minParallelism", 0), ("maxParallelism", 0), ("maxPendingPods", 1)):
        assert (schema[field]["type"], schema[field]["minimum"]) == ("integer", least)
        assert schema[field]["maximum"] == MAX_RUNNING_LIMIT
    patched = read({"paused": True, "maxParallelism": 0, "minParallelism": 0, "maxPendingPods": 1})
    assert (patched.paused, patched.max_parallelism, patched.max_pending) == (True, 0, 1)


def test_the_schema_has_the_fields_that_are_read_and_no_others() -> None:
    crd = yaml.safe_load((chart.CHART / "files" / "parserpools.yaml").read_text())
    [version] = crd["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    assert {*schema} == {field.alias for field in _Spec.model_fields.values()} | {"controller"}
    for name, field in _Spec.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            inner = {one.alias for one in field.annotation.model_fields.values()}  # type: ignore[union-attr]
            assert {*schema[field.alias or name]["properties"]} == inner, name
    assert {*_Runner.model_fields} - {"start_deadline", "memory_ceiling"} == {
        field.name for field in fields(RunnerTemplate)
    } - {
        *("image_pull_secrets", "memory", "own_pod_template", "pod_template"),
        *("pod_security_context", "security_context", "allowed", "unknown"),
    }
