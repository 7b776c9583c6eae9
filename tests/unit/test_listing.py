"""Lists in pages, and words of filters."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from dataset_jobs.model.requests import InvalidRequest
from services import listing
from services.listing import Count, Order, Selection, like_pattern, unknown_word


@dataclass(frozen=True)
class Thing:
    id: UUID
    rows: int | None


def selection(keys: Iterable[int], gone: frozenset[int] = frozenset()) -> Selection[Thing]:
    """Things whose keys these are; those in `gone` are removed between the two statements."""
    there = sorted(keys, reverse=True)

    def match(before: int | None, limit: int | None) -> list[dict[str, Any]]:
        found = [{"id": UUID(int=key), "key": key} for key in there if before is None or key < before]
        return found[:limit]

    def read(ids: Iterable[UUID]) -> list[Thing]:
        return [Thing(one, one.int % 7 or None) for one in ids if one.int not in gone]

    return Selection(match, read, {"rows": lambda thing: thing.rows}, "things")


def keys(things: Iterable[Thing]) -> list[int]:
    return [thing.id.int for thing in things]


def test_pages_follow_each_other_without_a_gap() -> None:
    some = selection(range(1, 11))
    first = some.page(4)
    second = some.page(4, first.next)
    third = some.page(4, second.next)
    assert keys([*first.items, *second.items, *third.items]) == [*range(10, 0, -1)]
    assert third.next is None


def test_a_page_that_ends_with_the_list_has_no_next() -> None:
    assert selection(range(1, 5)).page(4).next is None


@pytest.mark.parametrize(
    ("limit", "shown", "more"), [(3, 3, True), (10, 10, False), (11, 10, False), (None, 10, False)]
)
def test_the_first_so_many_say_whether_there_are_more(
    limit: int | None, shown: int, more: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 4)
    found, rest = selection(range(1, 11)).first(limit)
    assert (keys(found), rest) == ([*range(10, 10 - shown, -1)], more)


def test_what_is_gone_meanwhile_is_made_up_for() -> None:
    found, more = selection(range(1, 11), gone=frozenset({9, 10})).first(3)
    assert (keys(found), more) == ([8, 7, 6], True)


@pytest.mark.parametrize(("descending", "expected"), [(False, [1, 2, 3, 4, 5, 6, 7]), (True, [6, 5, 4, 3, 2, 1, 7])])
def test_missing_values_come_last_in_both_directions(descending: bool, expected: list[int]) -> None:
    found, _ = selection(range(1, 8)).first(None, Order("rows", descending))
    assert keys(found) == expected


def test_too_many_are_counted_to_a_bound_and_not_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", 5)
    assert selection(range(5)).count() == Count(5, True)
    assert selection(range(6)).count() == Count(5, False)
    with pytest.raises(InvalidRequest, match="more than 5 things match, which are too many to sort by rows"):
        selection(range(6)).first(2, Order("rows"))


def test_a_wrong_word_is_refused_with_what_was_meant() -> None:
    assert "did you mean rows?" in str(unknown_word("column", "row", ["rows", "file"]))
    assert "there are rows, file" in str(unknown_word("column", "xyzzy", ["rows", "file"]))
    with pytest.raises(InvalidRequest, match="did you mean rows"):
        selection([1]).first(None, Order("rowz"))


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ("yob19", "%yob19%"),
        ("yob19*.txt", "yob19%.txt"),
        ("yob199?.txt", "yob199_.txt"),
        ("50%_a\\b", "%50\\%\\_a\\\\b%"),
    ],
)
def test_a_part_of_a_name_or_a_name_with_stars(given: str, pattern: str) -> None:
    assert like_pattern(given) == pattern
