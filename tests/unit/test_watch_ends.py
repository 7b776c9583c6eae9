"""A watch that ends again and again: taken up less and less often, said now and then, and no secret."""

import logging
from uuid import UUID

import pytest
from kubernetes.aio.client import Configuration

from controller.operator import LASTS_SECONDS, Watcher


@pytest.fixture
def watcher() -> Watcher:
    return Watcher(Configuration(host="http://127.0.0.1:1"), "names", UUID(int=1), lambda thing, deleted: None)


def test_a_watch_that_is_refused_is_tried_less_often(watcher: Watcher, caplog: pytest.LogCaptureFixture) -> None:
    now = watcher.last_event
    waits = []
    for _ in range(6):
        now += 1
        waits.append(watcher._ended("APIForbiddenError", now - 0.5, now))
    assert waits == [2, 4, 8, 16, 30, 30]
    assert watcher.trouble is not None
    assert watcher.trouble.tries == 6
    [said] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "the watch over the cluster has ended: APIForbiddenError (tried once; " in said.getMessage()


@pytest.mark.parametrize("works", ["it lasted", "it told of something"])
def test_a_watch_that_worked_is_taken_up_at_once(watcher: Watcher, works: str) -> None:
    began = watcher.last_event + 1
    for second in range(5):
        watcher._ended("APIForbiddenError", began + second, began + second)
    began += 10
    lasted = LASTS_SECONDS if works == "it lasted" else 1
    if works == "it told of something":
        watcher.last_event = began + 0.5
    assert watcher._ended("ClientConnectorError", began, began + lasted) == 2


def test_a_watch_that_tells_again_is_no_trouble(watcher: Watcher) -> None:
    watcher._ended("APIForbiddenError", watcher.last_event + 1, watcher.last_event + 1)
    assert watcher.trouble is not None
    watcher.last_event += 5
    assert watcher.trouble is None
