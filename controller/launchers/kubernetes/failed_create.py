"""Why Kubernetes makes no pod for a Job: the Job controller says so only in FailedCreate events."""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from controller.launchers.kubernetes.api import KubernetesApi
from dataset_jobs.model.errors import RunError

ASK_AFTER_SECONDS = 3.0
"""A Job has its pod within this time unless something is wrong. Also the shortest time between two requests."""

TIME_SHARE = 0.1
"""At most this share of the time goes into requests: for each, the API server reads every event of the namespace."""

_log = logging.getLogger(__name__)


class FailedCreateEvents:
    """Reads the FailedCreate events of Jobs that stay without a pod.

    Args:
        api: of their namespace.
    """

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api
        self._without_since: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._next = 0.0

    async def of(self, jobs: Sequence[str]) -> dict[str, str]:
        """The last message about each of these Jobs, by UID; empty if no request was due, or it failed.

        Args:
            jobs: UIDs of all Jobs that have no pod now.
        """
        now = time.monotonic()
        self._without_since = {uid: self._without_since.get(uid, now) for uid in jobs}
        waiting = any(now - since >= ASK_AFTER_SECONDS for since in self._without_since.values())
        if waiting and now >= self._next:
            try:
                self._said = newest_messages(await self._api.list_events("Job", "FailedCreate"))
            except RunError as error:  # an explanation is not worth a tick
                _log.warning("cannot ask why there are Jobs without a pod: %s", error)
            took = time.monotonic() - now
            self._next = now + max(ASK_AFTER_SECONDS, took / TIME_SHARE)
        return {uid: self._said[uid] for uid in jobs if uid in self._said}


def newest_messages(events: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The newest message about each object, by its UID."""
    in_order = sorted(events, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return {event["involvedObject"]["uid"]: str(event.get("message") or "") for event in in_order}


def exceeds_quota(message: str) -> bool:
    """Whether a quota is full. The only error recognised by its text, because Kubernetes has no code for it."""
    return "exceeded quota" in message
