"""How long a job waits before its next try."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.outcomes.backoff import (
    DEFAULT_WAITS,
    GIVE_BACK_FIRST,
    GIVE_BACK_LONGEST,
    JITTER,
    give_back_wait,
    probe_wait,
    retry_wait,
)

share = st.floats(0, 1)


@pytest.mark.parametrize(("failed", "minutes"), [(1, 1), (2, 5), (3, 15), (4, 15), (1000, 15)])
def test_retries_wait_one_five_and_fifteen_minutes_and_the_last_wait_holds_on(failed: int, minutes: int) -> None:
    assert retry_wait(failed, DEFAULT_WAITS, 0) == timedelta(minutes=minutes)


@pytest.mark.parametrize(("given_back", "seconds"), [(1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (10**9, 60)])
def test_released_claims_wait_ten_seconds_up_to_a_minute(given_back: int, seconds: int) -> None:
    """Each time twice as long."""
    assert give_back_wait(given_back, 0) == timedelta(seconds=seconds)


@given(st.integers(1, 10**6), st.lists(st.timedeltas(timedelta(0), timedelta(days=30)), min_size=1), share)
def test_jitter_lengthens_a_retry_by_a_tenth_at_the_most(failed: int, waits: list[timedelta], random: float) -> None:
    least = retry_wait(failed, waits, 0)
    assert least in waits
    assert least <= retry_wait(failed, waits, random) <= least * (1 + JITTER)


@given(st.integers(1, 10**6), share)
def test_jitter_lengthens_a_give_back_by_a_tenth_at_the_most(given_back: int, random: float) -> None:
    least = give_back_wait(given_back, 0)
    assert GIVE_BACK_FIRST <= least <= GIVE_BACK_LONGEST
    assert least <= give_back_wait(given_back, random) <= least * (1 + JITTER)


@given(st.integers(1, 10**6))
def test_a_give_back_never_waits_shorter_than_the_one_before(given_back: int) -> None:
    assert give_back_wait(given_back, 0) <= give_back_wait(given_back + 1, 0)


def test_jobs_that_failed_together_do_not_come_back_together() -> None:
    assert len({retry_wait(1, DEFAULT_WAITS, random / 10) for random in range(11)}) == 11


def test_a_blocked_pool_is_probed_ever_more_gently() -> None:
    """First after ten seconds, in the end once a minute."""
    assert [probe_wait(probes).total_seconds() for probes in range(5)] == [10, 20, 40, 60, 60]
