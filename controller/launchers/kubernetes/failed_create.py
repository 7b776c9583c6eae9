"""Why Kubernetes makes no pod for a Job: the Job controller says so in events, and nowhere else."""

import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

from controller.launchers.kubernetes.api import KubernetesApi
from dataset_jobs.model.errors import RunError

ASK_AFTER_SECONDS = 3.0
"""A Job has its pod within this time where nothing is wrong; and so often at the most the events are asked for."""

SHARE = 0.1
"""Of the time, for asking: the API server reads every event of the namespace for it."""

_log = logging.getLogger(__name__)


class FailedCreateEvents:
    """Looks into the events of Jobs that go on being without a pod.

    Args:
        api: of their namespace.
    """

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api
        self._without_since: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._next = 0.0

    async def of(self, jobs: Sequence[str]) -> dict[str, str]:
        """What was said last of these Jobs, by their UIDs; empty where nobody had to ask, or could.

        Args:
            jobs: UIDs of all that have no pod now.
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
            self._next = now + max(ASK_AFTER_SECONDS, took / SHARE)
        return {uid: self._said[uid] for uid in jobs if uid in self._said}


def newest_messages(events: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The newest message about each object, by its UID."""
    in_order = sorted(events, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
    return {event["involvedObject"]["uid"]: str(event.get("message") or "") for event in in_order}


def exceeds_quota(message: str) -> bool:
    """Whether a refusal is for want of quota: the one thing that is told by a message, as it has no code of its own."""
    return "exceeded quota" in message
