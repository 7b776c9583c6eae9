"""Trouble that comes again: when it is said, when it is tried again, and when it is hopeless."""

from itertools import pairwise

import pytest

from dataset_jobs.model.errors import Faulty, Forbidden, Misconfigured, RunError, Unavailable
from dataset_jobs.model.trouble import NEVER_TRIES, Quiet, Repeated, Trouble


def test_the_same_thing_is_said_at_growing_intervals() -> None:
    repeated = Repeated()
    said = [second for second in range(400) if repeated.failed(Unavailable("away"), second)]
    assert said == [0, 10, 30, 70, 150, 310]


def test_for_ever_is_said_every_ten_minutes() -> None:
    quiet = Quiet()
    said = [second for second in range(0, 100_000, 10) if quiet.is_due("away", second)]
    assert {later - before for before, later in pairwise(said[10:])} == {600}


def test_what_is_new_is_said_at_once() -> None:
    quiet = Quiet()
    assert quiet.is_due("port 1 is closed", 0)
    assert quiet.is_due("the disk is full", 1)
    assert not quiet.is_due("port 2 is closed", 2)
    assert not quiet.is_due("the disk is full", 3)


def test_after_it_passed_the_same_trouble_is_new() -> None:
    repeated = Repeated()
    assert not repeated.passed()
    repeated.failed(Unavailable("away"), 0)
    assert repeated.passed()
    assert not repeated.passed()
    assert repeated.trouble is None
    assert repeated.failed(Unavailable("away"), 1)


@pytest.mark.parametrize("kind", [Forbidden, Misconfigured, Faulty])
def test_permanent_trouble_is_never_after_some_tries(kind: type[RunError]) -> None:
    repeated = Repeated()
    never = []
    for second in range(NEVER_TRIES + 1):
        repeated.failed(kind("no"), second)
        assert repeated.trouble is not None
        never.append(repeated.trouble.is_never)
    assert never == [False] * (NEVER_TRIES - 1) + [True, True]


def test_temporary_trouble_is_never_hopeless() -> None:
    repeated = Repeated()
    for second in range(1000):
        repeated.failed(Unavailable("away"), second)
    assert repeated.trouble is not None
    assert not repeated.trouble.is_never


def test_another_kind_of_trouble_is_counted_anew() -> None:
    repeated = Repeated()
    for second in range(9):
        repeated.failed(Unavailable("away"), second)
    repeated.failed(Forbidden("no"), 9)
    assert repeated.trouble == Trouble("no", True, 9, 1)


def test_the_waits_double_up_to_half_a_minute() -> None:
    troubles = [Trouble("", False, 0, tries) for tries in range(1, 9)]
    assert [trouble.wait(1.0) for trouble in troubles] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert Trouble("", False, 0, 100_000).wait(0.2) == 30
    assert Trouble("", False, 0, 5).wait(60.0) == 60


def test_a_trouble_says_whether_it_can_pass_by_itself() -> None:
    assert Trouble("away", False, 0, 5).describe(31.4) == (
        "away (tried 5 times in 31 s; it is tried again until it passes)"
    )
    assert Trouble("no", True, 0, 1).describe(9) == "no (tried once; this does not pass by itself)"
