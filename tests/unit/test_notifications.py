"""Wake-ups by notifications are spaced, and none is lost."""

import re
from collections.abc import Callable
from pathlib import Path

from dataset_jobs.store.notifications import SPACING_SECONDS, Spaced


class Later:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds == SPACING_SECONDS
        self.waiting.append(call)

    def passes(self) -> None:
        due, self.waiting = self.waiting, []
        for call in due:
            call()


def test_a_flood_of_notifications_wakes_once_in_a_while() -> None:
    woken: list[int] = []
    later = Later()
    spaced = Spaced(lambda: woken.append(1), later)
    for _ in range(10_000):
        spaced()
    assert len(woken) == 1
    later.passes()
    assert len(woken) == 2


def test_the_last_notification_of_a_flood_is_not_lost() -> None:
    woken: list[int] = []
    later = Later()
    spaced = Spaced(lambda: woken.append(1), later)
    spaced()
    spaced()
    later.passes()
    later.passes()
    assert len(woken) == 2
    assert later.waiting == []
    spaced()
    assert len(woken) == 3


def test_a_controller_wakes_as_often_as_the_page_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    [most] = re.findall(r"wake at most (\d+) times a second", page)
    assert 1 / int(most) <= SPACING_SECONDS
