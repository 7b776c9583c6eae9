"""Lists over the API: as `services.listing.Selection` reads them, page by page."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from remote.connection import PAGE, Connection
from remote.reading import read, read_each
from services.listing import Count, Selection

Item = TypeVar("Item")


def clock_at(connection: Connection) -> datetime:
    """The time by the clock of the installation's database."""
    return read(datetime, connection.get("/v1/jobs", limit=1).meta.get("as_of"))


def when(given: datetime | timedelta | None, now: Callable[[], datetime] | None = None) -> str | None:
    """A time as the API takes it.

    Args:
        given: a time, or how long from now on.
        now: for what takes no durations; then they are counted backwards.
    """
    if isinstance(given, timedelta):
        if now is None:
            return f"{given / timedelta(milliseconds=1):.0f}ms"
        given = now() - given
    return None if given is None else given.astimezone(UTC).isoformat().replace("+00:00", "Z")


def selection_of(
    connection: Connection,
    path: str,
    query: Mapping[str, Any],
    kind: type[Any],
    read_ids: Callable[[Iterable[UUID]], list[Any]],
    sorts: tuple[Mapping[str, Callable[[Any], Any]], str],
) -> Selection[Any]:
    """What a filter selects.

    Args:
        connection, path, query: of the list, the newest first.
        kind: of its items, which have an `id` and a `number`.
        read_ids: reads some by their ids.
        sorts: by what it can be sorted, and what the items are for people.
    """
    return _Remote(_Pages(connection, path, query, kind, read_ids), *sorts)


class _Pages:
    """The pages of a list, from its beginning, as far as they have been asked for."""

    def __init__(
        self,
        connection: Connection,
        path: str,
        query: Mapping[str, Any],
        kind: type[Any],
        read_ids: Callable[[Iterable[UUID]], list[Any]],
    ) -> None:
        self.connection, self.path = connection, path
        self.query = {name: ",".join(one) if isinstance(one, tuple | list) else one for name, one in query.items()}
        self.query = {name: one for name, one in self.query.items() if one != ""}
        self._kind, self._read_ids = kind, read_ids
        self._views: list[Any] = []
        self._more: Iterator[Sequence[Any]] = iter(())

    def match(self, before: int | None, limit: int | None) -> Sequence[dict[str, Any]]:
        if before is None:  # somebody looks anew
            self._views = []
            size = PAGE if limit is None else min(limit, PAGE)
            self._more = self.connection.pages(self.path, **{**self.query, "limit": size})
        while limit is None or len(self._below(before)) < limit:
            page = next(self._more, None)
            if page is None:
                break
            self._views += read_each(self._kind, list(page))
        return [{"id": one.id, "key": one.number} for one in self._below(before)[:limit]]

    def read(self, ids: Iterable[UUID]) -> list[Any]:
        """Those that the list has had just now are not asked for again."""
        wanted = dict.fromkeys(ids)
        seen = {one.id: one for one in self._views}
        if all(one in seen for one in wanted):
            return [seen[one] for one in wanted]
        return self._read_ids(wanted)

    def _below(self, before: int | None) -> list[Any]:
        return [one for one in self._views if before is None or one.number < before]


class _Remote(Selection[Any]):
    """A selection that the API counts."""

    def __init__(self, pages: _Pages, sorts: Mapping[str, Callable[[Any], Any]], things: str) -> None:
        super().__init__(pages.match, pages.read, sorts, things)
        self._pages = pages

    def count(self) -> Count:
        """How many there are, up to so many as the API counts."""
        query = {**self._pages.query, "limit": 1, "count": "estimate"}
        meta = self._pages.connection.get(self._pages.path, **query).meta
        return Count(int(meta["total"]), bool(meta["total_is_exact"]))

    def read(self, ids: Iterable[UUID]) -> list[Any]:
        """These as they are now."""
        return self._pages._read_ids(ids)
