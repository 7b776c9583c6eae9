"""Pages of jobs, each in the natural order of its filter: as they are claimed, as they are due, or the newest first.

Those that are over can also be had in the order of their ends.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import JobState
from dataset_jobs.store.client_connection import ClientDatabase, Row
from dataset_jobs.store.views import JobView
from services.filters import JobFilter, select_jobs


class JobOrder(StrEnum):
    """The order of a page; only one has an index for each filter."""

    CLAIM = "claim"
    """Queued jobs: the one that is claimed next comes first, in each pool."""
    DUE = "due"
    """Scheduled jobs: the one whose time comes first."""
    NEWEST = "newest"
    FINISHED = "finished"
    """Those that are over: the one that ended last comes first. Nobody's natural order, and without other filters."""


Place = list[int | str]
"""Where the next page begins, as JSON has it. For its own order alone."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """A part of a list; `next` is None if there is no more."""

    items: Sequence[JobView]
    next: Place | None
    order: JobOrder


def order_of(which: JobFilter) -> JobOrder:
    """The natural order of what a filter selects."""
    if which == replace(JobFilter((JobState.QUEUED,)), pool=which.pool):
        return JobOrder.CLAIM
    if which == replace(JobFilter((JobState.SCHEDULED,)), pool=which.pool):
        return JobOrder.DUE
    return JobOrder.NEWEST


def page_of_jobs(
    database: ClientDatabase,
    which: JobFilter,
    read: Callable[[Iterable[UUID]], list[JobView]],
    limit: int,
    after: Place | None,
    skip: int = 0,
    order: JobOrder | None = None,
) -> JobPage:
    """A page of jobs; raises InvalidRequest for a place that is none of this order.

    Args:
        skip: leave out so many before it; each costs a little.
        order: the newest first, or the natural one of the filter, which it is if None.
    """
    order = order or order_of(which)
    selection = select_jobs(database, which, read)
    if order is JobOrder.NEWEST:
        page = selection.page(limit, None if after is None else _key(after, 1), skip)
        return JobPage(page.items, None if page.next is None else [page.next], order)
    rows = _rows(database, order, which.pool, skip + limit + 1, after)[skip:]
    shown = {view.id: view for view in selection.read(row["id"] for row in rows[:limit])}
    items = [shown[row["id"]] for row in rows[:limit] if row["id"] in shown]
    return JobPage(items, _place(order, rows[limit - 1]) if len(rows) > limit else None, order)


def _rows(
    database: ClientDatabase, order: JobOrder, pool: str | None, limit: int, after: Place | None
) -> Sequence[Row]:
    if order is JobOrder.FINISHED:
        ended, key = (None, None) if after is None else (_time(after, 0, 2), _key(after, 2))
        return database.all("jobs.match_ended", limit=limit, ended=ended, key=key)
    if order is JobOrder.CLAIM:
        priority, run_at = (None, None) if after is None else (_number(after, 0), _time(after, 1, 3))
        key = None if after is None else _key(after, 3)
        return database.all("jobs.match_queued", pool=pool, limit=limit, priority=priority, run_at=run_at, key=key)
    run_at, key = (None, None) if after is None else (_time(after, 0, 2), _key(after, 2))
    return database.all("jobs.match_scheduled", pool=pool, limit=limit, run_at=run_at, key=key)


def _place(order: JobOrder, row: Row) -> Place:
    when: Place = [row["finished_at" if order is JobOrder.FINISHED else "run_at"].isoformat(), row["key"]]
    return [row["priority"], *when] if order is JobOrder.CLAIM else when


def _key(after: Place, parts: int) -> int:
    if len(after) != parts:
        raise _no_place()
    return _number(after, parts - 1)


def _number(after: Place, index: int) -> int:
    value = after[index] if index < len(after) else None
    if not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise _no_place()
    return value


def _time(after: Place, index: int, parts: int) -> datetime:
    value = after[index] if len(after) == parts else None
    try:
        when = datetime.fromisoformat(str(value))
    except ValueError:
        raise _no_place() from None
    if when.tzinfo is None:
        raise _no_place()
    return when


def _no_place() -> InvalidRequest:
    return InvalidRequest("this is no place in this list: begin at its first page")
