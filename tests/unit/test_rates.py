"""Token buckets, by a clock that the test sets."""

from api.rates import MOST_NAMES, Rates


def test_a_bucket_holds_a_minute_and_fills_again() -> None:
    now = [0.0]
    rates = Rates(60, lambda: now[0])
    assert [rates.take("a").allowed for _ in range(61)] == [True] * 60 + [False]
    now[0] = 1.0
    assert [rates.take("a").allowed for _ in range(2)] == [True, False]
    now[0] = 1000.0
    assert rates.take("a").remaining == 59


def test_it_says_how_long_to_wait() -> None:
    rates = Rates(2, lambda: 0.0)
    left = [rates.take("a") for _ in range(3)][-1]
    assert (left.allowed, left.remaining, left.wait_seconds) == (False, 0, 30)
    assert left.headers["Retry-After"] == "30"


def test_a_look_takes_nothing() -> None:
    rates = Rates(1, lambda: 0.0)
    assert [rates.take("a", cost=0).allowed for _ in range(3)] == [True] * 3


def test_each_name_has_its_own_and_the_oldest_go() -> None:
    rates = Rates(1, lambda: 0.0)
    assert [rates.take(f"name {number}").allowed for number in range(MOST_NAMES + 1)] == [True] * (MOST_NAMES + 1)
    assert not rates.take(f"name {MOST_NAMES}").allowed
    assert rates.take("name 0").allowed
