"""Kubeconfig files with client certificates."""

import base64
import json
from pathlib import Path

from tests.cluster.pki import Pair


def write(path: Path, server: str, ca: Path, client: Pair) -> Path:
    """Write a kubeconfig that stands alone: everything it refers to is within.

    Args:
        path: the file to write; JSON, which is YAML.
        server: the API server's URL.
        ca: the authority that the server's certificate is verified against.
        client: who the user is.
    """
    user = {"client-certificate-data": _inline(client.cert), "client-key-data": _inline(client.key)}
    cluster = {"server": server, "certificate-authority-data": _inline(ca)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "affirm-test", "cluster": cluster}],
        "users": [{"name": "affirm-test", "user": user}],
        "contexts": [{"name": "affirm-test", "context": {"cluster": "affirm-test", "user": "affirm-test"}}],
        "current-context": "affirm-test",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=1))
    return path


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
