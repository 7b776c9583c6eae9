"""Values that one thread reads anew while everybody gets the last one."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.refreshed import Refreshed

LONG = 60.0


class Source:
    """Something to read: numbers from 1 on.

    Attributes:
        now: what the clock says.
        go_on: a read waits for it.
        error: raised by a read instead.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.reads = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self.error: Exception | None = None

    def read(self, *_: object) -> int:
        assert self.go_on.wait(LONG)
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.reads

    def refreshed(self, patience_seconds: float = LONG) -> Refreshed[int]:
        return Refreshed(self.read, 5, 10, patience_seconds, lambda: self.now)


@pytest.fixture
def source() -> Source:
    return Source()


def test_a_value_is_read_once_for_so_many_seconds(source: Source) -> None:
    refreshed, got = source.refreshed(), []
    for source.now in (0, 4, 6, 10, 12):
        got.append(refreshed.get())
    assert got == [1, 1, 2, 2, 3]


def test_nobody_waits_while_an_old_value_is_refreshed(source: Source) -> None:
    refreshed = source.refreshed(patience_seconds=0)
    assert refreshed.get() == 1
    source.go_on.clear()
    source.now = 6
    assert [refreshed.get() for _ in range(50)] == [1] * 50
    source.go_on.set()
    while refreshed.get() == 1:
        pass
    assert source.reads == 2


def test_whoever_comes_late_waits_for_a_new_value(source: Source) -> None:
    refreshed = source.refreshed(patience_seconds=0)
    assert refreshed.get() == 1
    source.now = 16
    assert refreshed.get() == 2


def test_an_error_is_raised_unless_there_is_a_value(source: Source) -> None:
    refreshed = source.refreshed()
    source.error = OSError("away")
    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            refreshed.get()
    source.error = None
    assert refreshed.get() == 3
    source.error = OSError("away")
    source.now = 6
    assert refreshed.get() == 3
    source.now = 16
    with pytest.raises(OSError, match="away"):
        refreshed.get()


def test_a_first_value_is_given_before_a_better_one() -> None:
    go_on = threading.Event()

    def read(_: int | None, publish: Callable[[int], None]) -> int:
        publish(1)
        assert go_on.wait(LONG)
        return 2

    refreshed = Refreshed(read, 5, 10)
    assert refreshed.get() == 1
    go_on.set()
    while refreshed.get() == 1:
        pass
    assert refreshed.get() == 2


def test_what_was_forgotten_is_not_given_again(source: Source) -> None:
    """Also not by a read that began before that."""
    refreshed = source.refreshed()
    source.go_on.clear()
    with ThreadPoolExecutor(1) as threads:
        before = threads.submit(refreshed.get)
        while not source.go_on.is_set():
            refreshed.forget()
            source.go_on.set()
        before.result()
        after = refreshed.get()
    assert after == source.reads
