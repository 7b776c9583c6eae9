"""What an administrator sets in production: each value of the pods comes out where Kubernetes looks for it."""

import json
import re
import shutil
import textwrap
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from controller.pools.resource import read_pool
from controller.pools.runner_pod import RunnerTemplate, job_manifest
from controller.pools.spec import PoolSpec
from controller.runner_config import read_runner_config
from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.keys import RunKey
from docs.generate import chart_readme
from tests.unit import chart

PAGE = chart.ROOT / "docs" / "chart-production.md"
EXAMPLES = [
    textwrap.dedent(block)
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    if "dependencies:" not in block
]
BOTH = pytest.mark.parametrize("component", ["controller", "api"])
SELECTOR = "{selector}"
"""Stands for the selector of the component's pods."""

OPTIONS: dict[str, Any] = {
    "spec.revisionHistoryLimit": 0,
    "spec.strategy": {"type": "Recreate"},
    "pod.terminationGracePeriodSeconds": 90,
    "pod.topologySpreadConstraints": [
        {"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": SELECTOR},
        {
            "maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"team": "names"}},
        },
    ],
    "pod.priorityClassName": "high",
    "pod.runtimeClassName": "gvisor",
    "pod.hostUsers": False,
    "pod.dnsPolicy": "None",
    "pod.dnsConfig": {"nameservers": ["10.0.0.10"]},
    "pod.hostAliases": [{"ip": "10.0.0.5", "hostnames": ["database.example"]}],
    "first.restartPolicy": "Always",
    "container.startupProbe.failureThreshold": 150,
    "container.startupProbe.periodSeconds": 2,
    "container.livenessProbe.periodSeconds": 30,
    "container.livenessProbe.timeoutSeconds": 9,
    "container.livenessProbe.failureThreshold": 6,
    "container.livenessProbe.httpGet.path": "/healthz",
    "container.readinessProbe.initialDelaySeconds": 1,
    "container.readinessProbe.httpGet.path": "/readyz",
    "budget.minAvailable": "50%",
}  # fmt: skip


@BOTH
@pytest.mark.parametrize("path", OPTIONS)
def test_a_value_of_the_pods_is_where_kubernetes_looks(component: str, path: str) -> None:
    spec = chart.only("Deployment", chart.PRODUCTION, component)["spec"]
    pod = spec["template"]["spec"]
    places = {
        "spec": spec,
        "pod": pod,
        "container": pod["containers"][0],
        "first": pod["initContainers"][0],
        "budget": chart.only("PodDisruptionBudget", chart.PRODUCTION, component)["spec"],
    }
    expected = OPTIONS[path]
    if isinstance(expected, list):
        expected = [_with_selector(one, spec["selector"]) for one in expected]
    assert reduce(lambda node, name: node[name], path.split("."), places) == expected


@BOTH
def test_what_is_left_out_is_as_kubernetes_has_it(component: str) -> None:
    spec = chart.only("Deployment", chart.LEAST_API, component)["spec"]
    fields = {"runtimeClassName", "hostUsers", "dnsPolicy", "dnsConfig", "hostAliases", "priorityClassName"}
    assert not fields & {*spec["template"]["spec"]}
    assert "revisionHistoryLimit" not in spec
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    budget = chart.only("PodDisruptionBudget", chart.LEAST_API, component)["spec"]
    assert (budget["maxUnavailable"], budget["selector"]) == (1, spec["selector"])
    [spread] = spec["template"]["spec"]["topologySpreadConstraints"]
    assert (spread["whenUnsatisfiable"], spread["labelSelector"]) == ("ScheduleAnyway", spec["selector"])


def test_a_disruption_budget_may_be_left_out() -> None:
    off = "podDisruptionBudget: {enabled: false}"
    values = f"{chart.LEAST}\napi: {{enabled: true, {off}}}\ncontroller: {{{off}}}"
    assert not [one for one in chart.objects(values) if one["kind"] == "PodDisruptionBudget"]


