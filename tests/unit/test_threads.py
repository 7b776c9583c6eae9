"""A thread that cannot begin is an error of the machine, and never an endless wait."""

import threading

import pytest

from dataset_jobs import threads
from dataset_jobs.model.errors import Unavailable
from dataset_jobs.threads import start_thread


def test_a_thread_is_started() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.set)
    start_thread(thread)
    thread.join(100)
    assert done.is_set()
    assert not thread.is_alive()


def _dies_at_once(*_: object, **__: object) -> None:
    """As a thread that gets no memory for its first steps."""


def _is_refused(*_: object, **__: object) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("start", [_dies_at_once, _is_refused])
def test_a_thread_that_does_not_begin_is_an_error_of_the_machine(
    start: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "_start_joinable_thread" if hasattr(threading, "_start_joinable_thread") else "_start_new_thread"
    monkeypatch.setattr(threading, name, start)
    monkeypatch.setattr(threads, "START_SECONDS", 0.01)
    with pytest.raises(Unavailable, match="cannot start a thread"):
        start_thread(threading.Thread(target=print, daemon=True))
