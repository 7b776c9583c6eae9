"""An admission webhook: a real HTTPS server on this host, which the API server of a test cluster asks.

A function of the object gives the answer, so one test injects a sidecar, another refuses, and a third is slow:

    def inject(pod): return [{"op": "add", "path": "/spec/containers/-", "value": {...}}]
    def refuse(pod): raise Refused("no image of this registry is allowed")
    def slow(pod): time.sleep(20); return []

    with webhook(cluster, namespace, inject) as hook:
        ...                       # hook.asked counts the requests
        hook.answer = slow        # from the next request on
"""

import base64
import json
import ssl
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.cluster import Cluster
from tests.cluster.pki import Authority

Answer = Callable[[dict[str, Any]], Sequence[dict[str, Any]]]
"""From the object that is to be created to a JSON patch (RFC 6902) of it; an empty one leaves it as it is.

It may raise `Refused`, take its time, or raise anything else: then the server answers with status 500."""

_PROBE = "affirm-webhook-probe"


class Refused(Exception):
    """The webhook does not allow the object.

    Args:
        message: for the API server's client.
        code: the HTTP status, such as 403 or 429.
    """

    def __init__(self, message: str, code: int = 403) -> None:
        super().__init__(message)
        self.code = code


@dataclass(eq=False, slots=True)
class Webhook:
    """The server while it runs. `answer` may be changed at any time.

    Attributes:
        answer: gives the patch of the next objects.
        asked: of how many objects it was asked, dry runs included.
        name: of its MutatingWebhookConfiguration.
    """

    answer: Answer
    asked: int = 0
    name: str = field(default_factory=lambda: f"affirm-test-{uuid.uuid4().hex[:8]}")
    probed: bool = False

    def review(self, request: dict[str, Any]) -> dict[str, Any]:
        """The response to an AdmissionReview's request."""
        self.asked += 1
        try:
            patch = list(self.answer(request["object"]))
        except Refused as refused:
            return {"allowed": False, "status": {"message": str(refused), "code": refused.code}}
        if not patch:
            return {"allowed": True}
        encoded = base64.b64encode(json.dumps(patch).encode()).decode()
        return {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


@contextmanager
def webhook(
    cluster: Cluster,
    namespace: str,
    answer: Answer,
    resource: str = "pods",
    object_labels: dict[str, str] | None = None,
    failure_policy: str = "Fail",
    timeout_seconds: int = 10,
) -> Iterator[Webhook]:
    """Registers a mutating webhook for new objects of one namespace, and serves it.

    Args:
        cluster: whose API server asks; it reaches this host at `cluster.host_address`.
        namespace: nothing of another one is ever sent here.
        answer: gives the patch of each object.
        resource: pods, jobs and so on.
        object_labels: only objects with these labels are sent here; None for all.
        failure_policy: Fail or Ignore, where the server gives no good answer.
        timeout_seconds: how long the API server waits for an answer; 1 to 30.
    """
    hook = Webhook(answer)
    with tempfile.TemporaryDirectory(prefix="affirm-webhook-") as folder:
        authority = Authority(Path(folder))
        with _serving(hook, authority, cluster.host_address) as url:
            entries = [
                _entry(url, authority, namespace, "asked", resource, object_labels or {})
                | {"failurePolicy": failure_policy, "timeoutSeconds": timeout_seconds},
                # The API server knows of both at the same time, and of this one it can be asked without a trace.
                _entry(url, authority, namespace, "probe", "configmaps", {_PROBE: hook.name}),
            ]
            kind = "MutatingWebhookConfiguration"
            metadata = {"name": hook.name, "labels": {_PROBE: hook.name}}
            group = "admissionregistration.k8s.io/v1"
            cluster.apply({"apiVersion": group, "kind": kind, "metadata": metadata, "webhooks": entries})
            try:
                cluster.wait(lambda: _is_in_force(cluster, namespace, hook), f"the webhook {hook.name}")
                yield hook
            finally:
                cluster.kubectl("delete", kind, hook.name, "--ignore-not-found", check=False)


def _entry(
    url: str, authority: Authority, namespace: str, path: str, resource: str, labels: dict[str, str]
) -> dict[str, Any]:
    authority_pem = base64.b64encode(authority.cert.read_bytes()).decode()
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": [resource]}
    return {
        "name": f"{path}.affirm.test",
        "clientConfig": {"url": f"{url}/{path}", "caBundle": authority_pem},
        "rules": [rule],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "objectSelector": {"matchLabels": labels},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }


def _is_in_force(cluster: Cluster, namespace: str, hook: Webhook) -> bool:
    metadata = {"name": hook.name, "namespace": namespace, "labels": {_PROBE: hook.name}}
    probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    cluster.kubectl("create", "--dry-run=server", "-f", "-", input=json.dumps(probe))
    return hook.probed


@contextmanager
def _serving(hook: Webhook, authority: Authority, host: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request = review["request"]
            if self.path.startswith("/probe"):
                hook.probed = True
                response: dict[str, Any] = {"allowed": True}
            else:
                try:
                    response = hook.review(request)
                except Exception:
                    self.send_error(500)
                    return
            response["uid"] = request["uid"]
            body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response})
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    pair = authority.issue("webhook", "affirm-test-webhook", hosts=(host,))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    with ThreadingHTTPServer(("0.0.0.0", 0), Handler) as server:
        server.daemon_threads = True
        # The handshake is left to each connection's own thread: one that hangs is in nobody's way.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"https://{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