def test_every_object_and_pod_has_the_common_labels_and_annotations() -> None:
    """But none of them in place of one that the chart selects by."""
    ours = [one for one in chart.objects(chart.PRODUCTION) if not one["metadata"]["name"].endswith(("-more", "-text"))]
    pods = [one["spec"]["template"] for one in ours if one["kind"] == "Deployment"]
    runner = chart.runner_config(chart.PRODUCTION)
    assert len(pods) == 2
    for metadata in [*(one["metadata"] for one in ours + pods), runner]:
        assert metadata["labels"]["cost-centre"] == "42"
        assert metadata["annotations"]["contact"] == "names@example.org"
        assert metadata is runner or metadata["labels"]["app.kubernetes.io/name"] == "affirm-worker"
    crd = chart.only("CustomResourceDefinition", chart.PRODUCTION)
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_more_objects_are_templates_of_the_release() -> None:
    names = {(one["kind"], one["metadata"]["name"]) for one in chart.objects(chart.PRODUCTION)}
    assert {("ResourceQuota", "affirm-worker-more"), ("Secret", "affirm-worker-text")} <= names


def test_what_repeats_ours_replaces_it_or_gives_way() -> None:
    """kubectl refuses a key of YAML that is there twice, and server-side apply such a variable."""
    values = f"""
{chart.LEAST}
metrics: {{scrapeAnnotations: true}}
controller:
  podAnnotations: {{checksum/runner-config: x, prometheus.io/port: "9", note: x}}
  extraEnv: [{{name: LOG_LEVEL, value: DEBUG}}]
runner: {{extraEnv: [{{name: LOG_LEVEL, value: ERROR}}]}}
api: {{enabled: true, extraEnv: [{{name: LOG_LEVEL, value: WARNING}}]}}
"""
    rendered = chart.text(values)
    assert rendered.count("checksum/runner-config:") == rendered.count('prometheus.io/port: "9"') == 1
    annotations = chart.only("Deployment", values, "controller")["spec"]["template"]["metadata"]["annotations"]
    assert (len(annotations["checksum/runner-config"]), annotations["prometheus.io/port"]) == (64, "9")
    pods = (chart.controller_pod(values), chart.api_pod(values))
    envs = [pod["containers"][0]["env"] for pod in pods] + [chart.runner_config(values)["env"]]
    levels = [[one["value"] for one in env if one["name"] == "LOG_LEVEL"] for env in envs]
    assert levels == [["DEBUG"], ["WARNING"], ["ERROR"]]


def test_registry_and_pull_secrets_may_be_those_of_all_charts() -> None:
    values = f"""
{chart.LEAST_API}
global: {{imageRegistry: mirror.example, imagePullSecrets: [all, {{name: pull}}]}}
imagePullSecrets: [{{name: pull}}]
runner: {{image: {{registry: own.example}}}}
"""
    for pod in (chart.controller_pod(values), chart.api_pod(values)):
        assert pod["containers"][0]["image"].startswith("mirror.example/affirm-worker:")
        assert pod["imagePullSecrets"] == [{"name": "all"}, {"name": "pull"}]
    runner = chart.runner_config(values)
    assert runner["image"].startswith("own.example/affirm-parser-runner:")
    assert runner["imagePullSecrets"] == ["all", "pull"]


