"""What meshes and injectors put into pods, as JSON patches for the admission webhook of the tests."""

import json
from typing import Any

Patch = list[dict[str, Any]]

PROXY = "proxy"
LIVES_ON = "import time; time.sleep(3600)"
"""Hears no SIGTERM, as process 1 of a container without a handler: the kubelet kills it after the grace period."""


def container(image: str, program: str, name: str = PROXY, **fields: Any) -> dict[str, Any]:
    """A container that runs a Python program, as the restricted Pod Security Standard lets it."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", program],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        **fields,
    }


def beside(sidecar: dict[str, Any]) -> Patch:
    """An ordinary container, started before the runner's."""
    return [{"op": "add", "path": "/spec/containers/0", "value": sidecar}]


def before(*init: dict[str, Any]) -> Patch:
    """Init containers; with restartPolicy Always they are native sidecars."""
    return [{"op": "add", "path": "/spec/initContainers", "value": list(init)}]


def killed_soon() -> Patch:
    """The kubelet kills what hears no SIGTERM after 2 s, not 30."""
    return [{"op": "replace", "path": "/spec/terminationGracePeriodSeconds", "value": 2}]


def with_environment(pod: dict[str, Any], name: str, value: str) -> Patch:
    """The runner's own container gets a variable."""
    [number] = [number for number, one in enumerate(pod["spec"]["containers"]) if one["name"] == "parser-runner"]
    path = f"/spec/containers/{number}/env/-"
    return [{"op": "add", "path": path, "value": {"name": name, "value": value}}]


def waits_for(host: str, port: int) -> str:
    """A program that ends when a server of the test listens."""
    return f"""
import socket, time
while True:
    try:
        socket.create_connection(({json.dumps(host)}, {port}), timeout=1).close()
        break
    except OSError:
        time.sleep(0.2)
"""


def forwards(port: int, host: str, to_port: int, after_seconds: float) -> str:
    """A program that is not there at first, and then passes connections of the pod's own on to a server."""
    return f"""
import socket, threading, time
time.sleep({after_seconds})
def pump(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    other.close()
listening = socket.create_server(("127.0.0.1", {port}))
while True:
    near, _ = listening.accept()
    far = socket.create_connection(({json.dumps(host)}, {to_port}))
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""
