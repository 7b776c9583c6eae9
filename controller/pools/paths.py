"""Where a ParserPool says what the API server's message places in a Job."""

import re
from collections.abc import Mapping
from typing import Any

_OF_RUNNER = {
    "spec.podTemplate.spec.containers[0].": ("image", "imagePullPolicy", "resources", "env", "envFrom", "volumeMounts"),
    "spec.podTemplate.spec.": (
        "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName",
        "serviceAccountName", "volumes",
    ),
    "spec.podTemplate.metadata.": ("labels", "annotations"),
    "metadata.": ("labels", "annotations"),
}  # fmt: skip


def to_pool_path(message: str, spec: Mapping[str, Any]) -> str:
    """Translates the paths in a message about a Job into those of the ParserPool.

    Args:
        message: the API server's.
        spec: the ParserPool's.
    """
    message = re.sub(r"^Kubernetes API: \d+: ", "", message)
    message = re.sub(r'^Job\S* "[^"]*" is invalid: ', "", message)
    message = message.replace("spec.template.", "spec.podTemplate.")
    for place, names in _OF_RUNNER.items():
        for name in names:
            if name in (spec.get("runner") or {}):
                message = re.sub(rf"(?<![\w.]){re.escape(place + name)}\b", f"spec.runner.{name}", message)
    return message
