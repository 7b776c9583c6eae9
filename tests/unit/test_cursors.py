"""Cursors: opaque, and of one list with its filters."""

import pytest

from api.cursors import cursor_after, key_of
from api.problems import Problem

FILTERS = {"state": "failed", "country": None}


def test_a_cursor_finds_its_place() -> None:
    assert key_of(cursor_after(17, FILTERS), FILTERS) == 17
    assert key_of(cursor_after([3, "a"], FILTERS, "claim"), FILTERS, "claim") == [3, "a"]
    assert key_of(None, FILTERS) is None


def test_a_filter_that_is_not_given_makes_no_difference() -> None:
    assert key_of(cursor_after(17, FILTERS), {"state": "failed"}) == 17


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!!",
        "e30",
        "W10",
        "äöü",
        "A" * 5000,
        cursor_after(1, {"state": "queued"}),
        cursor_after(1, FILTERS, "next"),
    ],
)
def test_another_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        key_of(cursor, FILTERS)
    assert refused.value.code == "cursor-mismatch"
