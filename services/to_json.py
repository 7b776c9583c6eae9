"""JSON of the data that services return, without a class for each answer."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

from dataset_jobs.model.hints import Advice
from dataset_jobs.model.report import Report
from dataset_jobs.model.sentences import Sentence
from services.actions import offer
from services.problems import Problem
from services.story import Told
from services.waiting import Waiting


def to_json(value: Any) -> Any:
    """The value as dicts, lists, texts and numbers. Times become ISO 8601 in UTC, also in sentences."""
    if isinstance(value, Report):
        return value.as_dict()  # which names the parts of places
    if isinstance(value, Advice | Told | Waiting | Problem):
        return _fields(value) | {"actions": to_json([offer(hint) for hint in value.hints])}
    if isinstance(value, Sentence):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(name): to_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID | Path) else value


def _fields(value: Any) -> dict[str, Any]:
    # Not asdict: it copies, and does not know slots of other types.
    return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
