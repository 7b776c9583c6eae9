"""The webhook server of the tests, asked by a real API server."""

import json
import time
from typing import Any

import pytest

from tests.cluster import Cluster
from tests.cluster.errors import ClusterError
from tests.servers.admission_webhook import Refused, webhook


def _pod(namespace: str) -> dict[str, Any]:
    security = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    container = {
        "name": "one",
        "image": "localhost/none:1",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    metadata = {"name": "asked", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"securityContext": security, "containers": [container]},
    }


def _create(cluster: Cluster, namespace: str) -> dict[str, Any]:
    arguments = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    made: dict[str, Any] = json.loads(cluster.kubectl(*arguments, input=json.dumps(_pod(namespace))))
    return made


def _label(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"op": "add", "path": "/metadata/labels", "value": {"asked": pod["metadata"]["name"]}}]


def _refuse(pod: dict[str, Any]) -> list[dict[str, Any]]:
    raise Refused("not this one")


def _is_slow(pod: dict[str, Any]) -> list[dict[str, Any]]:
    time.sleep(6)
    return []


def _breaks(pod: dict[str, Any]) -> list[dict[str, Any]]:
    raise ZeroDivisionError


def test_the_webhook_changes_refuses_hangs_and_breaks(cluster: Cluster) -> None:
    with (
        cluster.namespace("affirm-webhook") as namespace,
        cluster.namespace("affirm-webhook") as other,
        webhook(cluster, namespace, _label, timeout_seconds=4) as hook,
    ):
        assert _create(cluster, namespace)["metadata"]["labels"]["asked"] == "asked"
        assert hook.asked == 1
        hook.answer = _refuse
        with pytest.raises(ClusterError, match=r"denied the request: not this one"):
            _create(cluster, namespace)
        hook.answer = _is_slow
        with pytest.raises(ClusterError, match=r"deadline exceeded"):
            _create(cluster, namespace)
        hook.answer = _breaks
        with pytest.raises(ClusterError, match=r"failed calling webhook"):
            _create(cluster, namespace)
        assert "labels" not in _create(cluster, other)["metadata"]
