"""The API server itself refuses bad ParserPools, in words that help, and fills in defaults."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from cli.wording.hints import command
from dataset_jobs.model.hints import Action, Hint
from tests.cluster import Cluster, ClusterError
from tests.e2e.installation import install_custom_resource


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    install_custom_resource(cluster)
    with cluster.namespace("affirm-pools") as made:
        yield made


def create(cluster: Cluster, namespace: str, spec: dict[str, Any], name: str = "some") -> dict[str, Any]:
    """Asks for a pool, and returns what would be stored."""
    pool = {"apiVersion": "affirm.dev/v1", "kind": "ParserPool", "metadata": {"name": name}, "spec": spec}
    answer: dict[str, Any] = json.loads(
        cluster.kubectl("create", "-n", namespace, "--dry-run=server", "-o", "json", "-f", "-", input=json.dumps(pool))
    )
    return answer


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"minParallelism": 5, "maxParallelism": 4}, "minParallelism must not be more than maxParallelism"),
    ({"minParallelism": -1}, "spec.minParallelism in body should be greater than or equal to 0"),
    ({"targetBacklogPerRunner": 0}, "spec.targetBacklogPerRunner in body should be greater than or equal to 1"),
    ({"maxParallel": 3}, 'unknown field "spec.maxParallel"'),
    (
        {"retry": {"waits": ["1m", "5"]}},
        'spec.retry.waits[1]: Invalid value: "string": 5 is no duration: that has a number and its unit',
    ),
    ({"retry": {"waits": []}}, "spec.retry.waits in body should have at least 1 items"),
    ({"retry": {"jitterPercent": 101}}, "spec.retry.jitterPercent in body should be less than or equal to 100"),
    ({"runner": {"startDeadline": "soon"}}, 'spec.runner.startDeadline: Invalid value: "string": soon is no duration'),
    ({"retention": {"jobs": "30"}}, 'spec.retention.jobs: Invalid value: "string": 30 is no duration'),
    (
        {"runner": {"memoryCeiling": "1Gi", "resources": {"limits": {"memory": "2Gi"}}}},
        "memoryCeiling must be a quantity, and not less than resources.limits.memory",
    ),
    (
        {"runner": {"memoryCeiling": "much", "resources": {"limits": {"memory": "2Gi"}}}},
        "memoryCeiling must be a quantity, and not less than resources.limits.memory",
    ),
    ({"runner": {"imagePullPolicy": "Sometimes"}}, 'supported values: "IfNotPresent", "Always", "Never"'),
    ({"runner": {"env": [{"name": "A"}, {"name": "A"}]}}, "spec.runner.env[1]: Duplicate value"),
    ({"behavior": {"scaleUp": {"selectPolicy": "Most"}}}, 'supported values: "Max", "Min", "Disabled"'),
    (
        {"behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 1801}]}}},
        "spec.behavior.scaleDown.policies[0].periodSeconds in body should be less than or equal to 1800",
    ),
    (
        {"behavior": {"scaleDown": {"policies": [{"type": "Pods"}]}}},
        "spec.behavior.scaleDown.policies[0].value: Required",
    ),
    (
        {"podTemplate": {"spec": {"containers": [{"name": "proxy"}]}}},
        "the only container is parser-runner, since the pod is to end with it",
    ),
    (
        {"podTemplate": {"spec": {"initContainers": [{"name": "parser-runner"}]}}},
        "parser-runner is not an init container",
    ),
]


@pytest.mark.parametrize(("spec", "message"), REFUSED, ids=[json.dumps(spec) for spec, _ in REFUSED])
def test_what_cannot_be_is_refused_in_words_that_name_it(
    cluster: Cluster, namespace: str, spec: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClusterError) as refused:
        create(cluster, namespace, spec)
    assert message in str(refused.value)


@pytest.mark.parametrize("name", ["with.dots", "x" * 64])
def test_a_name_that_no_pool_can_have_in_the_database_is_refused(cluster: Cluster, namespace: str, name: str) -> None:
    with pytest.raises(ClusterError) as refused:
        create(cluster, namespace, {}, name)
    assert "metadata.name" in str(refused.value)


def test_what_is_left_out_is_filled_in_or_left_to_the_installation(cluster: Cluster, namespace: str) -> None:
    spec = create(cluster, namespace, {})["spec"]
    assert spec == {
        "controller": "affirm-worker",
        "minParallelism": 0,
        "maxParallelism": 10,
        "targetBacklogPerRunner": 1,
        "paused": False,
        "maxPendingPods": 100,
    }
    down = create(cluster, namespace, {"behavior": {"scaleDown": {}, "scaleUp": {}}})["spec"]["behavior"]
    assert down["scaleDown"] == {"stabilizationWindowSeconds": 300, "selectPolicy": "Max"}
    assert down["scaleUp"] == {"stabilizationWindowSeconds": 0, "selectPolicy": "Max"}


def test_the_printed_line_changes_a_pool(cluster: Cluster, namespace: str) -> None:
    """`affirm-worker pools pause` and `set` refuse a described pool with it."""
    pool = {"apiVersion": "affirm.dev/v1", "kind": "ParserPool", "metadata": {"name": "typed"}, "spec": {}}
    cluster.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(pool))
    patch = json.dumps({"spec": {"paused": True, "maxParallelism": 3, "maxPendingPods": 4}})
    line = command(Hint(Action.PATCH_PARSER_POOL, name="typed", namespace=namespace, patch=patch))
    cluster.kubectl(*shlex.split(line)[1:])
    spec = json.loads(cluster.kubectl("get", "parserpool", "typed", "-n", namespace, "-o", "json"))["spec"]
    assert (spec["paused"], spec["maxParallelism"], spec["maxPendingPods"]) == (True, 3, 4)


def test_all_that_a_pod_template_can_say_is_kept(cluster: Cluster, namespace: str) -> None:
    template = {
        "metadata": {"labels": {"a": "b"}, "annotations": {"taken-away": None}},
        "spec": {
            "priorityClassName": None,
            "securityContext": {"fsGroup": None},
            "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
            "containers": [{"name": "parser-runner", "resources": {"limits": {"memory": "3Gi"}}, "tty": True}],
            "initContainers": [{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}],
        },
    }
    assert create(cluster, namespace, {"podTemplate": template})["spec"]["podTemplate"] == template
