"""Filters of operations as the database keeps them: whoever carries an operation on selects the same."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from dataset_jobs.model.causes import Cause
from dataset_jobs.model.requests import InvalidRequest
from dataset_jobs.model.states import DatasetStatus, JobState, JobType
from services.filters import DatasetFilter, JobFilter

_READ: Mapping[str, Callable[[Any], Any]] = {
    "states": lambda words: tuple(map(JobState, words)),
    "causes": lambda words: tuple(map(Cause, words)),
    "statuses": lambda words: tuple(map(DatasetStatus, words)),
    "kind": JobType,
    "dataset_id": UUID,
    "since": datetime.fromisoformat,
    "until": datetime.fromisoformat,
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