def test_another_chart_switches_this_one_on_and_off(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    shutil.copytree(chart.CHART, parent / "charts" / "affirm-worker")
    version = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())["version"]
    dependency = {"name": "affirm-worker", "version": version, "condition": "affirm-worker.enabled"}
    described = {"apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [dependency]}
    (parent / "Chart.yaml").write_text(yaml.safe_dump(described))
    for enabled in (True, False):
        values = {"global": {"other": {"key": 1}}, "affirm-worker": {"enabled": enabled, **yaml.safe_load(chart.LEAST)}}
        rendered = chart.helm("template", "names", str(parent), "--values", "-", values=yaml.safe_dump(values))
        assert ("kind: Deployment" in rendered) is enabled


def test_runner_pods_have_whatever_the_pod_template_says(tmp_path: Path) -> None:
    """A ParserPool's comes over it, and what the protocol needs over both."""
    template = _runner_template(f"{chart.LEAST}\n{chart.RUNNERS}", tmp_path)
    pool: dict[str, Any] = {"spec": {"nodeSelector": {"disk": None, "zone": "a"}, "dnsConfig": None, "hostAliases": []}}
    for of_a_pool in ({}, pool):
        pod = job_manifest(RunKey(uuid4(), 1), uuid4(), "default", uuid4(), replace(template, pod_template=of_a_pool))[
            "spec"
        ]["template"]
        spec = pod["spec"]
        [container], [proxy] = spec["containers"], spec["initContainers"]
        assert (spec["restartPolicy"], proxy["restartPolicy"]) == ("Never", "Always")
        assert {"name": "HTTPS_PROXY", "value": "http://localhost:3128"} in container["env"]
        assert {one["name"] for one in spec["volumes"]} == {"tmp", "certificates"}
        assert pod["metadata"]["annotations"]["note"] == "installation"
        assert container["resources"]["limits"]["memory"] == "512Mi"
        assert spec["nodeSelector"] == ({"zone": "a"} if of_a_pool else {"disk": "ssd"})
        assert len(spec["hostAliases"]) == (0 if of_a_pool else 1)
        assert ("dnsConfig" in spec) is not bool(of_a_pool)


@pytest.mark.parametrize(
    ("name", "source"),
    [("caSecret", {"secret": {"secretName": "ca"}}), ("caConfigMap", {"configMap": {"name": "ca"}})],
)
def test_everybody_proves_the_database_by_its_ca(name: str, source: dict[str, dict[str, Any]]) -> None:
    """Controller, migrations, API and runners, from a Secret or a ConfigMap."""
    values = f"{chart.LEAST_API}\ndatabase: {{{name}: ca, caKey: root.pem, sslMode: verify-ca}}"
    controller, api, runner = chart.controller_pod(values), chart.api_pod(values), chart.runner_config(values)
    [(kind, given)] = source.items()
    volume = {"name": "database-ca", kind: given | {"items": [{"key": "root.pem", "path": "ca.crt"}]}}
    containers = [*controller["initContainers"], *controller["containers"], *api["containers"], runner]
    assert len(containers) == 4
    for where in (controller, api, runner):
        assert volume in where["volumes"]
    for container in containers:
        env = {one["name"]: one.get("value") for one in container["env"]}
        assert (env["PGSSLMODE"], env["PGSSLROOTCERT"]) == ("verify-ca", "/etc/affirm-worker-ca/ca.crt")
        [mount] = [one for one in container["volumeMounts"] if one["name"] == "database-ca"]
        assert mount == {"name": "database-ca", "mountPath": "/etc/affirm-worker-ca", "readOnly": True}


def test_a_pool_may_have_what_the_installation_gives_to_runners(tmp_path: Path) -> None:
    """What the installation's own template uses is no ParserPool's wish."""
    secret = "runner: {podTemplate: {spec: {volumes: [{name: own, secret: {secretName: own}}]}}}"
    template = _runner_template(f"{chart.LEAST}\n{secret}", tmp_path)
    assert read_pool("large", {"maxParallelism": 3}, 1, PoolSpec("default", template=template))


@pytest.mark.parametrize(
    ("container", "place"),
    [
        ({"name": "other"}, "podTemplate.spec.containers.0.name"),
        ({"name": "parser-runner", "resources": {}}, "podTemplate.spec.containers.0.resources"),
    ],
)
def test_a_pod_template_that_cannot_be_is_named(container: dict[str, Any], place: str, tmp_path: Path) -> None:
    config = chart.runner_config() | {"podTemplate": {"spec": {"containers": [container]}}}
    (tmp_path / "runner.json").write_text(json.dumps(config))
    with pytest.raises(Misconfigured, match=place):
        read_runner_config(tmp_path / "runner.json")


def test_the_readme_of_the_chart_is_made_of_it() -> None:
    page = chart_readme.page()
    assert chart_readme.PAGE.read_text() == page, "run `make docs`"
    [example] = re.findall(r"For production:\n\n```yaml\n(.*?)```", page, re.DOTALL)
    assert chart.text(example.replace("…", "a" * 64))
    for link in re.findall(r"\]\(([^)#]+)\)", page):
        assert (chart_readme.PAGE.parent / link).exists(), link


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_values_of_the_documents_are_taken(number: int) -> None:
    example = yaml.safe_load(EXAMPLES[number].replace("…", "a" * 64))
    least = yaml.safe_load(chart.LEAST)
    network = {"networkPolicy": {"enabled": True} | example.get("networkPolicy", {})}
    assert chart.text(yaml.safe_dump({"api": {"enabled": True}} | least | example | network))


def test_artifact_hub_is_told_what_the_chart_has() -> None:
    described = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())
    said = {name.split("/")[1]: yaml.safe_load(text) for name, text in described["annotations"].items()}
    version = str(described["appVersion"])
    used = [chart.controller_pod()["containers"][0]["image"], chart.runner_config()["image"]]
    assert [one["image"] for one in said["images"]] == used == [f"{one['name']}:{version}" for one in said["images"]]
    crd = chart.only("CustomResourceDefinition")
    [told] = said["crds"]
    assert (told["name"], told["kind"]) == (crd["metadata"]["name"], crd["spec"]["names"]["kind"])
    assert told["version"] in [one["name"] for one in crd["spec"]["versions"]]
    [example] = said["crdsExamples"]
    template = RunnerTemplate("affirm-parser-runner")
    assert read_pool("default", example["spec"], 1, PoolSpec("default", template=template))
    assert {one["kind"] for one in said["changes"]} <= {
        "added",
        "changed",
        "deprecated",
        "removed",
        "fixed",
        "security",
    }


