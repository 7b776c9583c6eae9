"""Shows that the cluster under the end-to-end tests is a real one: it does what only a kubelet and a kernel can."""

import socket
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.cluster import Cluster, ClusterError

LIST_PODS = """
import json, os, ssl, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount"
token = open(account + "/token").read()
namespace = open(account + "/namespace").read()
host = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
request = urllib.request.Request(
    "https://%s:%s/api/v1/namespaces/%s/pods" % (*host, namespace), headers={"Authorization": "Bearer " + token}
)
verified = ssl.create_default_context(cafile=account + "/ca.crt")
pods = json.load(urllib.request.urlopen(request, context=verified, timeout=20))["items"]
print(host[0], [pod["metadata"]["name"] for pod in pods])
"""

CALL = """
import socket, sys, time
for attempt in range(100):
    try:
        print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).recv(9))
        break
    except OSError:
        time.sleep(0.2)
else:
    raise SystemExit("no answer")
"""


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace("cluster") as name:
        yield name


class Pods:
    """Starts pods that run Python, and waits for their end."""

    def __init__(self, cluster: Cluster, namespace: str, image: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._image = image

    def start(
        self,
        name: str,
        code: str,
        arguments: Sequence[str] = (),
        labels: dict[str, str] | None = None,
        service_account: str = "default",
    ) -> None:
        restricted = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        container = {
            "name": "main",
            "image": self._image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-c", code, *arguments],
            "securityContext": restricted,
            "resources": {"limits": {"memory": "64Mi"}},
        }
        pod = {
            "restartPolicy": "Never",
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "serviceAccountName": service_account,
        }
        meta = {"name": name, "namespace": self._namespace, "labels": labels or {}}
        self._cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod})

    def end_of(self, name: str) -> dict[str, Any]:
        """How the pod's container ended."""
        state: dict[str, Any] = {}

        def ended() -> bool:
            nonlocal state
            status = self._cluster.get("pod", name, "-n", self._namespace)["status"]
            state = status.get("containerStatuses", [{}])[0].get("state", {})
            return "terminated" in state

        self._cluster.wait(ended, f"the end of pod {name}")
        return dict(state["terminated"])

    def log_of(self, name: str) -> str:
        return self._cluster.kubectl("logs", name, "-n", self._namespace)


@pytest.fixture
def pods(cluster: Cluster, namespace: str, python_image: str) -> Pods:
    return Pods(cluster, namespace, python_image)


def test_a_restricted_pod_runs_to_its_end_and_leaves_a_termination_message(pods: Pods) -> None:
    pods.start("message", "open('/dev/termination-log', 'w').write('all is well')")

    end = pods.end_of("message")

    assert (end["exitCode"], end["reason"], end["message"]) == (0, "Completed", "all is well")


def test_the_logs_and_exit_code_of_a_failed_pod_can_be_read(pods: Pods) -> None:
    pods.start("logs", "import os; print('uid', os.getuid()); raise SystemExit(65)")

    assert pods.end_of("logs")["exitCode"] == 65
    assert pods.log_of("logs") == "uid 65532\n"


def test_a_container_over_its_memory_limit_is_killed_by_the_kernel(pods: Pods) -> None:
    pods.start("hungry", "hoard = [bytearray(b'x' * (8 << 20)) for _ in range(100)]")

    end = pods.end_of("hungry")

    assert (end["exitCode"], end["reason"]) == (137, "OOMKilled")


def test_a_client_in_a_pod_verifies_the_api_server(cluster: Cluster, namespace: str, pods: Pods) -> None:
    """And it may do no more than its role allows."""
    group = "rbac.authorization.k8s.io"
    meta = {"name": "lister", "namespace": namespace}
    subject = {"kind": "ServiceAccount", "name": "lister", "namespace": namespace}
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    for name in ("lister", "stranger"):
        account = {"name": name, "namespace": namespace}
        cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    cluster.apply(
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [rule]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "lister"},
            "subjects": [subject],
        },
    )
    address = cluster.get("service", "kubernetes", "-n", "default")["spec"]["clusterIP"]

    pods.start("lister", LIST_PODS, service_account="lister")
    pods.start("stranger", LIST_PODS, service_account="stranger")

    assert pods.end_of("lister")["exitCode"] == 0, pods.log_of("lister")
    assert pods.log_of("lister").startswith(f"{address} [") and "'stranger'" in pods.log_of("lister")
    assert pods.end_of("stranger")["exitCode"] == 1
    assert "HTTP Error 403" in pods.log_of("stranger")


def test_a_pod_over_the_namespaces_quota_is_refused(cluster: Cluster, python_image: str) -> None:
    with cluster.namespace("quota") as name:
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none", "namespace": name},
            "spec": {"hard": {"pods": "0"}},
        }
        cluster.apply(quota)

        with pytest.raises(ClusterError, match="forbidden"):
            Pods(cluster, name, python_image).start("refused", "pass")


def test_a_pod_reaches_servers_on_this_host(cluster: Cluster, pods: Pods) -> None:
    with socket.create_server((cluster.host_address, 0)) as server:
        server.settimeout(30)
        pods.start("guest", CALL, arguments=[cluster.host_address, str(server.getsockname()[1])])
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"welcome")

    assert pods.end_of("guest")["exitCode"] == 0
    assert pods.log_of("guest") == "b'welcome'\n"


def test_pods_reach_one_another_through_a_service(cluster: Cluster, namespace: str, pods: Pods) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "echo", "namespace": namespace},
        "spec": {"selector": {"app": "echo"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    cluster.apply(service)
    address = cluster.get("service", "echo", "-n", namespace)["spec"]["clusterIP"]
    serve = "import socket; socket.create_server(('', 8080)).accept()[0].sendall(b'echo')"
    pods.start("echo", serve, labels={"app": "echo"})

    # The service's address refuses connections until its pod is ready.
    pods.start("caller", CALL, arguments=[address, "80"])

    assert pods.end_of("caller")["exitCode"] == 0
    assert pods.log_of("caller") == "b'echo'\n"
