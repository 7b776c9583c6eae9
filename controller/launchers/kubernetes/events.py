"""Notices as Kubernetes events, about a ParserPool or the controller's own pod: `kubectl get events` shows them."""

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from controller.launchers.kubernetes.api import KubernetesApi
from dataset_jobs.model.errors import RunError
from dataset_jobs.model.text import clipped

MESSAGE_LIMIT = 1024
"""The most bytes of an event's message in Kubernetes."""

SPACING_SECONDS = 60.0
"""Between two events of the same reason: if a quota has little room, a pool is blocked again and again."""

_log = logging.getLogger(__name__)


class KubernetesEvents:
    """Posts events; it logs a notice that it cannot post, and drops it.

    Args:
        api: of the namespace that the pod is in.
        pod_name: this controller's own pod. Events without another object are about it.
        pod_uid: its uid; empty if unknown, as outside a cluster.
    """

    def __init__(self, api: KubernetesApi, pod_name: str, pod_uid: str) -> None:
        self._api = api
        self._pod_name = pod_name
        self._pod_uid = pod_uid
        self._posted: dict[tuple[str, str], float] = {}

    async def post(self, reason: str, message: str, warning: bool, about: Mapping[str, str] | None = None) -> None:
        """Posts one event.

        Args:
            reason: one word in CamelCase.
            message: a sentence or two.
            warning: its type is Warning; else Normal.
            about: apiVersion, kind, name and uid of an object in this namespace; None: the controller's own pod.
        """
        if about is None:
            about = {"apiVersion": "v1", "kind": "Pod", "name": self._pod_name, "uid": self._pod_uid}
        moment = time.monotonic()
        key = (reason, about["uid"])
        if moment - self._posted.get(key, -SPACING_SECONDS) < SPACING_SECONDS:
            return
        self._posted[key] = moment
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": "affirm-worker-"},
            "involvedObject": {**about, "namespace": self._api.namespace},
            "reason": reason,
            "message": clipped(message, MESSAGE_LIMIT),
            "type": "Warning" if warning else "Normal",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": "affirm-worker"},
            "reportingComponent": "affirm.dev/affirm-worker",
            "reportingInstance": self._pod_name,
        }
        try:
            await self._api.create_event(event)
        except RunError as error:
            _log.warning("the event %s could not be posted: %s", reason, error)
