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

_PLAIN = frozenset({str, int, float, bool, type(None)})


def to_json(value: Any) -> Any:
    """The value as dicts, lists, texts and numbers. Times become ISO 8601 in UTC, also in sentences.

    A class may say by `not_in_json` which of its fields are not for others; instead of hints there are actions.
    """
    if type(value) in _PLAIN:  # most values are
        return value
    if isinstance(value, Report):
        return value.as_dict()  # which names the parts of places
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
    hidden = getattr(value, "not_in_json", ())
    names = (field.name for field in dataclasses.fields(value) if field.name not in hidden)
    fields = {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, Advice) or "hints" in hidden:
        fields["actions"] = [to_json(offer(hint)) for hint in value.hints]
    return fields