def test_values_of_a_chart_without_all_of_this_make_the_same_pods() -> None:
    """`helm upgrade --reuse-values` leaves out what an older chart did not know, also its defaults."""
    unknown = {
        *("strategy", "revisionHistoryLimit", "startupProbe", "livenessProbe", "readinessProbe", "podDisruptionBudget"),
        *("topologySpreadConstraints", "runtimeClassName", "hostUsers", "dnsPolicy", "dnsConfig", "hostAliases"),
        "extraInitContainers",
    }
    values: dict[str, Any] = yaml.safe_load(chart.LEAST) | {
        "controller": dict.fromkeys(unknown),
        "runner": {"podTemplate": None},
        "api": {"enabled": True} | dict.fromkeys(unknown),
        "database": dict.fromkeys(("caConfigMap", "sslMode")),
    }
    values |= dict.fromkeys(("global", "commonLabels", "commonAnnotations", "extraObjects", "networkPolicy"))
    reused = yaml.safe_dump(values)
    assert chart.controller_pod(reused) == chart.controller_pod(chart.LEAST_API)
    assert chart.api_pod(reused) == chart.api_pod()
    assert chart.runner_config(reused) == chart.runner_config()


def _runner_template(values: str, folder: Path) -> RunnerTemplate:
    (folder / "runner.json").write_text(json.dumps(chart.runner_config(values)))
    return read_runner_config(folder / "runner.json")


def _with_selector(constraint: dict[str, Any], selector: dict[str, Any]) -> dict[str, Any]:
    return constraint | ({"labelSelector": selector} if constraint.get("labelSelector") == SELECTOR else {})
