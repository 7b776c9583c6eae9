"""Filters of operations: which are possible, what they select, and how the database keeps them, so that whoever carries
an operation on selects the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import FINISHED, DatasetStatus, JobState, JobType
from dataset_jobs.store.client_connection import ClientDatabase, Row, run_at_parameters
from services.filters import DatasetFilter, JobFilter, select_datasets, select_jobs
from services.operation_acts import Doing, Options

_READ: Mapping[str, Callable[[Any], Any]] = {
    "states": lambda words: tuple(map(JobState, words)),
    "causes": lambda words: tuple(map(Cause, words)),
    "statuses": lambda words: tuple(map(DatasetStatus, words)),
    "kind": JobType,
    "dataset_id": UUID,
    "since": datetime.fromisoformat,
    "until": datetime.fromisoformat,
    "ended_since": datetime.fromisoformat,
}


def filter_to_json(which: JobFilter | DatasetFilter) -> dict[str, Any]:
    """The conditions that a filter has, as JSON; its times are fixed ones."""
    kept: dict[str, Any] = {}
    for one in fields(which):
        value = getattr(which, one.name)
        if isinstance(value, datetime):
            kept[one.name] = value.isoformat()
        elif isinstance(value, tuple | list) and value:
            kept[one.name] = [str(word) for word in value]
        elif value is not None and value != ():
            kept[one.name] = str(value) if isinstance(value, UUID | str) else value
    return kept


def filter_from_json(is_of_datasets: bool, kept: Mapping[str, Any]) -> JobFilter | DatasetFilter:
    """From what `filter_to_json` has made; raises InvalidRequest for what only another version has made."""
    try:
        values = {name: _READ[name](value) if name in _READ else value for name, value in kept.items()}
        return DatasetFilter(**values) if is_of_datasets else JobFilter(**values)
    except (TypeError, ValueError):
        raise InvalidRequest("another version of affirm-worker has made this filter") from None


def matching(
    database: ClientDatabase, which: JobFilter | DatasetFilter, before: int | None, limit: int
) -> Sequence[Row]:
    """Ids and keys of what a filter selects, the newest first."""
    if isinstance(which, JobFilter):
        return select_jobs(database, which, lambda _: []).match(before, limit)
    return select_datasets(database, which, lambda _: []).match(before, limit)


def checked(doing: Doing, which: JobFilter | DatasetFilter, options: Options) -> JobFilter | DatasetFilter:
    """The filter, if the act can be done with what it selects; raises InvalidRequest if not."""
    if isinstance(which, DatasetFilter) is not doing.is_of_datasets:
        raise InvalidRequest(
            f"{doing} is an act on {'datasets' if doing.is_of_datasets else 'jobs'}: give their filter"
        )
    if doing is Doing.SET and options.priority is None and options.run_at is None and options.pool is None:
        raise InvalidRequest("set: give a priority, a time or a pool")
    run_at_parameters(options.run_at)
    if doing is Doing.PURGE:
        if options.older_than is None or options.older_than < timedelta(0):
            raise InvalidRequest("purge: say how long ago the jobs must have finished")
        assert isinstance(which, JobFilter)
        if which != JobFilter(which.states) or not set(which.states) <= set(FINISHED):
            raise InvalidRequest("purge: it takes states of finished jobs, and no other filter")
    return which


def fixed(which: JobFilter | DatasetFilter, now: datetime) -> JobFilter | DatasetFilter:
    """The filter with times in the place of durations: so it selects the same as long as an operation takes.

    Args:
        which: a filter.
        now: by the database's clock.
    """
    if isinstance(which.since, timedelta):
        which = replace(which, since=now - which.since)
    if isinstance(which, JobFilter) and isinstance(which.ended_since, timedelta):
        which = replace(which, ended_since=now - which.ended_since)
    return which
