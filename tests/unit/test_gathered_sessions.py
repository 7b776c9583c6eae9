"""Looks for sessions: many who come at one time share one, and nobody gets one that began before they came."""

import threading
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.sessions import Found, Sessions
from dataset_jobs.model.causes import Reason
from dataset_jobs.model.errors import Unavailable
from services.web_sessions import Over


class Slow:
    """A database that answers when it may."""

    def __init__(self) -> None:
        self.looks: list[set[str]] = []
        self.began = threading.Semaphore(0)
        self.may = threading.Semaphore(0)
        self.away = False

    def __call__(self, tokens: Collection[str]) -> Found:
        self.looks.append({*tokens})
        self.began.release()
        self.may.acquire()
        if self.away:
            raise Unavailable("away", Reason.DATABASE)
        return dict.fromkeys(tokens, Over.GONE)


def test_those_who_come_during_a_look_share_the_next() -> None:
    slow = Slow()
    sessions = Sessions(slow)
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(sessions.key, "a")
        slow.began.acquire()
        others = [threads.submit(sessions.key, one) for one in ("a", "b", "c")]
        while sessions._next is None or len(sessions._next.tokens) < 3:
            time.sleep(0.001)
        slow.may.release(2)
        assert [one.result(60) for one in (first, *others)] == [Over.GONE] * 4
    assert slow.looks == [{"a"}, {"a", "b", "c"}]


def test_an_error_is_that_of_all_who_wait_and_no_others() -> None:
    slow = Slow()
    sessions = Sessions(slow)
    slow.away = True
    slow.may.release(2)
    with pytest.raises(Unavailable):
        sessions.key("a")
    slow.away = False
    assert sessions.key("a") is Over.GONE
