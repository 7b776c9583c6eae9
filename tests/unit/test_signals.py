"""What a controller says when it is told to stop."""

import signal
from datetime import timedelta

import pytest

from controller.signals import hurrying, stopping

INT, TERM = signal.SIGINT, signal.SIGTERM


@pytest.mark.parametrize(
    ("at_work", "seconds", "number", "says"),
    [
        (0, 30, INT, "stopping: no run is at work"),
        (1, 30, TERM, "stopping: 1 run may finish, up to 30 s"),
        (1, 30, INT, "stopping: 1 run may finish, up to 30 s; Ctrl-C again kills it"),
        (4, 600, INT, "stopping: 4 runs may finish, up to 10 min; Ctrl-C again kills them"),
        (1, 0, INT, "stopping: 1 run is told to end; its job is queued again, and no attempt is used"),
        (2, 0, TERM, "stopping: 2 runs are told to end; their jobs are queued again, and no attempt is used"),
    ],
)
def test_the_first_signal_says_how_long_runs_may_go_on(
    at_work: int, seconds: int, number: signal.Signals, says: str
) -> None:
    assert stopping(at_work, timedelta(seconds=seconds), number) == says


@pytest.mark.parametrize(
    ("at_work", "says"),
    [
        (0, "stopping now"),
        (1, "stopping now: 1 run is killed; the next controller queues its job again, at the latest after 60 s; no"
            " attempt is used"),
        (2, "stopping now: 2 runs are killed; the next controller queues their jobs again, at the latest after 60 s; no"
            " attempt is used"),
    ],
)  # fmt: skip
def test_the_second_signal_says_what_becomes_of_the_jobs(at_work: int, says: str) -> None:
    assert hurrying(at_work) == says
