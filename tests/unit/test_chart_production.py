"""What an administrator sets in production: each value of the pods comes out where Kubernetes looks for it."""

from functools import reduce
from typing import Any

import pytest

from tests.unit import chart

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


def _with_selector(constraint: dict[str, Any], selector: dict[str, Any]) -> dict[str, Any]:
    return constraint | ({"labelSelector": selector} if constraint.get("labelSelector") == SELECTOR else {})
