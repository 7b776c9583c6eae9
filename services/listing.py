"""Lists that may be long: filters, pages by a key, a bounded count, and an order that is bounded or by that key."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from typing import Any, Generic, TypeVar
from uuid import UUID

from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.store.client_connection import Row

Item = TypeVar("Item")
View = TypeVar("View")

COUNTED = 10_000
"""Counts stop here, and lists of more are not sorted by anything but their key."""

PAGE = 1_000
"""At most so many are read at once."""


def in_parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, at most so many at a time."""
    left = iter(items)
    while part := [*islice(left, size)]:
        yield part


@dataclass(frozen=True, slots=True)
class Page(Generic[View]):
    """A part of a list.

    Args:
        items: the newest first.
        next: where the next page begins, for `Selection.page`; None if there is none.
    """

    items: Sequence[View]
    next: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; `exact` is false if there are more than `at_least`."""

    at_least: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Order:
    """By what a list is sorted, and in which direction.

    Args:
        name: one of the list's sorts; empty for the natural order, the newest first.
        descending: the greatest first. Missing values come last in both directions.
    """

    name: str = ""
    descending: bool = False


NEWEST_FIRST = Order()
_NATURAL = Order("submitted", descending=True)
"""The same by its name."""


class Selection(Generic[View]):
    """What a filter selects.

    Args:
        match: finds ids and keys before a key, at most so many, the newest first.
        read: the views of these ids, the newest first; it leaves out those that are gone.
        sorts: the value to sort by, for each name.
        things: what they are, for people.
        indexed: orders in which an index finds the first so many, however many there are, without missing values.
    """

    def __init__(
        self,
        match: Callable[[int | None, int | None], Sequence[Row]],
        read: Callable[[Iterable[UUID]], list[View]],
        sorts: Mapping[str, Callable[[View], Any]],
        things: str,
        indexed: Mapping[Order, Callable[[int | None], Sequence[Row]]] | None = None,
    ) -> None:
        self._match = match
        self._read = read
        self._sorts = sorts
        self._things = things
        self._indexed = indexed or {}

    def page(self, limit: int, after: int | None = None, skip: int = 0) -> Page[View]:
        """A page of the natural order.

        Args:
            limit: at most so many.
            after: `next` of the page before.
            skip: leave out so many before that; each costs a little.
        """
        found = self._match(after, skip + limit + 1)[skip:]
        more = len(found) > limit
        return Page(self._read(row["id"] for row in found[:limit]), found[limit - 1]["key"] if more else None)

    def match(self, before: int | None, limit: int | None) -> Sequence[Row]:
        """Ids and keys alone, the newest first, from below a key."""
        return self._match(before, limit)

    def first(self, limit: int | None = None, order: Order = NEWEST_FIRST) -> tuple[list[View], bool]:
        """The first so many, all if None, and whether there are more.

        Raises:
            InvalidRequest: the list cannot be sorted so, or has more than `COUNTED` items.
        """
        if order.name and order != _NATURAL:
            found = (limit is not None and self._by_index(order, limit + 1)) or self._sorted(order)
            return found[:limit], limit is not None and len(found) > limit
        found, after = list[View](), None
        while True:
            page = self.page(PAGE if limit is None else min(PAGE, limit - len(found)), after)
            found += page.items
            after = page.next
            # Of those that a page found some may be gone.
            if after is None or (limit is not None and len(found) >= limit):
                return found, after is not None

    def count(self) -> Count:
        """How many there are, up to `COUNTED`."""
        found = len(self._match(None, COUNTED + 1))
        return Count(min(found, COUNTED), found <= COUNTED)

    def read(self, ids: Iterable[UUID]) -> list[View]:
        """These, whether the filter selects them or not; those that are gone are left out."""
        return self._read(ids)

    def _by_index(self, order: Order, limit: int) -> list[View]:
        """The first so many by an index; nothing if there is none, or if it has fewer."""
        match = self._indexed.get(order)
        rows = [] if match is None else match(limit)
        if len(rows) < limit:
            return []
        views = self._read(row["id"] for row in rows)
        there = [view for view in views if self._sorts[order.name](view) is not None]
        return sorted(there, key=self._sorts[order.name], reverse=order.descending)

    def _sorted(self, order: Order) -> list[View]:
        value = self._sorts.get(order.name)
        if value is None:
            raise unknown_word("sort", order.name, self._sorts)
        found = self._match(None, COUNTED + 1)
        if len(found) > COUNTED:
            raise InvalidRequest(
                f"more than {COUNTED:,} {self._things} match, which are too many to sort by {order.name}: ask for fewer"
            )
        views = self._read(row["id"] for row in found)
        missing = [view for view in views if value(view) is None]
        there = [view for view in views if value(view) is not None]
        return sorted(there, key=value, reverse=order.descending) + missing


def unknown_word(what: str, given: str, allowed: Iterable[str]) -> InvalidRequest:
    """The error of a word that is none of those allowed, with the nearest one or all of them."""
    words = list(allowed)
    near = get_close_matches(given.casefold(), words, n=1, cutoff=0.6)
    return InvalidRequest(
        f"{what} {given!r}: did you mean {near[0]}?" if near else f"{what} {given!r}: there are {', '.join(words)}"
    )


def like_pattern(given: str) -> str:
    """The pattern of SQL's LIKE, in small letters, for a part of a name, or for a whole name with * and ?."""
    escaped = given.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if "*" in given or "?" in given:
        return escaped.replace("*", "%").replace("?", "_")
    return f"%{escaped}%"
