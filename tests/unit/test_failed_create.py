"""Events are asked for only where a Job goes on being without a pod, and never cost a tick."""

from typing import Any, cast

import pytest

from controller.launchers.kubernetes import failed_create
from controller.launchers.kubernetes.api import ApiRefused, KubernetesApi
from controller.launchers.kubernetes.failed_create import FailedCreateEvents, newest_messages
from dataset_jobs.model.errors import RunError, Unavailable


def event(uid: str, message: str, at: str | None) -> dict[str, Any]:
    return {"involvedObject": {"kind": "Job", "uid": uid}, "message": message, "lastTimestamp": at}


class Events:
    """An API server that has these events, or fails."""

    def __init__(self, *items: dict[str, Any], error: RunError | None = None) -> None:
        self.asked = 0
        self._items = list(items)
        self._error = error

    async def list_events(self, kind: str, reason: str) -> list[dict[str, Any]]:
        assert (kind, reason) == ("Job", "FailedCreate")
        self.asked += 1
        if self._error is not None:
            raise self._error
        return self._items


def of(events: Events) -> FailedCreateEvents:
    return FailedCreateEvents(cast("KubernetesApi", events))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_create, "ASK_AFTER_SECONDS", 0.0)


@pytest.mark.usefixtures("at_once")
async def test_a_job_without_a_pod_is_told_what_was_said_last_of_it() -> None:
    said = [
        event("a", "second", "2025-03-01T10:00:02Z"),
        event("a", "first", "2025-03-01T10:00:01Z"),
        event("other", "x", None),
    ]
    refused = of(Events(*said))
    assert await refused.of(["a", "b"]) == {"a": "second"}
    assert await refused.of(["b"]) == {}


async def test_a_job_that_is_new_is_not_asked_about() -> None:
    events = Events(event("a", "first", "2025-03-01T10:00:01Z"))
    assert await of(events).of(["a"]) == {}
    assert events.asked == 0


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("error", [ApiRefused(403, "events is forbidden"), Unavailable("504")])
async def test_events_that_cannot_be_read_leave_it_unsaid(error: RunError) -> None:
    events = Events(error=error)
    assert await of(events).of(["a"]) == {}
    assert events.asked == 1


@pytest.mark.usefixtures("at_once")
async def test_nobody_asks_where_every_job_has_its_pod() -> None:
    events = Events()
    await of(events).of([])
    assert events.asked == 0


def test_an_event_of_the_newer_kind_has_its_time_elsewhere() -> None:
    newer = {**event("a", "second", None), "eventTime": "2025-03-01T10:00:02.000001Z"}
    assert newest_messages([newer, event("a", "first", "2025-03-01T10:00:01Z")]) == {"a": "second"}
