"""The alerts of an installed chart in less time, and what makes a cluster take them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import yaml

from tests.cluster import Cluster

THRESHOLDS = {"tickLagSeconds": 10, "figuresAgeSeconds": 15, "oldestWaitSeconds": 30}
"""Those in seconds, by the chart's values; an idle controller must not reach them. Counts stay as they are."""

VALUES = (
    "metrics.podMonitor.enabled=true,prometheusRule.enabled=true",
    ",".join(f"prometheusRule.thresholds.{name}={seconds}" for name, seconds in THRESHOLDS.items()),
)

_KINDS = {"podmonitors": "PodMonitor", "prometheusrules": "PrometheusRule"}
_GROUP = "monitoring.coreos.com"


def sooner(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rules where each minute of a window or a `for` is a second, and the one day is 24 seconds."""
    text = yaml.safe_dump(groups, width=10_000)
    text = re.sub(r"\[(\d+)m\]", r"[\1s]", text)
    text = re.sub(r"for: (\d+)m\b", r"for: \1s", text)
    made: list[dict[str, Any]] = yaml.safe_load(text.replace("for: 1d", "for: 24s"))
    return made


@contextmanager
def kinds_of_the_operator(cluster: Cluster) -> Iterator[None]:
    """Makes PodMonitors and PrometheusRules known, as Prometheus' operator does; those that are there stay."""
    here = cluster.kubectl("get", "crds", "-o", "name")
    missing = {f"{plural}.{_GROUP}": kind for plural, kind in _KINDS.items() if f"/{plural}.{_GROUP}" not in here}
    if missing:
        cluster.apply(*(_definition(name, kind) for name, kind in missing.items()))
    try:
        for name in missing:
            cluster.wait(partial(_is_known, cluster, name), f"{name} to be known")
        yield
    finally:
        for name in missing:
            cluster.kubectl("delete", "crd", name, "--wait=false", check=False)


def _is_known(cluster: Cluster, name: str) -> bool:
    # Asked again and again: it fails at once where the resource has no conditions at all yet.
    said = cluster.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=5s", check=False)
    return "condition met" in said


def _definition(name: str, kind: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": name.partition(".")[0], "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {"group": _GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }
