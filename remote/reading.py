"""Reads JSON back into the dataclasses that `services/to_json.py` has written, by their type hints.

Members that nothing here knows are ignored: a newer API gives more. Words of an enumeration that nothing here knows
stay texts.
"""

import dataclasses
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin
from uuid import UUID

from dataset_jobs.model.errors import Misconfigured
from dataset_jobs.model.hints import Hint
from dataset_jobs.model.sentences import Sentence
from services.actions import hint_of
from services.problems import Problem
from services.story import Told
from services.waiting import Waiting

View = TypeVar("View")

_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)")
_WITH_ACTIONS = (Told, Waiting, Problem)
"""Their hints are written as actions."""


class Unreadable(Misconfigured):
    """The JSON is not of that type; the message says where."""

    def __init__(self, where: str) -> None:
        super().__init__(f"the API's answer cannot be read: {where}; it may be of another version than this command")


def read(kind: type[View], value: Any) -> View:
    """The value of a type, from its JSON.

    Raises:
        Unreadable: the JSON is of something else.
    """
    return cast(View, _read(kind, value, kind.__name__))


def read_each(kind: type[View], values: Any) -> list[View]:
    """The same of a list."""
    if not isinstance(values, list):
        raise Unreadable(f"{kind.__name__}: expected a list")
    return [read(kind, one) for one in values]


def _read(kind: Any, value: Any, place: str) -> Any:
    origin = get_origin(kind) or kind
    if origin in (Union, UnionType):
        return _read_union(get_args(kind), value, place)
    if kind is Any or kind is object:
        return value
    if origin is tuple:
        return tuple(_items(get_args(kind), value, place))
    if isinstance(origin, type):
        if issubclass(origin, Mapping):
            return _mapping(get_args(kind), value, place)
        if issubclass(origin, Sequence) and not issubclass(origin, str | bytes):
            return [*_items(get_args(kind) or (Any,), value, place)]
        return _read_class(origin, value, place)
    return value


def _read_union(kinds: Sequence[Any], value: Any, place: str) -> Any:
    if value is None and NoneType in kinds:
        return None
    for kind in kinds:
        try:
            return _read(kind, value, place)
        except Unreadable as error:
            last = error
    raise last


def _items(kinds: Sequence[Any], value: Any, place: str) -> Iterator[Any]:
    if not isinstance(value, list):
        raise Unreadable(f"{place}: expected a list")
    if len(kinds) > 1 and kinds[1] is not ...:
        if len(kinds) != len(value):
            raise Unreadable(f"{place}: expected {len(kinds)} items")
        return (_read(kind, one, place) for kind, one in zip(kinds, value, strict=True))
    return (_read(kinds[0], one, place) for one in value)


def _mapping(kinds: Sequence[Any], value: Any, place: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{place}: expected an object")
    name_kind, kind = kinds or (Any, Any)
    return {_read(name_kind, name, place): _read(kind, one, f"{place}.{name}") for name, one in value.items()}


def _read_class(kind: type, value: Any, place: str) -> Any:
    try:
        if kind is Sentence:
            return _sentence(value)
        if kind is datetime:
            return datetime.fromisoformat(value)
        if kind is UUID:
            return UUID(value)
        if issubclass(kind, Enum):
            return _word(kind, value)
        if dataclasses.is_dataclass(kind):
            return _dataclass(kind, value, place)
        if kind is float and isinstance(value, int):
            return float(value)
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
    except (ValueError, TypeError, AttributeError):
        pass
    raise Unreadable(f"{place}: expected {kind.__name__}")


def _word(kind: type[Enum], value: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        if issubclass(kind, str) and isinstance(value, str):
            return value  # of a newer version
        raise


def _dataclass(kind: type, value: Any, place: str) -> Any:
    if not isinstance(value, dict):
        raise Unreadable(f"{place}: expected an object")
    if kind in _WITH_ACTIONS:
        value = value | {"hints": [one.as_dict() for one in hints_in(value)]}
    found = {}
    for name, (hint, required) in _fields(kind).items():
        if name in value:
            found[name] = _read(hint, value[name], f"{place}.{name}")
        elif required:
            raise Unreadable(f"{place}.{name}: it is missing")
    return kind(**found)


def hints_in(value: Mapping[str, Any]) -> list[Hint]:
    """The hints of what has actions; those that nothing here knows are left out."""
    actions = value.get("actions")
    found = (hint_of(one) for one in (actions if isinstance(actions, list) else ()))
    return [one for one in found if one is not None]


@cache
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """Type and necessity of each field."""
    hints = typing.get_type_hints(kind)
    return {
        one.name: (
            hints[one.name],
            one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING,
        )
        for one in dataclasses.fields(kind)
        if one.init
    }


def _sentence(value: Any) -> Sentence:
    """The words and the times of a sentence, as `str` of it has them."""
    parts = _TIME.split(value)
    return Sentence(tuple(_moment(part) if at % 2 else part for at, part in enumerate(parts) if part))


def _moment(text: str) -> str | datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    except ValueError:
        return text
